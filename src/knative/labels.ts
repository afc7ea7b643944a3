/**
 * Every label and annotation key of Knative Serving, and how values are looked up where a key has older spellings.
 *
 * A `Keys` list names the spellings of one setting in the order in which they are looked for: the first that is
 * present wins, even with an empty value. Of autoscaling annotations that is the form with dashes; of networking
 * annotations the oldest form, which is also the one that controllers write.
 */

export const AUTOSCALING_GROUP = 'autoscaling.knative.dev';
const SERVING_GROUP = 'serving.knative.dev';
export const NETWORKING_GROUP = 'networking.knative.dev';
const NETWORKING_INTERNAL_GROUP = 'networking.internal.knative.dev';
const QUEUE_SIDECAR_GROUP = 'queue.sidecar.serving.knative.dev';

/** The spellings of one key, the one that wins first. */
export type Keys = readonly [string, ...string[]];

const autoscaling = (kebab: string, camel?: string): Keys =>
  camel === undefined
    ? [`${AUTOSCALING_GROUP}/${kebab}`]
    : [`${AUTOSCALING_GROUP}/${kebab}`, `${AUTOSCALING_GROUP}/${camel}`];

/** Annotations of a template, a Revision or a PodAutoscaler by which it is scaled. */
export const autoscalingKeys = {
  class: autoscaling('class'),
  metric: autoscaling('metric'),
  target: autoscaling('target'),
  targetUtilizationPercentage: autoscaling('target-utilization-percentage', 'targetUtilizationPercentage'),
  targetBurstCapacity: autoscaling('target-burst-capacity', 'targetBurstCapacity'),
  minScale: autoscaling('min-scale', 'minScale'),
  maxScale: autoscaling('max-scale', 'maxScale'),
  activationScale: autoscaling('activation-scale'),
  initialScale: autoscaling('initial-scale', 'initialScale'),
  scaleDownDelay: autoscaling('scale-down-delay', 'scaleDownDelay'),
  scaleToZeroPodRetentionPeriod: autoscaling('scale-to-zero-pod-retention-period', 'scaleToZeroPodRetentionPeriod'),
  window: autoscaling('window'),
  panicWindowPercentage: autoscaling('panic-window-percentage', 'panicWindowPercentage'),
  panicThresholdPercentage: autoscaling('panic-threshold-percentage', 'panicThresholdPercentage'),
  metricAggregationAlgorithm: autoscaling('metric-aggregation-algorithm', 'metricAggregationAlgorithm'),
} as const satisfies Record<string, Keys>;

/** Values of the class annotation that ship with Knative. */
export const KPA_CLASS = `kpa.${AUTOSCALING_GROUP}`;
export const HPA_CLASS = `hpa.${AUTOSCALING_GROUP}`;

const serving = (name: string) => `${SERVING_GROUP}/${name}`;

export const CREATOR_ANNOTATION = serving('creator');
export const LAST_MODIFIER_ANNOTATION = serving('lastModifier');
export const NO_GC_ANNOTATION = serving('no-gc');
export const LAST_PINNED_ANNOTATION = serving('lastPinned');
/** Sorted, comma-separated names of the Routes that lead to a Revision or Configuration. */
export const ROUTES_ANNOTATION = serving('routes');
export const ROUTING_STATE_MODIFIED_ANNOTATION = serving('routingStateModified');
export const ROLLOUT_DURATION_KEYS: Keys = [serving('rollout-duration'), serving('rolloutDuration')];
export const PROGRESS_DEADLINE_KEYS: Keys = [serving('progress-deadline')];

export const ROUTING_STATE_LABEL = serving('routingState');
export const CONFIGURATION_LABEL = serving('configuration');
export const CONFIGURATION_GENERATION_LABEL = serving('configurationGeneration');
export const CONFIGURATION_UID_LABEL = serving('configurationUID');
export const SERVICE_LABEL = serving('service');
export const SERVICE_UID_LABEL = serving('serviceUID');
export const REVISION_LABEL = serving('revision');
export const REVISION_UID_LABEL = serving('revisionUID');
export const ROUTE_LABEL = serving('route');
export const ROUTE_NAMESPACE_LABEL = serving('routeNamespace');
export const DEPLOYMENT_HASH_LABEL = serving('deployment-hash');
export const DOMAIN_MAPPING_UID_LABEL = serving('domainMappingUID');
export const DOMAIN_MAPPING_NAMESPACE_LABEL = serving('domainMappingNamespace');
/** On Deployments and pods: the revision's name, unless the user has a label of that name. */
export const APP_LABEL = 'app';

/** Values of the routing state label. */
export type RoutingState = 'pending' | 'active' | 'reserve';

const networking = (name: string) => `${NETWORKING_GROUP}/${name}`;

export const VISIBILITY_LABEL = networking('visibility');
export const VISIBILITY_CLUSTER_LOCAL = 'cluster-local';
export const INGRESS_CLASS_KEYS: Keys = [networking('ingress.class'), networking('ingress-class')];
export const CERTIFICATE_CLASS_KEYS: Keys = [networking('certificate.class'), networking('certificate-class')];
export const DISABLE_EXTERNAL_TLS_KEYS: Keys = [
  networking('disableAutoTLS'),
  networking('disable-auto-tls'),
  networking('disable-external-domain-tls'),
];
export const HTTP_PROTOCOL_KEYS: Keys = [networking('httpOption'), networking('http-protocol')];

const internal = (name: string) => `${NETWORKING_INTERNAL_GROUP}/${name}`;

export const SKS_LABEL = internal('serverlessservice');
export const SERVICE_TYPE_LABEL = internal('serviceType');
/** Values of the service type label. */
export type ServiceType = 'Public' | 'Private';
/** JSON state of a gradual rollout, on an Ingress. */
export const ROLLOUT_ANNOTATION = internal('rollout');
/** JSON {tag: [host]} for header-based tag routing, on an Ingress. */
export const TAG_TO_HOST_ANNOTATION = internal('tag-to-host');

export const RESOURCE_PERCENTAGE_KEYS: Keys = [
  `${QUEUE_SIDECAR_GROUP}/resource-percentage`,
  `${QUEUE_SIDECAR_GROUP}/resourcePercentage`,
];

const SIDECAR_RESOURCES = ['cpu', 'memory', 'ephemeral-storage'] as const;

/** Annotations that ask for a size of the queue-proxy, one per resource and bound. */
export const sidecarResourceKeys: readonly Keys[] = SIDECAR_RESOURCES.flatMap((resource) =>
  ['request', 'limit'].map((bound): Keys => [`${QUEUE_SIDECAR_GROUP}/${resource}-resource-${bound}`]),
);

export const DEFAULT_CONTAINER_ANNOTATION = 'kubectl.kubernetes.io/default-container';
export const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
export const EXAMPLE_CHECKSUM_ANNOTATION = 'knative.dev/example-checksum';

/** By these labels the webhook finds the ConfigMaps that it checks. */
export const NAME_LABEL = 'app.kubernetes.io/name';
export const COMPONENT_LABEL = 'app.kubernetes.io/component';
export const VERSION_LABEL = 'app.kubernetes.io/version';
export const KNATIVE_SERVING = 'knative-serving';

type Values = Readonly<Record<string, string>> | undefined;

/** The key and value of the first spelling that is present. */
export function findByKeys(values: Values, keys: Keys): { key: string; value: string } | undefined {
  for (const key of keys) {
    const value = values?.[key];
    if (value !== undefined) return { key, value };
  }
  return undefined;
}

/** The value of the first spelling that is present. */
export function valueByKeys(values: Values, keys: Keys): string | undefined {
  return findByKeys(values, keys)?.value;
}

/** A copy without any spelling of the given keys. */
export function withoutKeys(values: Values, ...dropped: readonly Keys[]): Record<string, string> {
  const gone = new Set(dropped.flat());
  return Object.fromEntries(Object.entries(values ?? {}).filter(([key]) => !gone.has(key)));
}
