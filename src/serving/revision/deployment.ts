/**
 * The Deployment of a Revision. A label holds a hash of what is wanted: only when that changes (another
 * config-deployment, a newer release of ours) is the Deployment written again, and only a changed template makes new
 * pods. How many there are is the autoscaler's from the moment of creation.
 */
import { typed } from '#kube/kind.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { annotationsOf, labelsOf, nameOf, type ObjectMeta, type Stored, uidOf } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { parseDurationMs } from '#kube/duration.ts';
import type { AutoscalerConfig } from '#knative/config/autoscaler.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import {
  autoscalingKeys,
  DEFAULT_CONTAINER_ANNOTATION,
  DEPLOYMENT_HASH_LABEL,
  PROGRESS_DEADLINE_KEYS,
  REVISION_UID_LABEL,
  valueByKeys,
} from '#knative/labels.ts';
import { deploymentName } from '#knative/names.ts';
import { childAnnotations, childLabels, isAutoscalingKey, isKnativeKey } from '#serving/revision/metadata.ts';
import { desiredPodSpec, type PodSettings } from '#serving/revision/pod-spec.ts';
import { servingContainer } from '#serving/revision/protocol.ts';

export interface DeploymentSettings extends PodSettings {
  readonly autoscaler: AutoscalerConfig;
}

const MS_PER_S = 1_000;

export function desiredDeployment(revision: Revision, settings: DeploymentSettings): Deployment {
  const labels = childLabels(revision);
  const annotations = childAnnotations(revision);
  const container = servingContainer(revision)?.name;
  const podAnnotations = container ? { ...annotations, [DEFAULT_CONTAINER_ANNOTATION]: container } : annotations;
  const deployment = typed(Deployment, {
    metadata: {
      name: deploymentName(nameOf(revision)),
      namespace: revision.metadata.namespace,
      labels: { ...labels },
      annotations,
      ownerReferences: [controllerRefTo(revision)],
    },
    spec: {
      replicas: initialScale(revision, settings.autoscaler),
      selector: { matchLabels: { [REVISION_UID_LABEL]: uidOf(revision) } },
      progressDeadlineSeconds: progressDeadlineSeconds(revision, settings),
      revisionHistoryLimit: 0,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } },
      template: {
        metadata: { labels, annotations: podAnnotations },
        spec: desiredPodSpec(revision, settings),
      },
    },
    status: {},
  });
  deployment.metadata.labels = { ...deployment.metadata.labels, [DEPLOYMENT_HASH_LABEL]: contentHash(deployment) };
  return deployment;
}

function initialScale(revision: Revision, { initialScale: fallback }: AutoscalerConfig): number {
  const text = valueByKeys(annotationsOf(revision), autoscalingKeys.initialScale);
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : fallback;
}

function progressDeadlineSeconds(revision: Revision, { deployment }: DeploymentSettings): number {
  const duration = parseDurationMs(valueByKeys(annotationsOf(revision), PROGRESS_DEADLINE_KEYS) ?? '');
  return (typeof duration === 'number' ? duration : deployment.progressDeadlineMs) / MS_PER_S;
}

/** The existing Deployment brought to what is wanted; undefined when it is that already. */
export function updatedDeployment(existing: Stored<Deployment>, desired: Deployment): Stored<Deployment> | undefined {
  if (labelsOf(existing)[DEPLOYMENT_HASH_LABEL] === labelsOf(desired)[DEPLOYMENT_HASH_LABEL]) return undefined;
  const { replicas, selector, template } = existing.spec;
  return {
    ...existing,
    metadata: { ...existing.metadata, ...mergedMetadata(desired.metadata, existing.metadata) },
    spec: {
      ...desired.spec,
      replicas,
      selector,
      template: {
        ...desired.spec.template,
        metadata: mergedMetadata(desired.spec.template.metadata ?? {}, template.metadata ?? {}),
      },
    },
  };
}

/** Keys that are not Knative's belong to somebody else, such as `kubectl rollout restart`. */
function mergedMetadata(desired: ObjectMeta, existing: ObjectMeta): Pick<ObjectMeta, 'labels' | 'annotations'> {
  const foreign = (values: Record<string, string> = {}) =>
    Object.fromEntries(Object.entries(values).filter(([key]) => !isKnativeKey(key)));
  return {
    labels: { ...foreign(existing.labels), ...desired.labels },
    annotations: { ...foreign(existing.annotations), ...desired.annotations },
  };
}

/** Scale and the autoscaler's settings change without a new rollout, so they don't count. */
function contentHash({ metadata, spec }: Deployment): string {
  const { replicas: _, template, ...rest } = spec;
  const annotations = withoutAutoscaling(metadata.annotations);
  const pods = {
    ...template,
    metadata: { ...template.metadata, annotations: withoutAutoscaling(template.metadata?.annotations) },
  };
  return fnv32a(canonicalJson({ ...rest, template: pods, labels: metadata.labels, annotations })).toString(36);
}

function withoutAutoscaling(values: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !isAutoscalingKey(key)));
}

/** Members sorted by name, so that equal content gives equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) =>
    typeof entry === 'object' && entry !== null && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([left], [right]) => (left < right ? -1 : 1)))
      : entry,
  );
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

function fnv32a(text: string): number {
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  return hash;
}
