/**
 * Which pods a Job is to make and to remove now. Pure.
 *
 * Never more than `parallelism` are active, and never more than there are completions left. Removing goes before
 * making. Pods that are removed because there are too many, or because the Job is suspended or has succeeded, count
 * neither as succeeded nor as failed.
 */
import type { Job } from '#kube/kinds/batch/job.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { isBeingDeleted, type Stored } from '#kube/object.ts';
import { type FailuresInRow, remainingBackoffMs, remainingIndexBackoffMs } from '#workloads/job/backoff.ts';
import type { Census } from '#workloads/job/census.ts';
import type { Ending } from '#workloads/job/decide.ts';
import { freeIndexes, indexesOf, union } from '#workloads/job/indexes.ts';
import { indexOf, isIndexed, isSuspended, replacesFailedOnly, validIndexOf } from '#workloads/job/names.ts';
import { podFor } from '#workloads/job/template.ts';
import { byRemovalOrder } from '#workloads/replica-set/plan.ts';

/** Most pods that are made or removed at once. */
const MAX_AT_ONCE = 500;

export interface PodPlan {
  readonly create: readonly Pod[];
  readonly remove: readonly Stored<Pod>[];
  /** Whether those that are removed count as failed. */
  readonly removedCount: boolean;
  /** When more pods may be made, if only time keeps them from it. */
  readonly waitMs: number | undefined;
}

const NOTHING: PodPlan = { create: [], remove: [], removedCount: false, waitMs: undefined };

export interface PodInput {
  readonly census: Census;
  readonly ending: Ending | undefined;
  readonly failures: FailuresInRow;
  readonly nowMs: number;
}

export function planPods(job: Job, input: PodInput): PodPlan {
  const { census, ending } = input;
  if (ending) return { ...NOTHING, remove: census.active, removedCount: !ending.isSuccess };
  if (isBeingDeleted(job)) return NOTHING;
  if (isSuspended(job)) return { ...NOTHING, remove: census.active.slice(0, MAX_AT_ONCE) };
  const wanted = wantedActive(job, census);
  const remove = excess(job, census.active, wanted);
  if (remove.length > 0) return { ...NOTHING, remove: remove.slice(0, MAX_AT_ONCE) };
  return planCreations(job, wanted, input);
}

function wantedActive({ spec }: Job, { active, succeeded }: Census): number {
  const { parallelism = 1, completions } = spec;
  // A work queue that has seen a success lets the others finish, and starts none.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

/** Pods with no index, or with that of another, and as many more as there are too many. */
function excess(job: Job, active: readonly Stored<Pod>[], wanted: number): Stored<Pod>[] {
  const candidates = active.toSorted(byRemovalOrder);
  const misfits = isIndexed(job) ? new Set(misfitsOf(job, candidates)) : new Set();
  const count = Math.max(active.length - wanted, misfits.size);
  return candidates.toSorted((left, right) => Number(misfits.has(right)) - Number(misfits.has(left))).slice(0, count);
}

/** Of several pods with one index the last in the order of removal stays. */
function misfitsOf(job: Job, candidates: readonly Stored<Pod>[]): Stored<Pod>[] {
  const last = new Map(candidates.map((pod) => [validIndexOf(pod, job), pod]));
  return candidates.filter((pod) => {
    const index = validIndexOf(pod, job);
    return index === undefined || last.get(index) !== pod;
  });
}

function planCreations(job: Job, wanted: number, { census, failures, nowMs }: PodInput): PodPlan {
  const ending = replacesFailedOnly(job) ? census.terminating.length : 0;
  const count = Math.min(wanted - ending - census.active.length, MAX_AT_ONCE);
  if (count <= 0) return NOTHING;
  const waitMs = census.failedIndexes ? 0 : remainingBackoffMs(failures, nowMs);
  if (waitMs > 0) return { ...NOTHING, waitMs };
  if (!isIndexed(job)) return { ...NOTHING, create: Array.from({ length: count }, () => podFor(job)) };
  return planIndexes(job, pendingIndexes(job, census, count), { census, nowMs });
}

function pendingIndexes(job: Job, census: Census, count: number): number[] {
  const of = (pods: readonly Pod[]) => indexesOf(pods.flatMap((pod) => indexOf(pod) ?? []));
  const taken = union(
    census.succeededIndexes,
    census.failedIndexes ?? [],
    of(census.active),
    replacesFailedOnly(job) ? of(census.terminating) : [],
  );
  return freeIndexes(taken, { count, completions: job.spec.completions ?? 0 });
}

function planIndexes(
  job: Job,
  indexes: readonly number[],
  { census, nowMs }: { census: Census; nowMs: number },
): PodPlan {
  const waits = new Map(
    indexes.map((index) => [index, remainingIndexBackoffMs(census.lastFailures.get(index), nowMs)]),
  );
  const waiting = [...waits.values()].filter((waitMs) => waitMs > 0);
  const ready = indexes.filter((index) => waits.get(index) === 0);
  return {
    ...NOTHING,
    create: ready.map((index) => podFor(job, { index, replaces: census.lastFailures.get(index) })),
    waitMs: waiting.length > 0 ? Math.min(...waiting) : undefined,
  };
}
