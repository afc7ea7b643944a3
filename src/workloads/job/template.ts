/** A pod of a Job, from its template. Pure. */
import { clone } from '#base/json.ts';
import type { Job } from '#kube/kinds/batch/job.ts';
import type { Container } from '#kube/kinds/core/container.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import { nameOf, type ObjectMeta } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { judgeFailure } from '#workloads/job/failure-policy.ts';
import {
  COMPLETION_INDEX,
  failuresOfIndex,
  ignoredFailuresOfIndex,
  INDEX_FAILURES,
  INDEX_IGNORED_FAILURES,
  INDEX_VARIABLE,
  isIndexed,
  TRACKING_FINALIZER,
} from '#workloads/job/names.ts';

/** Longest name that gets a random end. */
const MAX_PREFIX = 58;

export interface IndexedPod {
  readonly index: number;
  /** The pod that failed at this index and is replaced. */
  readonly replaces: Pod | undefined;
}

export function podFor(job: Job, indexed?: IndexedPod): Pod {
  const { metadata = {}, spec } = clone(job.spec.template);
  const finalizers = metadata.finalizers ?? [];
  const meta: ObjectMeta = {
    generateName: `${nameOf(job)}-`,
    namespace: job.metadata.namespace,
    labels: metadata.labels,
    annotations: metadata.annotations,
    finalizers: finalizers.includes(TRACKING_FINALIZER) ? finalizers : [...finalizers, TRACKING_FINALIZER],
    ownerReferences: [controllerRefTo(job)],
  };
  const pod = typed(Pod, { metadata: meta, spec });
  if (isIndexed(job)) for (const one of [...(spec.initContainers ?? []), ...spec.containers]) addVariable(one);
  if (indexed) addIndex(job, pod, indexed);
  return pod;
}

function addVariable(container: Container): void {
  if (container.env?.some(({ name }) => name === INDEX_VARIABLE)) return;
  const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`;
  container.env = [...(container.env ?? []), { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath } } }];
}

function addIndex(job: Job, pod: Pod, { index, replaces }: IndexedPod): void {
  const { metadata, spec } = pod;
  const own = { [COMPLETION_INDEX]: String(index) };
  metadata.labels = { ...metadata.labels, ...own };
  metadata.annotations = { ...metadata.annotations, ...own, ...failureCounts(job, replaces) };
  spec.hostname = `${nameOf(job)}-${index}`;
  const end = `-${index}-`;
  metadata.generateName = `${nameOf(job).slice(0, MAX_PREFIX - end.length)}${end}`;
}

function failureCounts(job: Job, replaced: Pod | undefined): Record<string, string> {
  if (job.spec.backoffLimitPerIndex === undefined) return {};
  if (!replaced) return { [INDEX_FAILURES]: '0' };
  const { isCounted } = judgeFailure(job, replaced);
  const ignored = ignoredFailuresOfIndex(replaced) + (isCounted ? 0 : 1);
  return {
    [INDEX_FAILURES]: String(failuresOfIndex(replaced) + (isCounted ? 1 : 0)),
    ...(ignored > 0 ? { [INDEX_IGNORED_FAILURES]: String(ignored) } : {}),
  };
}
