/** Conditions of a Job. Times are whole seconds; a condition that says the same keeps its times. */
import type { Job } from '#kube/kinds/batch/job.ts';
import type { JobStatus } from '#kube/kinds/batch/job-spec.ts';
import { formatTime, parseTime } from '#kube/time.ts';

export type JobCondition = NonNullable<JobStatus['conditions']>[number];

export interface ConditionText {
  readonly type: 'Suspended' | 'SuccessCriteriaMet' | 'FailureTarget' | 'Complete' | 'Failed';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export function trueCondition(job: Job, type: ConditionText['type']): JobCondition | undefined {
  return job.status?.conditions?.find((one) => one.type === type && one.status === 'True');
}

export function isJobFinished(job: Job): boolean {
  return trueCondition(job, 'Complete') !== undefined || trueCondition(job, 'Failed') !== undefined;
}

/** When the Job finished; undefined as long as it has not. */
export function finishedAt(job: Job): number | undefined {
  const condition = trueCondition(job, 'Complete') ?? trueCondition(job, 'Failed');
  return parseTime(condition?.lastTransitionTime);
}

/** Says it in `status`; true when that changed anything. What is False is not worth a condition of its own. */
export function setCondition(status: JobStatus, text: ConditionText, nowMs: number): boolean {
  const conditions = [...(status.conditions ?? [])];
  const position = conditions.findIndex(({ type }) => type === text.type);
  const known = conditions[position];
  if (known ? saysSame(known, text) : text.status === 'False') return false;
  const now = formatTime(nowMs);
  const condition = { ...text, lastProbeTime: now, lastTransitionTime: now };
  if (known) conditions[position] = condition;
  else conditions.push(condition);
  status.conditions = conditions;
  return true;
}

function saysSame(known: JobCondition, { status, reason, message }: ConditionText): boolean {
  return known.status === status && known.reason === reason && known.message === message;
}
