/**
 * How a Job and its pods stand: what is counted already, and what the pods show beyond that. Pure.
 *
 * A pod that carries the tracking finalizer is not in the counters yet. Its UID may wait in
 * `status.uncountedTerminatedPods`: then it counts as soon as the finalizer is gone, whoever removed it.
 */
import type { Job } from '#kube/kinds/batch/job.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { isBeingDeleted, type Stored } from '#kube/object.ts';
import { finishTimeOf } from '#workloads/job/backoff.ts';
import { judgeFailure } from '#workloads/job/failure-policy.ts';
import { hasIndex, type Indexes, indexesOf, parseIndexes, totalOf, union } from '#workloads/job/indexes.ts';
import {
  failuresOfIndex,
  ignoredFailuresOfIndex,
  indexOf,
  isIndexed,
  isTracked,
  replacesFailedOnly,
  validIndexOf,
} from '#workloads/job/names.ts';
import { isPodActive, isPodFinished, isPodReady } from '#workloads/pods.ts';

export interface Census {
  /** Those that wait or run and are not to end. */
  readonly active: readonly Stored<Pod>[];
  readonly ready: number;
  /** Those that are to end and have not yet. */
  readonly terminating: readonly Stored<Pod>[];
  /** Those with the finalizer. */
  readonly tracked: readonly Stored<Pod>[];
  readonly succeeded: number;
  readonly failed: number;
  readonly succeededIndexes: Indexes;
  /** Undefined unless failures are limited per index. */
  readonly failedIndexes: Indexes | undefined;
  /** The last failed pod of each index that still wants another try: it says how often the index has failed. */
  readonly lastFailures: ReadonlyMap<number, Stored<Pod>>;
}

export function takeCensus(job: Job, pods: readonly Stored<Pod>[]): Census {
  const active = pods.filter(isPodActive);
  const tracked = pods.filter(isTracked);
  const { succeededIndexes, failedIndexes } = indexesOfJob(job, tracked);
  const done = union(succeededIndexes, failedIndexes ?? [], indexesOf(active.flatMap((pod) => indexOf(pod) ?? [])));
  return {
    active,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter((pod) => isBeingDeleted(pod) && !isPodFinished(pod)),
    tracked,
    ...totals(job, tracked, succeededIndexes),
    succeededIndexes,
    failedIndexes,
    lastFailures: failedIndexes ? lastFailuresOf(job, tracked, done) : new Map(),
  };
}

function totals(job: Job, tracked: readonly Stored<Pod>[], indexes: Indexes): Pick<Census, 'succeeded' | 'failed'> {
  const { status = {} } = job;
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const waiting = new Set([...succeeded, ...failed]);
  const news = tracked.filter((pod) => !waiting.has(pod.metadata.uid) && isCountable(pod, job));
  const newFailures = news.filter((pod) => isPodFailed(pod, job) && judgeFailure(job, pod).isCounted);
  const newSuccesses = news.filter(isSucceeded);
  return {
    succeeded: isIndexed(job) ? totalOf(indexes) : (status.succeeded ?? 0) + succeeded.length + newSuccesses.length,
    failed: (status.failed ?? 0) + failed.length + newFailures.length,
  };
}

function indexesOfJob(job: Job, tracked: readonly Pod[]): Pick<Census, 'succeededIndexes' | 'failedIndexes'> {
  const { spec, status = {} } = job;
  if (!isIndexed(job)) return { succeededIndexes: [], failedIndexes: undefined };
  const { completions = 0, backoffLimitPerIndex: limit } = spec;
  const including = (text: string | undefined, isMeant: (pod: Pod) => boolean) =>
    union(
      parseIndexes(text, completions),
      indexesOf(tracked.filter(isMeant).flatMap((pod) => validIndexOf(pod, job) ?? [])),
    );
  return {
    succeededIndexes: including(status.completedIndexes, isSucceeded),
    failedIndexes:
      limit === undefined ? undefined : including(status.failedIndexes, (pod) => failsIndex(pod, { job, limit })),
  };
}

/** Whether the index of the pod is given up. */
function failsIndex(pod: Pod, { job, limit }: { job: Job; limit: number }): boolean {
  if (!isPodFailed(pod, job)) return false;
  const { action, isCounted } = judgeFailure(job, pod);
  return action === 'FailIndex' || (isCounted && failuresOfIndex(pod) >= limit);
}

function lastFailuresOf(job: Job, tracked: readonly Stored<Pod>[], done: Indexes): Map<number, Stored<Pod>> {
  const last = new Map<number, Stored<Pod>>();
  for (const pod of tracked) {
    const index = validIndexOf(pod, job);
    if (index === undefined || hasIndex(done, index) || !isPodFailed(pod, job)) continue;
    const known = last.get(index);
    if (!known || isLater(pod, known)) last.set(index, pod);
  }
  return last;
}

function isLater(pod: Pod, known: Pod): boolean {
  const triesOf = (one: Pod) => failuresOfIndex(one) + ignoredFailuresOfIndex(one);
  return triesOf(pod) >= triesOf(known) && finishTimeOf(pod) >= finishTimeOf(known);
}

/** A pod of an indexed Job that has no index of it is let go without being counted. */
export function isCountable(pod: Pod, job: Job): boolean {
  return !isIndexed(job) || validIndexOf(pod, job) !== undefined;
}

export function isSucceeded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded';
}

/**
 * Pods that are deleted count as failed, as they may never get to say so; unless the Job waits until they have, and
 * there is a node where they may.
 */
export function isPodFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true;
  const mayStillTell = replacesFailedOnly(job) && pod.spec.nodeName !== undefined;
  return !mayStillTell && isBeingDeleted(pod) && !isSucceeded(pod);
}
