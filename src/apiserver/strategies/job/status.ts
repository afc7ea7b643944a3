/**
 * Checks of a Job's status. They are there for Jobs that others manage: what clients rely on holds for those as well.
 * Most look only at what a write changes, so that what was wrong before holds nobody up.
 */
import { deepEqual } from '#base/json.ts';
import { child, duplicateField, type FieldError, index, invalidField, requiredField } from '#kube/field-error.ts';
import type { Job } from '#kube/kinds/batch/job.ts';
import type { JobStatus } from '#kube/kinds/batch/job-spec.ts';
import { ParseError } from '#kube/parse-error.ts';
import { notNegative } from '#apiserver/pod-spec/checks.ts';
import { readIndexes } from '#apiserver/strategies/job/indexes.ts';
import { invalidWithoutValue } from '#apiserver/strategies/literals.ts';

const COUNTS = ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const;
const TERMINAL = ['Failed', 'Complete', 'FailureTarget'] as const;

interface Change {
  readonly job: Job;
  readonly now: JobStatus;
  readonly old: JobStatus;
  readonly changed: (...names: (keyof JobStatus)[]) => boolean;
  /** Whether a condition is True now; and whether that is new, or over. */
  readonly is: (type: string) => boolean;
  readonly turned: (...types: string[]) => boolean;
}

type Check = (change: Change) => FieldError[];

export function jobStatusErrors(job: Job, before: Job): FieldError[] {
  const { status: now = {} } = job;
  const { status: old = {} } = before;
  const change: Change = {
    job,
    now,
    old,
    changed: (...names) => names.some((name) => !deepEqual(now[name], old[name])),
    is: (type) => isTrue(now, type),
    turned: (...types) => types.some((type) => isTrue(now, type) !== isTrue(old, type)),
  };
  return CHECKS.flatMap((check) => check(change));
}

function isTrue({ conditions }: JobStatus, type: string): boolean {
  return (conditions ?? []).some((one) => one.type === type && one.status === 'True');
}

function isFinished({ is }: Change): boolean {
  return is('Complete') || is('Failed');
}

const at = (name: string) => child('status', name);
const contradiction = (detail: string): FieldError[] => [invalidWithoutValue(at('conditions'), detail)];

const counts: Check = ({ now }) => COUNTS.flatMap((name) => notNegative(at(name), now[name]));

const uncounted: Check = ({ now }) => {
  const seen = new Set<string>();
  return (['succeeded', 'failed'] as const).flatMap((list) =>
    (now.uncountedTerminatedPods?.[list] ?? []).flatMap((uid, position) => {
      const path = index(at(`uncountedTerminatedPods.${list}`), position);
      if (uid === '') return [invalidField(path, uid, 'must not be empty')];
      if (seen.has(uid)) return [duplicateField(path, uid)];
      seen.add(uid);
      return [];
    }),
  );
};

const exclusion: Check = ({ is, turned }) => [
  ...(turned('Complete', 'Failed') && is('Complete') && is('Failed')
    ? contradiction('cannot set Complete=True and Failed=true conditions')
    : []),
  ...(turned('Complete', 'FailureTarget') && is('Complete') && is('FailureTarget')
    ? contradiction('cannot set Complete=True and FailureTarget=true conditions')
    : []),
];

const completionTime: Check = ({ now, is, turned, changed }) => {
  const path = at('completionTime');
  const errors: FieldError[] = [];
  const { completionTime: end, startTime: start } = now;
  if (turned('Complete') || changed('completionTime')) {
    if (end !== undefined && !is('Complete')) {
      const detail = 'cannot set completionTime when there is no Complete=True condition';
      errors.push(invalidField(path, end, detail));
    }
    if (end === undefined && is('Complete')) {
      errors.push(requiredField(path, 'completionTime is required for Complete jobs'));
    }
  }
  const isBefore = start !== undefined && end !== undefined && Date.parse(end) < Date.parse(start);
  if (isBefore && changed('startTime', 'completionTime')) {
    errors.push(invalidField(path, end, 'completionTime cannot be set before startTime'));
  }
  return errors;
};

const preparation: Check = ({ is, turned, changed }) => [
  ...((turned('Failed') || changed('failedIndexes')) && is('Failed') && !is('FailureTarget')
    ? contradiction('cannot set Failed=True condition without the FailureTarget=true condition')
    : []),
  ...(turned('Complete', 'SuccessCriteriaMet') && is('Complete') && !is('SuccessCriteriaMet')
    ? contradiction('cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
    : []),
];

const finished: Check = (change) => {
  const { job, now, turned, changed } = change;
  if (!isFinished(change)) return [];
  const isNew = turned('Complete') !== turned('Failed');
  const errors: FieldError[] = [];
  if ((isNew || changed('active')) && (now.active ?? 0) > 0) {
    errors.push(invalidField(at('active'), now.active, 'active>0 is invalid for finished job'));
  }
  const neverStarts = job.spec.suspend === true && job.spec.completions === 0;
  if ((isNew || changed('startTime')) && now.startTime === undefined && !neverStarts) {
    errors.push(requiredField(at('startTime'), 'startTime is required for finished job'));
  }
  const { succeeded = [], failed = [] } = now.uncountedTerminatedPods ?? {};
  if ((isNew || changed('uncountedTerminatedPods')) && succeeded.length + failed.length > 0) {
    const detail = 'uncountedTerminatedPods needs to be empty for finished job';
    errors.push(invalidField(at('uncountedTerminatedPods'), now.uncountedTerminatedPods, detail));
  }
  return errors;
};

const indexes: Check = ({ job, now, changed }) => {
  const { completions, backoffLimitPerIndex, completionMode } = job.spec;
  const { completedIndexes = '', failedIndexes } = now;
  const errors: FieldError[] = [];
  const read = (name: 'completedIndexes' | 'failedIndexes', text: string) => {
    const intervals = completions === undefined ? [] : readIndexes(text, completions);
    if (!(intervals instanceof ParseError) || !changed(name)) return;
    errors.push(invalidField(at(name), text, `error parsing ${name}: ${intervals.message}`));
  };
  read('completedIndexes', completedIndexes);
  if (backoffLimitPerIndex !== undefined && failedIndexes !== undefined) read('failedIndexes', failedIndexes);
  if (changed('completedIndexes') && completedIndexes !== '' && completionMode !== 'Indexed') {
    const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode';
    errors.push(invalidField(at('completedIndexes'), completedIndexes, detail));
  }
  if (changed('failedIndexes') && failedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
    errors.push(invalidField(at('failedIndexes'), failedIndexes, detail));
  }
  return errors;
};

const overlap: Check = ({ job, now, changed }) => {
  const { completedIndexes = '', failedIndexes = '' } = now;
  const { completions } = job.spec;
  if (completions === undefined || !changed('failedIndexes', 'completedIndexes')) return [];
  const completed = readIndexes(completedIndexes, completions);
  const failed = readIndexes(failedIndexes, completions);
  if (completed instanceof ParseError || failed instanceof ParseError) return [];
  for (const one of completed) {
    const other = failed.find(({ first, last }) => one.first <= last && first <= one.last);
    if (!other) continue;
    const detail = `failedIndexes and completedIndexes overlap at index: ${Math.max(one.first, other.first)}`;
    return [invalidField(at('failedIndexes'), failedIndexes, detail)];
  }
  return [];
};

const pods: Check = (change) => {
  const { now, turned, changed } = change;
  const isNew = turned('Complete') !== turned('Failed');
  const { terminating = 0, ready = 0, active = 0 } = now;
  return [
    ...((isNew || changed('terminating')) && terminating > 0 && isFinished(change)
      ? [invalidField(at('terminating'), terminating, 'terminating>0 is invalid for finished job')]
      : []),
    ...(changed('ready', 'active') && ready > active
      ? [invalidField(at('ready'), ready, 'cannot set more ready pods than active')]
      : []),
  ];
};

const success: Check = ({ job, is }) => {
  if (!is('SuccessCriteriaMet')) {
    const detail = 'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True';
    return job.spec.successPolicy && is('Complete') ? contradiction(detail) : [];
  }
  return ['Failed', 'FailureTarget']
    .filter((type) => is(type))
    .flatMap((type) => contradiction(`cannot set SuccessCriteriaMet=True and ${type}=true conditions`));
};

const backwards: Check = ({ job, now, old }) => {
  const errors = TERMINAL.filter((type) => isTrue(old, type) && !isTrue(now, type)).flatMap((type) =>
    contradiction(`cannot disable the terminal ${type}=True condition`),
  );
  const { completionMode, completions, parallelism } = job.spec;
  const fewer = (name: 'failed' | 'succeeded') =>
    (now[name] ?? 0) < (old[name] ?? 0)
      ? [invalidField(at(name), now[name] ?? 0, `cannot decrease the ${name} counter`)]
      : [];
  const mayShrink = completionMode === 'Indexed' && completions === parallelism;
  return [...errors, ...fewer('failed'), ...(mayShrink ? [] : fewer('succeeded'))];
};

const times: Check = ({ job, now, old, changed }) => {
  const errors: FieldError[] = [];
  if (now.completionTime !== undefined && old.completionTime !== undefined && changed('completionTime')) {
    errors.push(invalidField(at('completionTime'), now.completionTime, 'completionTime cannot be mutated'));
  }
  const isResuming =
    isTrue(old, 'Suspended') &&
    (now.conditions ?? []).some(({ type, status }) => type === 'Suspended' && status === 'False');
  if (old.startTime !== undefined && changed('startTime') && job.spec.suspend !== true && !isResuming) {
    errors.push(requiredField(at('startTime'), 'startTime cannot be removed for unsuspended job'));
  }
  return errors;
};

const successBackwards: Check = ({ now, old }) => {
  const [is, was] = [isTrue(now, 'SuccessCriteriaMet'), isTrue(old, 'SuccessCriteriaMet')];
  if (was && !is) return contradiction('cannot disable the SuccessCriteriaMet=True condition');
  if (!isTrue(old, 'Complete') || was || !is) return [];
  return contradiction('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions');
};

const CHECKS: readonly Check[] = [
  counts,
  uncounted,
  exclusion,
  completionTime,
  preparation,
  finished,
  indexes,
  overlap,
  pods,
  success,
  backwards,
  times,
  successBackwards,
];
