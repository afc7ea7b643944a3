/**
 * The status of a Job as it should stand, and what there is to tell of the change. Pure.
 *
 * Counting goes in three writes, so that no death in between counts a pod twice or never: the UID of a pod that has
 * ended is noted as uncounted; then its finalizer goes; then it moves from the note to the counter. Pods of an indexed
 * Job that succeeded need no note: their index in `completedIndexes` says it.
 */
import { clone, deepEqual } from '#base/json.ts';
import type { Job } from '#kube/kinds/batch/job.ts';
import type { JobStatus } from '#kube/kinds/batch/job-spec.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { isBeingDeleted, type Stored } from '#kube/object.ts';
import { formatTime } from '#kube/time.ts';
import { type Census, isCountable, isPodFailed, isSucceeded } from '#workloads/job/census.ts';
import { setCondition } from '#workloads/job/conditions.ts';
import { type Ending, endingCondition, recordedEnding } from '#workloads/job/decide.ts';
import { judgeFailure } from '#workloads/job/failure-policy.ts';
import { formatIndexes, hasIndex, parseIndexes, totalOf } from '#workloads/job/indexes.ts';
import { isIndexed, isSuspended, validIndexOf } from '#workloads/job/names.ts';

/** Most UIDs that are noted at once: they are in every copy of the status. */
const MAX_UNCOUNTED = 500;

export interface Note {
  readonly type: 'normal' | 'warning';
  readonly reason: string;
  readonly message: string;
}

export interface StatusPlan {
  readonly status: JobStatus;
  readonly notes: readonly Note[];
}

export interface StatusInput {
  readonly census: Census;
  readonly ending: Ending | undefined;
  readonly nowMs: number;
}

/** Undefined when the status stands as it should. */
export function planStatus(job: Job, input: StatusInput): StatusPlan | undefined {
  const { census, ending, nowMs } = input;
  const status: JobStatus = clone(job.status ?? {});
  const notes: Note[] = [];
  if (!isSuspended(job)) status.startTime ??= formatTime(nowMs);
  setCounters(job, status, input);
  if (ending) setCondition(status, endingCondition(ending), nowMs);
  else if (!isBeingDeleted(job)) notes.push(...tellSuspension(job, status, nowMs));
  if (isOver(job, status, census)) notes.push(...tellEnd(job, status, nowMs));
  const trimmed = withoutZeros(status);
  return deepEqual(trimmed, job.status ?? {}) ? undefined : { status: trimmed, notes };
}

function setCounters(job: Job, status: JobStatus, { census, ending }: StatusInput): void {
  const { active, ready, terminating, tracked, succeededIndexes, failedIndexes } = census;
  const held = new Set(tracked.map(({ metadata }) => metadata.uid));
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const stillHeld = (uids: readonly string[]) => uids.filter((uid) => held.has(uid));
  const noted = { succeeded: stillHeld(succeeded), failed: stillHeld(failed) };
  status.succeeded = (status.succeeded ?? 0) + succeeded.length - noted.succeeded.length;
  status.failed = (status.failed ?? 0) + failed.length - noted.failed.length;
  status.uncountedTerminatedPods = noteEnded(job, noted, { census, ending });
  if (isIndexed(job)) {
    status.completedIndexes = formatIndexes(succeededIndexes);
    status.succeeded = totalOf(succeededIndexes);
    if (failedIndexes) status.failedIndexes = formatIndexes(failedIndexes);
  }
  Object.assign(status, { active: active.length, ready, terminating: terminating.length });
}

interface Uncounted {
  readonly succeeded: string[];
  readonly failed: string[];
}

function noteEnded(job: Job, noted: Uncounted, { census, ending }: Omit<StatusInput, 'nowMs'>): Uncounted {
  const known = new Set([...noted.succeeded, ...noted.failed]);
  for (const pod of census.tracked) {
    if (noted.succeeded.length + noted.failed.length >= MAX_UNCOUNTED) break;
    const { uid } = pod.metadata;
    if (known.has(uid)) continue;
    if (isSucceeded(pod)) {
      if (!isIndexed(job)) noted.succeeded.push(uid);
    } else if (isFailureToCount(pod, { job, census, ending })) noted.failed.push(uid);
  }
  return noted;
}

interface Circumstances {
  readonly job: Job;
  readonly census: Census;
  readonly ending: Ending | undefined;
}

function isFailureToCount(pod: Stored<Pod>, circumstances: Circumstances): boolean {
  const { job } = circumstances;
  return isFailureToSettle(pod, circumstances) && isCountable(pod, job) && judgeFailure(job, pod).isCounted;
}

/**
 * A pod that has failed and is not waited for: where failures are limited per index, the last one stays until its
 * replacement has taken its count over. When the Job fails, all that is made to end has failed.
 */
function isFailureToSettle(pod: Stored<Pod>, { job, census, ending }: Circumstances): boolean {
  if (ending) return isPodFailed(pod, job) || (!ending.isSuccess && isBeingDeleted(pod));
  if (!isPodFailed(pod, job)) return false;
  const index = validIndexOf(pod, job);
  return index === undefined || census.lastFailures.get(index) !== pod;
}

/** Pods that the recorded status has taken in, or that it has nothing to say of: their finalizers may go. */
export function podsToRelease(job: Job, { census, ending }: Omit<StatusInput, 'nowMs'>): Stored<Pod>[] {
  if (isBeingDeleted(job)) return [...census.tracked];
  const { succeeded = [], failed = [] } = job.status?.uncountedTerminatedPods ?? {};
  const noted = new Set([...succeeded, ...failed]);
  const completed = parseIndexes(job.status?.completedIndexes, job.spec.completions ?? 0);
  return census.tracked.filter((pod) => {
    if (noted.has(pod.metadata.uid)) return true;
    const index = validIndexOf(pod, job);
    if (isSucceeded(pod)) return isIndexed(job) && (index === undefined || hasIndex(completed, index));
    const isUncounted = !isCountable(pod, job) || !judgeFailure(job, pod).isCounted;
    return isUncounted && isFailureToSettle(pod, { job, census, ending });
  });
}

/** A Job that is resumed starts anew: the time that it was suspended for is none of its deadline. */
function tellSuspension(job: Job, status: JobStatus, nowMs: number): Note[] {
  if (isSuspended(job)) {
    const text = { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' } as const;
    const note: Note = { type: 'normal', reason: 'Suspended', message: text.message };
    return setCondition(status, text, nowMs) ? [note] : [];
  }
  const text = { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' } as const;
  if (!setCondition(status, text, nowMs)) return [];
  status.startTime = formatTime(nowMs);
  return [{ type: 'normal', reason: 'Resumed', message: text.message }];
}

/** The end is on record, and no pod is left that could change a number. */
function isOver(job: Job, status: JobStatus, { active, terminating, tracked }: Census): boolean {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const left = active.length + terminating.length + tracked.length + succeeded.length + failed.length;
  return recordedEnding(job) !== undefined && left === 0;
}

function tellEnd(job: Job, status: JobStatus, nowMs: number): Note[] {
  const { isSuccess, reason, message } = recordedEnding(job) as Ending;
  setCondition(status, { type: isSuccess ? 'Complete' : 'Failed', status: 'True', reason, message }, nowMs);
  if (!isSuccess) return [{ type: 'warning', reason, message }];
  status.completionTime = formatTime(nowMs);
  const done: Note = { type: 'normal', reason: 'Completed', message: 'Job completed' };
  if ((status.succeeded ?? 0) <= (job.spec.completions ?? Infinity)) return [done];
  const many = 'Too many succeeded pods running after completion count reached';
  return [{ type: 'warning', reason: 'TooManySucceededPods', message: many }, done];
}

/** As the API stores it: what is zero and not told apart from nothing is left out. */
function withoutZeros(status: JobStatus): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const uncounted = { ...(succeeded.length > 0 ? { succeeded } : {}), ...(failed.length > 0 ? { failed } : {}) };
  const trimmed: JobStatus = { ...status, uncountedTerminatedPods: uncounted };
  for (const name of ['active', 'succeeded', 'failed', 'completedIndexes'] as const) {
    if (!trimmed[name]) delete trimmed[name];
  }
  return trimmed;
}
