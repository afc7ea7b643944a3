/** What is known of a pod that was placed. */
import { resourceRequirementsSchema, resourceStatusSchema } from '#kube/kinds/core/resources.ts';
import {
  boolean,
  documented,
  embedded,
  type Infer,
  int32,
  int64,
  list,
  listMap,
  map,
  object,
  oneOf,
  pointer,
  quantity,
  refine,
  required,
  string,
  time,
} from '#kube/schema.ts';

const podConditionSchema = object(
  {
    type: required(string('Aspect, such as Ready.')),
    observedGeneration: int64('Generation of the spec that it was computed from.'),
    status: required(string('True, False or Unknown.')),
    lastProbeTime: embedded(time('When it was last checked.')),
    lastTransitionTime: embedded(time('When the status last changed.')),
    reason: string('Cause of the last change, one CamelCase word.'),
    message: string('Cause of the last change, in a sentence.'),
  },
  { name: 'io.k8s.api.core.v1.PodCondition', doc: "One aspect of the pod's state." },
);
export type PodCondition = Infer<typeof podConditionSchema>;

const hostIPSchema = object(
  {
    ip: required(string('The address.')),
  },
  { name: 'io.k8s.api.core.v1.HostIP', doc: 'An address of the host.' },
);

const podIPSchema = object(
  {
    ip: required(string('The address.')),
  },
  { name: 'io.k8s.api.core.v1.PodIP', doc: 'An address of the pod.' },
);

const podResourceClaimStatusSchema = object(
  {
    name: required(string('Name of the claim in the pod.')),
    resourceClaimName: pointer(string('Name of the claim that was made.')),
  },
  { name: 'io.k8s.api.core.v1.PodResourceClaimStatus', doc: 'The claim that was made for a claim of the spec.' },
);

const containerStateWaitingSchema = object(
  {
    reason: string('Why, one CamelCase word.'),
    message: string('Why, in a sentence.'),
  },
  { name: 'io.k8s.api.core.v1.ContainerStateWaiting', doc: 'A container that is not running yet.' },
);

const containerStateRunningSchema = object(
  {
    startedAt: embedded(time('When it was last started.')),
  },
  { name: 'io.k8s.api.core.v1.ContainerStateRunning', doc: 'A container that runs.' },
);

const containerStateTerminatedSchema = object(
  {
    exitCode: required(int32('Exit code.')),
    signal: int32('Signal that ended it.'),
    reason: string('Why, one CamelCase word.'),
    message: string("The container's last words."),
    startedAt: embedded(time('When it was started.')),
    finishedAt: embedded(time('When it ended.')),
    containerID: string('Identity of the container.'),
  },
  { name: 'io.k8s.api.core.v1.ContainerStateTerminated', doc: 'A container that has ended.' },
);

const containerStateSchema = object(
  {
    waiting: documented(containerStateWaitingSchema, 'It waits.'),
    running: documented(containerStateRunningSchema, 'It runs.'),
    terminated: documented(containerStateTerminatedSchema, 'It has ended.'),
  },
  { name: 'io.k8s.api.core.v1.ContainerState', doc: 'State of a container; one of these.' },
);
export type ContainerState = Infer<typeof containerStateSchema>;

const linuxContainerUserSchema = object(
  {
    uid: required(int64('User id.')),
    gid: required(int64('Group id.')),
    supplementalGroups: list(int64(), 'More groups.'),
  },
  { name: 'io.k8s.api.core.v1.LinuxContainerUser', doc: 'User and groups of the first process.' },
);

const containerUserSchema = object(
  {
    linux: documented(linuxContainerUserSchema, 'User and groups on Linux.'),
  },
  { name: 'io.k8s.api.core.v1.ContainerUser', doc: "Who the container's first process runs as." },
);

const volumeMountStatusSchema = object(
  {
    name: required(string('Name of the volume mount.')),
    mountPath: required(string('Path in the container.')),
    readOnly: boolean('Whether it is read-only.'),
    recursiveReadOnly: pointer(string('Whether mounts below are read-only too.')),
  },
  { name: 'io.k8s.api.core.v1.VolumeMountStatus', doc: 'How a volume was mounted.' },
);

const containerStatusSchema = object(
  {
    name: required(string('Name of the container.')),
    state: embedded(documented(containerStateSchema, 'Its present state.')),
    lastState: embedded(documented(containerStateSchema, 'How its last run ended.')),
    ready: required(boolean('Whether it passes its readiness check.')),
    restartCount: required(int32('How often it was restarted.')),
    image: required(string('Image that runs.')),
    imageID: required(string('Identity of the image.')),
    containerID: string('Identity of the container.'),
    started: pointer(boolean('Whether it has passed its startup check.')),
    allocatedResources: map(quantity(), 'Resources set aside for it.'),
    resources: pointer(documented(resourceRequirementsSchema, 'Requests and limits in force.')),
    volumeMounts: listMap(volumeMountStatusSchema, { keys: ['mountPath'] }, 'How volumes were mounted.'),
    user: documented(containerUserSchema, 'Who its first process runs as.'),
    allocatedResourcesStatus: listMap(resourceStatusSchema, { keys: ['name'] }, 'Health of its devices.'),
    stopSignal: pointer(string('Signal that tells it to end.')),
  },
  { name: 'io.k8s.api.core.v1.ContainerStatus', doc: 'What is known of one container.' },
);
export type ContainerStatus = Infer<typeof containerStatusSchema>;

export const podStatusSchema = object(
  {
    observedGeneration: int64('Generation of the spec that the node has seen.'),
    phase: oneOf(['Failed', 'Pending', 'Running', 'Succeeded', 'Unknown'], 'Where in its life the pod is.'),
    conditions: listMap(podConditionSchema, { keys: ['type'] }, 'Aspects of its state.'),
    message: string('Why it is in this state, in a sentence.'),
    reason: string('Why it is in this state, one CamelCase word.'),
    nominatedNodeName: string('Node on which room is being made.'),
    hostIP: string('Address of the host.'),
    hostIPs: refine(list(hostIPSchema, 'Addresses of the host.'), { patchMergeKey: 'ip', patchStrategy: 'merge' }),
    podIP: string('Address of the pod.'),
    podIPs: listMap(podIPSchema, { keys: ['ip'] }, 'Addresses of the pod.'),
    startTime: time('When the node took the pod.'),
    initContainerStatuses: list(containerStatusSchema, 'What is known of the init containers.'),
    containerStatuses: list(containerStatusSchema, 'What is known of the containers.'),
    qosClass: oneOf(['BestEffort', 'Burstable', 'Guaranteed'], 'Quality of service that its resources give it.'),
    ephemeralContainerStatuses: list(containerStatusSchema, 'What is known of the ephemeral containers.'),
    resize: string('State of a resize.'),
    resourceClaimStatuses: listMap(
      podResourceClaimStatusSchema,
      { keys: ['name'], patchStrategy: 'merge,retainKeys' },
      'Claims that were made for it.',
    ),
  },
  { name: 'io.k8s.api.core.v1.PodStatus', doc: 'What is known of the pod.' },
);
export type PodStatus = Infer<typeof podStatusSchema>;
