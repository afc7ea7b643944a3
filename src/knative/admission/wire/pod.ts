/**
 * Kubernetes' containers, volumes and pod specs as Go writes them: all members that Go knows, also those that Knative
 * forbids, since a forbidden member must be seen to be refused.
 */
import {
  always,
  anything,
  embedded,
  int32,
  int64,
  intOrString,
  list,
  map,
  pointer,
  quantity,
  type Struct,
  struct,
  text,
  texts,
  truth,
} from '#knative/admission/wire/shape.ts';

const localReference = embedded('LocalObjectReference', { name: text });

const keySelector = (go: string) => struct(go, { ...localReference, key: always(text), optional: pointer(truth) });

const fieldSelector = struct('ObjectFieldSelector', { apiVersion: text, fieldPath: always(text) });
const resourceSelector = struct('ResourceFieldSelector', {
  containerName: text,
  resource: always(text),
  divisor: always(quantity),
});

const envVar = struct('EnvVar', {
  name: always(text),
  value: text,
  valueFrom: struct('EnvVarSource', {
    fieldRef: fieldSelector,
    resourceFieldRef: resourceSelector,
    configMapKeyRef: keySelector('ConfigMapKeySelector'),
    secretKeyRef: keySelector('SecretKeySelector'),
  }),
});

const envFromSource = struct('EnvFromSource', {
  prefix: text,
  configMapRef: struct('ConfigMapEnvSource', { ...localReference, optional: pointer(truth) }),
  secretRef: struct('SecretEnvSource', { ...localReference, optional: pointer(truth) }),
});

const header = struct('HTTPHeader', { name: always(text), value: always(text) });

const handlers = {
  exec: struct('ExecAction', { command: list(text) }),
  httpGet: struct('HTTPGetAction', {
    path: text,
    port: always(intOrString),
    host: text,
    scheme: text,
    httpHeaders: list(header),
  }),
  tcpSocket: struct('TCPSocketAction', { port: always(intOrString), host: text }),
};

const probe = struct('Probe', {
  ...embedded('ProbeHandler', {
    ...handlers,
    grpc: struct('GRPCAction', { port: always(int32), service: pointer(text) }),
  }),
  initialDelaySeconds: int32,
  timeoutSeconds: int32,
  periodSeconds: int32,
  successThreshold: int32,
  failureThreshold: int32,
  terminationGracePeriodSeconds: pointer(int64),
});

const seccompProfile = struct('SeccompProfile', { type: always(text), localhostProfile: pointer(text) });
const seLinuxOptions = struct('SELinuxOptions', { user: text, role: text, type: text, level: text });

const containerSecurityContext = struct('SecurityContext', {
  capabilities: struct('Capabilities', { add: list(text), drop: list(text) }),
  privileged: pointer(truth),
  seLinuxOptions,
  windowsOptions: pointer(anything),
  runAsUser: pointer(int64),
  runAsGroup: pointer(int64),
  runAsNonRoot: pointer(truth),
  readOnlyRootFilesystem: pointer(truth),
  allowPrivilegeEscalation: pointer(truth),
  procMount: pointer(text),
  seccompProfile,
  appArmorProfile: pointer(anything),
});

const volumeMount = struct('VolumeMount', {
  name: always(text),
  readOnly: truth,
  recursiveReadOnly: pointer(text),
  mountPath: always(text),
  subPath: text,
  mountPropagation: pointer(text),
  subPathExpr: text,
});

const container: Struct = struct('Container', {
  name: always(text),
  image: text,
  command: list(text),
  args: list(text),
  workingDir: text,
  ports: list(
    struct('ContainerPort', {
      name: text,
      hostPort: int32,
      containerPort: always(int32),
      protocol: text,
      hostIP: text,
    }),
  ),
  envFrom: list(envFromSource),
  env: list(envVar),
  resources: always(
    struct('ResourceRequirements', { limits: map(quantity), requests: map(quantity), claims: list(anything) }),
  ),
  resizePolicy: list(anything),
  restartPolicy: pointer(text),
  volumeMounts: list(volumeMount),
  volumeDevices: list(struct('VolumeDevice', { name: always(text), devicePath: always(text) })),
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  lifecycle: struct('Lifecycle', { postStart: pointer(anything), preStop: pointer(anything) }),
  terminationMessagePath: text,
  terminationMessagePolicy: text,
  imagePullPolicy: text,
  securityContext: containerSecurityContext,
  stdin: truth,
  stdinOnce: truth,
  tty: truth,
});

const items = list(struct('KeyToPath', { key: always(text), path: always(text), mode: pointer(int32) }));
const optional = pointer(truth);

const downwardFile = struct('DownwardAPIVolumeFile', {
  path: always(text),
  fieldRef: fieldSelector,
  resourceFieldRef: resourceSelector,
  mode: pointer(int32),
});

const projection = struct('VolumeProjection', {
  secret: struct('SecretProjection', { ...localReference, items, optional }),
  downwardAPI: struct('DownwardAPIProjection', { items: list(downwardFile) }),
  configMap: struct('ConfigMapProjection', { ...localReference, items, optional }),
  serviceAccountToken: struct('ServiceAccountTokenProjection', {
    audience: text,
    expirationSeconds: pointer(int64),
    path: always(text),
  }),
});

const volume = struct('Volume', {
  name: always(text),
  ...embedded('VolumeSource', {
    hostPath: struct('HostPathVolumeSource', { path: always(text), type: pointer(text) }),
    emptyDir: struct('EmptyDirVolumeSource', { medium: text, sizeLimit: pointer(quantity) }),
    secret: struct('SecretVolumeSource', { secretName: text, items, defaultMode: pointer(int32), optional }),
    persistentVolumeClaim: struct('PersistentVolumeClaimVolumeSource', { claimName: always(text), readOnly: truth }),
    configMap: struct('ConfigMapVolumeSource', { ...localReference, items, defaultMode: pointer(int32), optional }),
    projected: struct('ProjectedVolumeSource', { sources: always(list(projection)), defaultMode: pointer(int32) }),
  }),
});

const podSecurityContext = struct('PodSecurityContext', {
  seLinuxOptions,
  windowsOptions: pointer(anything),
  runAsUser: pointer(int64),
  runAsGroup: pointer(int64),
  runAsNonRoot: pointer(truth),
  supplementalGroups: list(int64),
  supplementalGroupsPolicy: pointer(text),
  fsGroup: pointer(int64),
  sysctls: list(struct('Sysctl', { name: always(text), value: always(text) })),
  fsGroupChangePolicy: pointer(text),
  seccompProfile,
  appArmorProfile: pointer(anything),
  seLinuxChangePolicy: pointer(text),
});

/** The members of a PodSpec that Knative's schema lets through. */
export const podSpecFields = embedded('PodSpec', {
  volumes: list(volume),
  initContainers: list(container),
  containers: always(list(container)),
  dnsPolicy: text,
  nodeSelector: texts,
  serviceAccountName: text,
  automountServiceAccountToken: pointer(truth),
  hostNetwork: truth,
  hostPID: truth,
  hostIPC: truth,
  shareProcessNamespace: pointer(truth),
  securityContext: podSecurityContext,
  imagePullSecrets: list(struct('LocalObjectReference', { name: text })),
  affinity: pointer(anything),
  schedulerName: text,
  tolerations: list(
    struct('Toleration', {
      key: text,
      operator: text,
      value: text,
      effect: text,
      tolerationSeconds: pointer(int64),
    }),
  ),
  hostAliases: list(struct('HostAlias', { ip: always(text), hostnames: list(text) })),
  priorityClassName: text,
  dnsConfig: struct('PodDNSConfig', {
    nameservers: list(text),
    searches: list(text),
    options: list(struct('PodDNSConfigOption', { name: text, value: pointer(text) })),
  }),
  runtimeClassName: pointer(text),
  enableServiceLinks: pointer(truth),
  topologySpreadConstraints: list(
    struct('TopologySpreadConstraint', {
      maxSkew: always(int32),
      topologyKey: always(text),
      whenUnsatisfiable: always(text),
      labelSelector: pointer(anything),
      minDomains: pointer(int32),
      nodeAffinityPolicy: pointer(text),
      nodeTaintsPolicy: pointer(text),
      matchLabelKeys: list(text),
    }),
  ),
});
