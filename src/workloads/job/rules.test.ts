/** The pure rules of Jobs, one row each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job } from '#kube/kinds/batch/job.ts';
import type { JobSpec } from '#kube/kinds/batch/job-spec.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { Stored } from '#kube/object.ts';
import { formatTime } from '#kube/time.ts';
import { pod as podOf, type PodShape } from '#testing/objects.ts';
import {
  type FailuresInRow,
  finishTimeOf,
  NO_FAILURES,
  observeOutcomes,
  remainingBackoffMs,
  remainingIndexBackoffMs,
} from '#workloads/job/backoff.ts';
import { takeCensus } from '#workloads/job/census.ts';
import { decideEnding } from '#workloads/job/decide.ts';
import { judgeFailure } from '#workloads/job/failure-policy.ts';
import { jobOf } from '#workloads/job/fixtures/world.ts';
import { COMPLETION_INDEX, INDEX_FAILURES, INDEX_IGNORED_FAILURES, TRACKING_FINALIZER } from '#workloads/job/names.ts';
import { planPods } from '#workloads/job/pods.ts';
import { podFor } from '#workloads/job/template.ts';

const T = Date.UTC(2026, 0, 1);

interface Shape extends Omit<PodShape, 'name'> {
  readonly index?: number;
  readonly failures?: number;
  readonly ignored?: number;
  readonly exitCode?: number;
  readonly finishedAt?: number;
  readonly condition?: string;
}

let made = 0;

function pod({ index, failures, ignored, exitCode, finishedAt, condition, ...shape }: Shape = {}): Stored<Pod> {
  const annotations = {
    ...(index === undefined ? {} : { [COMPLETION_INDEX]: String(index) }),
    ...(failures === undefined ? {} : { [INDEX_FAILURES]: String(failures) }),
    ...(ignored === undefined ? {} : { [INDEX_IGNORED_FAILURES]: String(ignored) }),
  };
  made += 1;
  const result = podOf({ name: `p${made}`, node: 'n', annotations, ...shape }) as Stored<Pod>;
  result.metadata.finalizers = [TRACKING_FINALIZER];
  const [container] = result.status?.containerStatuses ?? [];
  if (container && exitCode !== undefined) {
    const terminated = { exitCode, ...(finishedAt === undefined ? {} : { finishedAt: formatTime(finishedAt) }) };
    container.state = { terminated };
  }
  if (condition) result.status?.conditions?.push({ type: condition, status: 'True' });
  return result;
}

function job(spec: Partial<JobSpec>, status: Job['status'] = {}): Job {
  const defaults = { parallelism: 1, completions: 1, backoffLimit: 6, completionMode: 'NonIndexed' as const };
  const { template } = jobOf({}).spec;
  return { ...jobOf({}), spec: { ...defaults, template, ...spec }, status };
}

const failed = (more: Shape = {}) => pod({ phase: 'Failed', exitCode: 1, ...more });
const succeeded = (more: Shape = {}) => pod({ phase: 'Succeeded', exitCode: 0, ...more });
const indexed = { completionMode: 'Indexed' as const, completions: 4, parallelism: 4 };

const waits: [name: string, failures: number, sinceMs: number, waitMs: number][] = [
  ['none', 0, 0, 0],
  ['the first failure', 1, 0, 10_000],
  ['the second', 2, 0, 20_000],
  ['some of the time is over', 2, 15_000, 5_000],
  ['all of it is', 2, 20_000, 0],
  ['the sixth', 6, 0, 320_000],
  ['at most ten minutes', 7, 0, 600_000],
  ['no more than that', 30, 0, 600_000],
];
for (const [name, failures, sinceMs, waitMs] of waits) {
  test(`back-off: ${name}`, () => {
    const pods = Array.from({ length: failures }, () => failed({ finishedAt: T }));
    const row = observeOutcomes(NO_FAILURES, { succeeded: [], failed: pods });
    assert.equal(remainingBackoffMs(row, T + sinceMs), waitMs);
  });
}

test('failures before the last success are forgotten, those of pods that are gone are not', () => {
  const first = failed({ finishedAt: T });
  const seen = observeOutcomes(NO_FAILURES, { succeeded: [], failed: [first] });
  const again = observeOutcomes(seen, { succeeded: [], failed: [first] });
  assert.deepEqual(again, seen);
  const gone: FailuresInRow = observeOutcomes(seen, { succeeded: [], failed: [] });
  assert.equal(gone.size, 1);
  const after = { succeeded: [succeeded({ finishedAt: T + 1_000 })], failed: [failed({ finishedAt: T + 2_000 })] };
  assert.deepEqual([...observeOutcomes(gone, after).values()], [T + 2_000]);
});

test('an index waits for its own failures, also for those that were ignored', () => {
  assert.equal(remainingIndexBackoffMs(undefined, T), 0);
  assert.equal(remainingIndexBackoffMs(failed({ index: 0, failures: 1, ignored: 1, finishedAt: T }), T), 40_000);
});

test('a pod ended when its containers did, else when it stopped being ready, else when it was to go', () => {
  assert.equal(finishTimeOf(failed({ finishedAt: T })), T);
  const silent = pod({ createdAt: T });
  assert.equal(finishTimeOf(silent), 0, 'the condition Ready=False is of that time');
  delete silent.status;
  assert.equal(finishTimeOf(silent), T);
  silent.metadata.deletionTimestamp = formatTime(T + 40_000);
  silent.metadata.deletionGracePeriodSeconds = 30;
  assert.equal(finishTimeOf(silent), T + 10_000);
});

type Rules = NonNullable<JobSpec['podFailurePolicy']>['rules'];
const policies: [name: string, rules: Rules, failure: Pod, action: string, isCounted: boolean][] = [
  ['no rule fits', [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [2] } }], failed(), 'None', true],
  ['In', [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [1] } }], failed(), 'Ignore', false],
  ['NotIn', [{ action: 'Count', onExitCodes: { operator: 'NotIn', values: [2] } }], failed(), 'Count', true],
  [
    'another container',
    [{ action: 'Ignore', onExitCodes: { containerName: 'x', operator: 'In', values: [1] } }],
    failed(),
    'None',
    true,
  ],
  [
    'a condition',
    [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
    failed({ condition: 'DisruptionTarget' }),
    'Ignore',
    false,
  ],
  [
    'the first rule that fits',
    [
      { action: 'FailIndex', onExitCodes: { operator: 'In', values: [1] } },
      { action: 'Ignore', onExitCodes: { operator: 'In', values: [1] } },
    ],
    failed(),
    'FailIndex',
    true,
  ],
  [
    'a success is no failure',
    [{ action: 'Ignore', onExitCodes: { operator: 'NotIn', values: [2] } }],
    succeeded(),
    'None',
    true,
  ],
];
for (const [name, rules, failure, action, isCounted] of policies) {
  test(`podFailurePolicy: ${name}`, () => {
    const verdict = judgeFailure(job({ podFailurePolicy: { rules } }), failure);
    assert.deepEqual({ action: verdict.action, isCounted: verdict.isCounted }, { action, isCounted });
  });
}

test('podFailurePolicy says which condition failed the Job', () => {
  const rules: Rules = [{ action: 'FailJob', onPodConditions: [{ type: 'Broken', status: 'True' }] }];
  const failure = failed({ condition: 'Broken', namespace: 'a' });
  assert.equal(
    judgeFailure(job({ podFailurePolicy: { rules } }), failure).message,
    `Pod a/${failure.metadata.name} has condition Broken matching FailJob rule at index 0`,
  );
});

const endings: [name: string, job: Job, pods: Stored<Pod>[], reason: string | undefined][] = [
  ['nothing has happened', job({}), [pod()], undefined],
  ['enough have succeeded', job({}), [succeeded()], 'CompletionsReached'],
  ['enough have, but one is active', job({}), [succeeded(), pod()], undefined],
  ['no completions are wanted', job({ completions: 0 }), [], 'CompletionsReached'],
  ['a work queue without a success', job({ completions: undefined }), [], undefined],
  ['what was counted before counts', job({ backoffLimit: 1 }, { failed: 1 }), [failed()], 'BackoffLimitExceeded'],
  ['as many failures as are allowed', job({ backoffLimit: 1 }), [failed()], undefined],
  [
    'failure goes before success',
    job({ backoffLimit: 0, completions: 1 }),
    [failed(), succeeded()],
    'BackoffLimitExceeded',
  ],
  [
    'the deadline',
    job({ activeDeadlineSeconds: 10 }, { startTime: formatTime(T - 10_000) }),
    [pod()],
    'DeadlineExceeded',
  ],
  [
    'the deadline of a suspended Job',
    job({ activeDeadlineSeconds: 10, suspend: true }, { startTime: formatTime(T - 10_000) }),
    [pod()],
    undefined,
  ],
  [
    'all indexes are done and one has failed',
    job({ ...indexed, backoffLimitPerIndex: 0 }, { completedIndexes: '0-2' }),
    [failed({ index: 3 })],
    'FailedIndexes',
  ],
  [
    'too many indexes have failed',
    job({ ...indexed, backoffLimitPerIndex: 0, maxFailedIndexes: 0 }),
    [failed({ index: 3 })],
    'MaxFailedIndexesExceeded',
  ],
  [
    'an index may fail once more',
    job({ ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 0 }),
    [failed({ index: 3, failures: 0 })],
    undefined,
  ],
  [
    'successPolicy: so many',
    job({ ...indexed, successPolicy: { rules: [{ succeededCount: 2 }] } }),
    [succeeded({ index: 1 }), succeeded({ index: 3 }), pod({ index: 0 })],
    'SuccessPolicy',
  ],
  [
    'successPolicy: one of these',
    job({ ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] } }),
    [succeeded({ index: 1 })],
    'SuccessPolicy',
  ],
  [
    'successPolicy: all of these',
    job({ ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-1' }] } }),
    [succeeded({ index: 1 })],
    undefined,
  ],
];
for (const [name, subject, pods, reason] of endings) {
  test(`end: ${name}`, () => {
    const census = takeCensus(subject, pods);
    assert.equal(decideEnding(subject, { pods, census, nowMs: T })?.reason, reason);
  });
}

const plans: [name: string, job: Job, pods: Stored<Pod>[], create: number, remove: number][] = [
  ['as many as may run at once', job({ completions: 5, parallelism: 3 }), [], 3, 0],
  ['no more than are left', job({ completions: 5, parallelism: 3 }, { succeeded: 4 }), [], 1, 0],
  ['too many', job({ completions: 5, parallelism: 1 }), [pod(), pod(), pod()], 0, 2],
  ['suspended', job({ suspend: true }), [pod()], 0, 1],
  ['two with one index', job(indexed), [pod({ index: 0 }), pod({ index: 0 }), pod({ index: 1 })], 0, 1],
  ['an index beyond the last, and none', job(indexed), [pod({ index: 9 }), pod()], 0, 2],
  ['an ending pod is replaced', job({}), [pod({ isEnding: true })], 1, 0],
  ['an ending pod is waited for', job({ podReplacementPolicy: 'Failed' }), [pod({ isEnding: true })], 0, 0],
];
for (const [name, subject, pods, create, remove] of plans) {
  test(`pods: ${name}`, () => {
    const census = takeCensus(subject, pods);
    const plan = planPods(subject, { census, ending: undefined, failures: NO_FAILURES, nowMs: T });
    assert.deepEqual([plan.create.length, plan.remove.length], [create, remove]);
  });
}

test('the indexes that are free are taken in order, and those that wait are left out', () => {
  const subject = job({ ...indexed, backoffLimitPerIndex: 3 }, { completedIndexes: '1' });
  const pods = [pod({ index: 0 }), failed({ index: 2, failures: 0, finishedAt: T })];
  const census = takeCensus(subject, pods);
  const plan = planPods(subject, { census, ending: undefined, failures: NO_FAILURES, nowMs: T + 4_000 });
  assert.deepEqual(
    plan.create.map(({ metadata }) => metadata.annotations?.[COMPLETION_INDEX]),
    ['3'],
  );
  assert.equal(plan.waitMs, 6_000);
});

test('a long name makes room for the index, and the replacement carries the failures on', () => {
  const subject = job({ ...indexed, backoffLimitPerIndex: 3 });
  subject.metadata.name = 'n'.repeat(60);
  const { metadata } = podFor(subject, { index: 12, replaces: failed({ index: 12, failures: 1 }) });
  assert.equal(metadata.generateName, `${'n'.repeat(54)}-12-`);
  assert.equal(metadata.annotations?.[INDEX_FAILURES], '2');
});
