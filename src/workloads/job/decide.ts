/**
 * Whether a Job has come to its end, and how. Pure.
 *
 * The end is written down as an interim condition (`SuccessCriteriaMet`, `FailureTarget`) before any pod is removed for
 * it, and is never decided again. It becomes `Complete` or `Failed` once all pods are gone or counted (`status.ts`).
 */
import type { Job } from '#kube/kinds/batch/job.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { isBeingDeleted } from '#kube/object.ts';
import { parseTime } from '#kube/time.ts';
import { type Census, isPodFailed } from '#workloads/job/census.ts';
import { type ConditionText, trueCondition } from '#workloads/job/conditions.ts';
import { judgeFailure } from '#workloads/job/failure-policy.ts';
import { isSuspended } from '#workloads/job/names.ts';
import { overlapOf, parseIndexes, totalOf } from '#workloads/job/indexes.ts';

export interface Ending {
  readonly isSuccess: boolean;
  readonly reason: string;
  readonly message: string;
}

/** The end that the status tells already. */
export function recordedEnding(job: Job): Ending | undefined {
  const success = trueCondition(job, 'SuccessCriteriaMet');
  const condition = success ?? trueCondition(job, 'FailureTarget');
  if (!condition) return undefined;
  const { reason = '', message = '' } = condition;
  return { isSuccess: condition === success, reason, message };
}

export function endingCondition({ isSuccess, reason, message }: Ending): ConditionText {
  return { type: isSuccess ? 'SuccessCriteriaMet' : 'FailureTarget', status: 'True', reason, message };
}

export function decideEnding(
  job: Job,
  { pods, census, nowMs }: { pods: readonly Pod[]; census: Census; nowMs: number },
): Ending | undefined {
  if (isBeingDeleted(job)) return undefined;
  return (
    failureByPolicy(job, pods) ??
    failureByLimits(job, { pods, census, nowMs }) ??
    failureByIndexes(job, census) ??
    successByPolicy(job, census) ??
    successByCompletions(job, census)
  );
}

function failure(reason: string, message: string): Ending {
  return { isSuccess: false, reason, message };
}

function failureByPolicy(job: Job, pods: readonly Pod[]): Ending | undefined {
  if (!job.spec.podFailurePolicy) return undefined;
  for (const pod of pods) {
    const message = isPodFailed(pod, job) ? judgeFailure(job, pod).message : undefined;
    if (message !== undefined) return failure('PodFailurePolicy', message);
  }
  return undefined;
}

function failureByLimits(
  job: Job,
  { pods, census, nowMs }: { pods: readonly Pod[]; census: Census; nowMs: number },
): Ending | undefined {
  const { backoffLimit = Infinity } = job.spec;
  if (census.failed > backoffLimit || hasTooManyRestarts(job, pods)) {
    return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  if (remainingDeadlineMs(job, nowMs) > 0) return undefined;
  return failure('DeadlineExceeded', 'Job was active longer than specified deadline');
}

/** Where containers are started again in their pods, that is what the limit counts. */
function hasTooManyRestarts({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec.restartPolicy !== 'OnFailure') return false;
  const alive = pods.filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending');
  const restarts = alive
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  return restarts > 0 && restarts >= (spec.backoffLimit ?? Infinity);
}

/**
 * Milliseconds until `activeDeadlineSeconds` is over; Infinity where it does not run. After a suspension it runs from
 * the time that the status is about to say.
 */
export function remainingDeadlineMs(job: Job, nowMs: number): number {
  const { activeDeadlineSeconds: seconds } = job.spec;
  const start = parseTime(job.status?.startTime);
  const isHalted = isSuspended(job) || trueCondition(job, 'Suspended') !== undefined;
  if (seconds === undefined || start === undefined || isHalted) return Infinity;
  return start + seconds * 1_000 - nowMs;
}

function failureByIndexes({ spec }: Job, { succeededIndexes, failedIndexes }: Census): Ending | undefined {
  const failed = totalOf(failedIndexes ?? []);
  if (failed === 0) return undefined;
  if (failed > (spec.maxFailedIndexes ?? Infinity)) {
    const message = 'Job has exceeded the specified maximal number of failed indexes';
    return failure('MaxFailedIndexesExceeded', message);
  }
  const isOver = failed + totalOf(succeededIndexes) >= (spec.completions ?? 0);
  return isOver ? failure('FailedIndexes', 'Job has failed indexes') : undefined;
}

function successByPolicy({ spec }: Job, { succeededIndexes }: Census): Ending | undefined {
  if (succeededIndexes.length === 0) return undefined;
  for (const [position, rule] of (spec.successPolicy?.rules ?? []).entries()) {
    const count = rule.succeededCount ?? Infinity;
    const wanted = parseIndexes(rule.succeededIndexes, spec.completions ?? 0);
    const isMet =
      rule.succeededIndexes === undefined
        ? totalOf(succeededIndexes) >= count
        : wanted.length > 0 && overlapOf(succeededIndexes, wanted) >= Math.min(count, totalOf(wanted));
    if (isMet) return { isSuccess: true, reason: 'SuccessPolicy', message: `Matched rules at index ${position}` };
  }
  return undefined;
}

/** A work queue, which is without completions, is done when one pod has succeeded and none is left. */
function successByCompletions({ spec }: Job, { active, succeeded }: Census): Ending | undefined {
  if (active.length > 0 || succeeded < (spec.completions ?? 1)) return undefined;
  return { isSuccess: true, reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
}
