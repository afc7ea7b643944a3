/** Containers as a pod describes them. */
import { envFromSourceSchema, envVarSchema } from '#kube/kinds/core/env.ts';
import { lifecycleSchema, probeSchema } from '#kube/kinds/core/probe.ts';
import { containerResizePolicySchema, resourceRequirementsSchema } from '#kube/kinds/core/resources.ts';
import { securityContextSchema } from '#kube/kinds/core/security-context.ts';
import {
  boolean,
  documented,
  embedded,
  type Infer,
  int32,
  list,
  listMap,
  object,
  oneOf,
  pointer,
  refine,
  required,
  string,
} from '#kube/schema.ts';

const containerPortSchema = object(
  {
    name: string('Name by which services may refer to the port.'),
    hostPort: int32('Port of the host that leads to it.'),
    containerPort: required(int32('Port number inside the pod.')),
    protocol: refine(oneOf(['SCTP', 'TCP', 'UDP'], 'TCP unless another is named.'), { default: 'TCP' }),
    hostIP: string('Address of the host that the host port is bound to.'),
  },
  { name: 'io.k8s.api.core.v1.ContainerPort', doc: 'A port that the container listens on.' },
);
export type ContainerPort = Infer<typeof containerPortSchema>;

const volumeDeviceSchema = object(
  {
    name: required(string('Name of the volume, which is a persistent volume claim.')),
    devicePath: required(string('Path of the device in the container.')),
  },
  { name: 'io.k8s.api.core.v1.VolumeDevice', doc: 'A volume as a block device.' },
);

const volumeMountSchema = object(
  {
    name: required(string('Name of the volume.')),
    readOnly: boolean('When true, the container cannot write to it.'),
    recursiveReadOnly: pointer(string('Whether read-only covers mounts below as well.')),
    mountPath: required(string('Path in the container.')),
    subPath: string('Path in the volume that is mounted instead of its root.'),
    mountPropagation: pointer(
      oneOf(['Bidirectional', 'HostToContainer', 'None'], 'How later mounts show on either side.'),
    ),
    subPathExpr: string('A subPath in which $(NAME) stands for environment variables.'),
  },
  { name: 'io.k8s.api.core.v1.VolumeMount', doc: 'A volume at a path of the container.' },
);
export type VolumeMount = Infer<typeof volumeMountSchema>;

const containerProperties = {
  name: required(string('Name, unique in the pod.')),
  image: string('Image to run.'),
  command: list(string(), "Entry point instead of the image's own."),
  args: list(string(), "Arguments instead of the image's own."),
  workingDir: string("Working directory instead of the image's own."),
  ports: listMap(containerPortSchema, { keys: ['containerPort', 'protocol'] }, 'Ports that the container listens on.'),
  envFrom: list(envFromSourceSchema, 'ConfigMaps and Secrets whose keys become variables.'),
  env: listMap(envVarSchema, { keys: ['name'] }, 'Environment variables.'),
  resources: embedded(documented(resourceRequirementsSchema, 'Compute resources that the container needs.')),
  resizePolicy: list(containerResizePolicySchema, 'What resizes do to the container.'),
  restartPolicy: pointer(string('Always makes an init container a sidecar.')),
  volumeMounts: listMap(volumeMountSchema, { keys: ['mountPath'] }, 'Volumes to mount.'),
  volumeDevices: listMap(volumeDeviceSchema, { keys: ['devicePath'] }, 'Block devices to attach.'),
  livenessProbe: documented(probeSchema, 'A failing check restarts the container.'),
  readinessProbe: documented(probeSchema, 'A failing check takes the pod out of its services.'),
  startupProbe: documented(probeSchema, 'The other checks wait until this one has succeeded.'),
  lifecycle: documented(lifecycleSchema, 'Hooks at start and end.'),
  terminationMessagePath: string('File in which the container leaves its last words.'),
  terminationMessagePolicy: oneOf(['FallbackToLogsOnError', 'File'], 'Where last words come from.'),
  imagePullPolicy: oneOf(['Always', 'IfNotPresent', 'Never'], 'When the image is pulled.'),
  securityContext: documented(securityContextSchema, 'Security settings of the container.'),
  stdin: boolean('Keeps a standard input open.'),
  stdinOnce: boolean('Closes the standard input after the first client.'),
  tty: boolean('Allocates a terminal.'),
};

export const containerSchema = object(containerProperties, {
  name: 'io.k8s.api.core.v1.Container',
  doc: 'One container of a pod.',
});
export type Container = Infer<typeof containerSchema>;

export const ephemeralContainerSchema = object(
  {
    ...containerProperties,
    targetContainerName: string('Container whose namespaces are shared.'),
  },
  { name: 'io.k8s.api.core.v1.EphemeralContainer', doc: 'A container that is added to a running pod to look into it.' },
);
export type EphemeralContainer = Infer<typeof ephemeralContainerSchema>;
