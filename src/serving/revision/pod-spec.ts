/**
 * The pod of a Revision: the user's containers as Knative builds them, without its sidecar.
 *
 * The gateway does the queue-proxy's work at home, so nothing listens on the sidecar's ports: the readiness probe stays
 * on the container (Knative moves it into the sidecar), and there is no preStop hook that waits for the sidecar to
 * drain; who stops a pod waits for the gateway instead. Everything else is what a program in Knative sees: PORT and the
 * K_ variables, the port's name, its last words, its grace period.
 */
import { clone } from '#base/json.ts';
import type { Container as KubeContainer } from '#kube/kinds/core/container.ts';
import type { PodSpec } from '#kube/kinds/core/pod-spec.ts';
import { labelsOf, nameOf } from '#kube/object.ts';
import { type DeploymentConfig, runtimeClassForLabels } from '#knative/config/deployment.ts';
import type { DefaultsConfig } from '#knative/config/defaults.ts';
import type { FeaturesConfig } from '#knative/config/features.ts';
import type { ObservabilityConfig } from '#knative/config/observability.ts';
import type { Container, EnvVar, Probe } from '#knative/kinds/revision-spec.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import { CONFIGURATION_LABEL, REVISION_LABEL, SERVICE_LABEL } from '#knative/labels.ts';
import { servingContainer, userPortOf } from '#serving/revision/protocol.ts';

export interface PodSettings {
  readonly deployment: DeploymentConfig;
  readonly defaults: DefaultsConfig;
  readonly features: FeaturesConfig;
  readonly observability: ObservabilityConfig;
}

/** The name by which Services find the container's port. */
export const USER_PORT_NAME = 'user-port';

const VAR_LOG_VOLUME = 'knative-var-log';

export function desiredPodSpec(revision: Revision, settings: PodSettings): PodSpec {
  const {
    containers,
    containerConcurrency: _concurrency,
    timeoutSeconds,
    responseStartTimeoutSeconds: _start,
    idleTimeoutSeconds: _idle,
    ...rest
  } = clone(revision.spec);
  const spec = rest as PodSpec;
  const digests = revision.status?.containerStatuses;
  spec.containers = containers.map((container, index) =>
    asKubeContainer(revision, { ...container, image: digests?.[index]?.imageDigest || container.image }, settings),
  );
  spec.initContainers = resolvedInitContainers(revision);
  spec.terminationGracePeriodSeconds = timeoutSeconds;
  spec.enableServiceLinks ??= settings.defaults.enableServiceLinks;
  spec.runtimeClassName ??= runtimeClassForLabels(settings.deployment, labelsOf(revision));
  spec.affinity ??= defaultAffinity(revision, settings.deployment);
  return settings.observability.enableVarLogCollection ? withLogVolume(spec) : spec;
}

function resolvedInitContainers({ spec, status }: Revision): PodSpec['initContainers'] {
  return spec.initContainers?.map((container, index) => {
    const image = status?.initContainerStatuses?.[index]?.imageDigest || container.image;
    return { ...clone(container), image };
  });
}

function asKubeContainer(revision: Revision, container: Container, { features }: PodSettings): KubeContainer {
  const isServing = container.name === servingContainer(revision)?.name;
  const port = userPortOf(revision);
  const env: EnvVar[] = [...(container.env ?? [])];
  if (isServing) env.push({ name: 'PORT', value: String(port) });
  env.push(...knativeEnv(revision));
  const built = {
    ...container,
    env,
    terminationMessagePolicy: container.terminationMessagePolicy || 'FallbackToLogsOnError',
  };
  if (!isServing) return built;
  const mayChoosePort = features.multiContainerProbing === 'Enabled';
  return {
    ...built,
    ports: [{ name: USER_PORT_NAME, containerPort: port, protocol: 'TCP' }],
    readinessProbe: withPort(container.readinessProbe, port, { keepNumber: true }),
    startupProbe: withPort(container.startupProbe, port, { keepNumber: true }),
    livenessProbe: withPort(container.livenessProbe, port, { keepNumber: mayChoosePort }),
  };
}

/** K_SERVICE is there, empty, for a Configuration that stands alone. */
function knativeEnv(revision: Revision): EnvVar[] {
  const labels = labelsOf(revision);
  return [
    { name: 'K_REVISION', value: nameOf(revision) },
    { name: 'K_CONFIGURATION', value: labels[CONFIGURATION_LABEL] ?? '' },
    { name: 'K_SERVICE', value: labels[SERVICE_LABEL] ?? '' },
  ];
}

/** No port, or the port's old name, means the container's own; a number stays where the user may choose one. */
function withPort(probe: Probe | undefined, port: number, { keepNumber }: { keepNumber: boolean }): Probe | undefined {
  if (!probe) return undefined;
  const chosen = (value: number | string | undefined) =>
    keepNumber && typeof value === 'number' && value !== 0 ? value : port;
  if (probe.httpGet) return { ...probe, httpGet: { ...probe.httpGet, port: chosen(probe.httpGet.port) } };
  if (probe.tcpSocket) return { ...probe, tcpSocket: { ...probe.tcpSocket, port: chosen(probe.tcpSocket.port) } };
  if (probe.grpc) return { ...probe, grpc: { ...probe.grpc, port: probe.grpc.port || port } };
  return probe;
}

function defaultAffinity(revision: Revision, { defaultAffinityType }: DeploymentConfig): PodSpec['affinity'] {
  if (defaultAffinityType !== 'prefer-spread-revision-over-nodes') return undefined;
  const labelSelector = { matchLabels: { [REVISION_LABEL]: nameOf(revision) } };
  const podAffinityTerm = { topologyKey: 'kubernetes.io/hostname', labelSelector };
  return { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] } };
}

/** /var/log of every container, each in a folder of its own, for a collector on the node. */
function withLogVolume(spec: PodSpec): PodSpec {
  const fieldEnv = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const env = [
    fieldEnv('K_INTERNAL_POD_NAME', 'metadata.name'),
    fieldEnv('K_INTERNAL_POD_NAMESPACE', 'metadata.namespace'),
  ];
  const containers = spec.containers.map((container) => {
    const subPathExpr = `$(K_INTERNAL_POD_NAMESPACE)_$(K_INTERNAL_POD_NAME)_${container.name}`;
    const mount = { name: VAR_LOG_VOLUME, mountPath: '/var/log', subPathExpr };
    return {
      ...container,
      volumeMounts: [...(container.volumeMounts ?? []), mount],
      env: [...(container.env ?? []), ...env],
    };
  });
  return { ...spec, containers, volumes: [...(spec.volumes ?? []), { name: VAR_LOG_VOLUME, emptyDir: {} }] };
}
