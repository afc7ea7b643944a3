/** What a node reports about itself. */
import {
  boolean,
  documented,
  embedded,
  int32,
  int64,
  list,
  listMap,
  map,
  object,
  oneOf,
  pointer,
  quantity,
  required,
  string,
  time,
} from '#kube/schema.ts';

const configMapNodeConfigSourceSchema = object(
  {
    namespace: required(string('Namespace of the ConfigMap.')),
    name: required(string('Name of the ConfigMap.')),
    uid: string('UID of the ConfigMap.'),
    resourceVersion: string('Version of the ConfigMap.'),
    kubeletConfigKey: required(string('Key that holds the settings.')),
  },
  { name: 'io.k8s.api.core.v1.ConfigMapNodeConfigSource', doc: "A ConfigMap with settings for the node's agent." },
);

export const nodeConfigSourceSchema = object(
  {
    configMap: documented(configMapNodeConfigSourceSchema, 'The ConfigMap that is meant.'),
  },
  {
    name: 'io.k8s.api.core.v1.NodeConfigSource',
    doc: "Where the node's agent takes its settings from; no longer used.",
  },
);

const nodeConditionSchema = object(
  {
    type: required(string('Aspect, such as Ready.')),
    status: required(string('True, False or Unknown.')),
    lastHeartbeatTime: embedded(time('When it was last reported.')),
    lastTransitionTime: embedded(time('When the status last changed.')),
    reason: string('Cause of the last change, one CamelCase word.'),
    message: string('Cause of the last change, in a sentence.'),
  },
  { name: 'io.k8s.api.core.v1.NodeCondition', doc: "One aspect of the node's state." },
);

const nodeAddressSchema = object(
  {
    type: required(string('What sort of address it is.')),
    address: required(string('The address.')),
  },
  { name: 'io.k8s.api.core.v1.NodeAddress', doc: 'An address of the node.' },
);

const daemonEndpointSchema = object(
  {
    Port: required(int32('The port number.')),
  },
  { name: 'io.k8s.api.core.v1.DaemonEndpoint', doc: 'A port of an agent.' },
);

const nodeDaemonEndpointsSchema = object(
  {
    kubeletEndpoint: embedded(documented(daemonEndpointSchema, "Where the kubelet's interface listens.")),
  },
  { name: 'io.k8s.api.core.v1.NodeDaemonEndpoints', doc: "Ports of the node's agents." },
);

const nodeSwapStatusSchema = object(
  {
    capacity: pointer(int64('Its size in bytes.')),
  },
  { name: 'io.k8s.api.core.v1.NodeSwapStatus', doc: 'Swap space of the node.' },
);

const nodeSystemInfoSchema = object(
  {
    machineID: required(string('Identity of the machine.')),
    systemUUID: required(string('Identity of the system.')),
    bootID: required(string('Identity of the present boot.')),
    kernelVersion: required(string('Version of the kernel.')),
    osImage: required(string('Name of the operating system.')),
    containerRuntimeVersion: required(string('Name and version of the container runtime.')),
    kubeletVersion: required(string("Version of the node's agent.")),
    kubeProxyVersion: required(string('Version of the service proxy.')),
    operatingSystem: required(string('Operating system, such as linux.')),
    architecture: required(string('Processor architecture, such as amd64.')),
    swap: documented(nodeSwapStatusSchema, 'Swap space.'),
  },
  { name: 'io.k8s.api.core.v1.NodeSystemInfo', doc: 'Software and identity of the node.' },
);

const containerImageSchema = object(
  {
    names: embedded(list(string(), 'Names of the image.')),
    sizeBytes: int64('Its size in bytes.'),
  },
  { name: 'io.k8s.api.core.v1.ContainerImage', doc: 'An image that the node has.' },
);

const attachedVolumeSchema = object(
  {
    name: required(string('Name of the volume.')),
    devicePath: required(string('Path of its device.')),
  },
  { name: 'io.k8s.api.core.v1.AttachedVolume', doc: 'A volume attached to the node.' },
);

const nodeConfigStatusSchema = object(
  {
    assigned: documented(nodeConfigSourceSchema, 'Settings that the node was given.'),
    active: documented(nodeConfigSourceSchema, 'Settings that are in force.'),
    lastKnownGood: documented(nodeConfigSourceSchema, 'Settings to fall back to.'),
    error: string('What is wrong with the settings.'),
  },
  { name: 'io.k8s.api.core.v1.NodeConfigStatus', doc: "State of the node's settings; no longer used." },
);

const nodeRuntimeHandlerFeaturesSchema = object(
  {
    recursiveReadOnlyMounts: pointer(boolean('Recursive read-only mounts.')),
    userNamespaces: pointer(boolean('User namespaces.')),
  },
  { name: 'io.k8s.api.core.v1.NodeRuntimeHandlerFeatures', doc: 'What a runtime handler can do.' },
);

const nodeRuntimeHandlerSchema = object(
  {
    name: embedded(string('Name of the handler; empty for the default.')),
    features: documented(nodeRuntimeHandlerFeaturesSchema, 'What it can do.'),
  },
  { name: 'io.k8s.api.core.v1.NodeRuntimeHandler', doc: 'A handler of the container runtime.' },
);

const nodeFeaturesSchema = object(
  {
    supplementalGroupsPolicy: pointer(boolean('Policies for supplemental groups.')),
  },
  { name: 'io.k8s.api.core.v1.NodeFeatures', doc: 'What the container runtime can do.' },
);

export const nodeStatusSchema = object(
  {
    capacity: map(quantity(), 'Resources that the node has.'),
    allocatable: map(quantity(), 'Resources that pods may use.'),
    phase: oneOf(['Pending', 'Running', 'Terminated'], 'No longer filled in.'),
    conditions: listMap(nodeConditionSchema, { keys: ['type'] }, 'Aspects of its state.'),
    addresses: listMap(nodeAddressSchema, { keys: ['type'] }, 'Addresses at which it is reached.'),
    daemonEndpoints: embedded(documented(nodeDaemonEndpointsSchema, 'Ports of its agents.')),
    nodeInfo: embedded(documented(nodeSystemInfoSchema, 'Software and identity.')),
    images: list(containerImageSchema, 'Images that it has.'),
    volumesInUse: list(string(), 'Volumes that are mounted.'),
    volumesAttached: list(attachedVolumeSchema, 'Volumes that are attached.'),
    config: documented(nodeConfigStatusSchema, 'State of its settings.'),
    runtimeHandlers: list(nodeRuntimeHandlerSchema, 'Handlers of the container runtime.'),
    features: documented(nodeFeaturesSchema, 'What the container runtime can do.'),
  },
  { name: 'io.k8s.api.core.v1.NodeStatus', doc: 'What is known of the node.' },
);
