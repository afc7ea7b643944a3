/**
 * The spec of a Revision and the template that makes one: the part of Kubernetes' PodSpec that Knative's CRD has, and
 * Knative's own members. Fields behind feature flags are open objects; admission decides about them.
 */
import type { HostAlias, PodDNSConfig, PodSpec } from '#kube/kinds/core/pod-spec.ts';
import type { Affinity, Toleration, TopologySpreadConstraint } from '#kube/kinds/core/scheduling.ts';
import type { PodSecurityContext } from '#kube/kinds/core/security-context.ts';
import type { ObjectMeta } from '#kube/object.ts';
import { boolean, type Infer, int64, list, listMap, map, object, required, type Schema, string } from '#kube/schema.ts';
import { containerSchema } from '#knative/kinds/container.ts';
import { nameOf, open, supplied, textOf } from '#knative/kinds/fields.ts';
import { volumeSchema } from '#knative/kinds/volume.ts';

export type Container = Infer<typeof containerSchema>;
export type Probe = NonNullable<Container['readinessProbe']>;
export type EnvVar = NonNullable<Container['env']>[number];
export type Volume = Infer<typeof volumeSchema>;
export type VolumeMount = NonNullable<Container['volumeMounts']>[number];

type DnsPolicy = NonNullable<PodSpec['dnsPolicy']>;

const gated = (what: string, flag: string) => `${what} Needs the flag kubernetes.podspec-${flag}.`;

const podFields = {
  containers: required(
    list(containerSchema, 'The containers; the one with a port, or the only one, gets the requests.'),
  ),
  initContainers: list(
    open<Container>('A container that runs to its end before the others start.'),
    gated('Run one after the other first.', 'init-containers'),
  ),
  volumes: listMap(volumeSchema, { keys: ['name'] }, 'Folders that containers mount.'),
  serviceAccountName: string('Whose identity the pod has; `default` when absent.'),
  automountServiceAccountToken: boolean('May only be false: no token of the service account is put into the pod.'),
  imagePullSecrets: listMap(
    object({ name: nameOf('Name of a Secret.') }, { atomic: true }),
    { keys: ['name'] },
    'Credentials for registries.',
  ),
  enableServiceLinks: boolean('Whether the environment tells of every Service in the namespace.'),
  affinity: open<Affinity>(gated('Rules of placement.', 'affinity')),
  topologySpreadConstraints: list(
    open<TopologySpreadConstraint>('One constraint.'),
    gated('How pods spread over the nodes.', 'topologyspreadconstraints'),
  ),
  hostAliases: list(open<HostAlias>('One line.'), gated('Lines for /etc/hosts.', 'hostaliases')),
  nodeSelector: map(string(), gated('Labels that the node must have.', 'nodeselector'), { atomic: true }),
  runtimeClassName: string(gated('Which RuntimeClass runs the pod.', 'runtimeclassname')),
  tolerations: list(open<Toleration>('One toleration.'), gated('Taints that are tolerated.', 'tolerations')),
  securityContext: open<PodSecurityContext>(gated('Rights of all processes in the pod.', 'securitycontext')),
  shareProcessNamespace: boolean(gated('Containers see one another’s processes.', 'shareprocessnamespace')),
  priorityClassName: string(gated('How important the pod is.', 'priorityclassname')),
  schedulerName: string(gated('Which scheduler places the pod.', 'schedulername')),
  dnsPolicy: textOf<DnsPolicy>(gated('Where names are resolved.', 'dnspolicy')),
  dnsConfig: open<PodDNSConfig>(gated('Settings of the resolver.', 'dnsconfig')),
  hostIPC: boolean(gated("Use the machine's IPC namespace.", 'hostipc')),
  hostPID: boolean(gated("Use the machine's process namespace.", 'hostpid')),
  hostNetwork: boolean(gated("Use the machine's network namespace.", 'hostnetwork')),
};

export const revisionSpecSchema = object({
  ...podFields,
  containerConcurrency: int64('How many requests a pod gets at once at most; 0 means any number.'),
  timeoutSeconds: int64('Seconds that a request may take until its answer begins and goes on.'),
  responseStartTimeoutSeconds: int64('Seconds until the first byte of the answer.'),
  idleTimeoutSeconds: int64('Seconds without a byte after which a request is given up; 0 means never.'),
});
export type RevisionSpec = Infer<typeof revisionSpecSchema>;

export interface RevisionTemplate {
  metadata?: ObjectMeta | undefined;
  spec: RevisionSpec;
}

/** `metadata` of a template keeps members that it does not know, creationTimestamp for one. */
const templateMetadata: Schema<ObjectMeta> = object(
  {
    name: string('Name of the next Revision; it must begin with the name of its parent and a dash.'),
    namespace: string('Has no effect.'),
    labels: map(string(), 'Labels of the Revision and its pods.'),
    annotations: map(string(), 'Annotations of the Revision; those of the autoscaler go here.'),
    finalizers: list(string(), 'Finalizers of the Revision.'),
  },
  { doc: 'Metadata of the Revisions.', preserveUnknown: true },
);

export const revisionTemplateSchema = object(
  { metadata: templateMetadata, spec: supplied(revisionSpecSchema) },
  { doc: 'What each new Revision looks like.' },
);
