import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { planPod, podOutcome, restartBackoff } from '#runtime/pod/plan.ts';
import { type ContainerState, type Life, newPodState, type PodState } from '#runtime/pod/state.ts';
import { podStatus, qosClass } from '#runtime/pod/status.ts';
import { pod } from '#testing/objects.ts';

const T = Date.UTC(2026, 0, 1);
const SANDBOX = { netns: '/n', address: '10.0.0.2' };

const running = (more: object = {}): Life => ({
  type: 'running',
  id: 'i',
  pid: 1,
  startTicks: 1,
  startedAt: T,
  isStarted: true,
  isReady: true,
  ...more,
});
const ended = (exitCode: number): Life => ({
  type: 'terminated',
  id: 'i',
  exitCode,
  reason: exitCode ? 'Error' : 'Completed',
  startedAt: T,
  finishedAt: T,
});

function state(
  spec: Partial<Pod['spec']>,
  lives: Record<string, Life | Partial<ContainerState>>,
  more: Partial<PodState> = {},
): PodState {
  const p = pod({ name: 'p' });
  const fresh = newPodState({ ...p, spec: { ...p.spec, ...spec } }, T);
  const containers = Object.fromEntries(
    Object.entries(fresh.containers).map(([name, known]) => {
      const given = lives[name] ?? {};
      return [name, { ...known, ...('type' in given ? { life: given } : given) }];
    }),
  );
  return { ...fresh, containers, sandbox: SANDBOX, ...more };
}

const two = {
  containers: [
    { name: 'a', image: 'x' },
    { name: 'b', image: 'x' },
  ],
};
const withInit = {
  initContainers: [
    { name: 'i', image: 'x' },
    { name: 'j', image: 'x' },
  ],
  containers: [{ name: 'a', image: 'x' }],
};
const steps = (s: PodState, { isEnding = false, now = T } = {}) =>
  planPod({ state: s, isEnding, now }).map((step) => {
    if (step.type === 'start') return `start ${step.container.name}`;
    return step.type === 'stop' ? `stop ${step.container}` : step.type;
  });

const rows: [name: string, actual: () => string[], expected: string[]][] = [
  ['no sandbox yet', () => steps({ ...state(two, {}), sandbox: undefined }), ['make-sandbox']],
  ['all containers start side by side', () => steps(state(two, {})), ['start a', 'start b']],
  ['running ones are left alone', () => steps(state(two, { a: running() })), ['start b']],
  ['the first init container alone', () => steps(state(withInit, {})), ['start i']],
  ['a running init container holds the rest up', () => steps(state(withInit, { i: running() })), []],
  ['the next init container', () => steps(state(withInit, { i: ended(0) })), ['start j']],
  ['a failed init container again', () => steps(state(withInit, { i: ended(1) })), ['start i']],
  ['init done', () => steps(state(withInit, { i: ended(0), j: ended(0) })), ['start a']],
  ['restart always, also after success', () => steps(state(two, { a: ended(0), b: running() })), ['start a']],
  [
    'restart on failure only',
    () => steps(state({ ...two, restartPolicy: 'OnFailure' }, { a: ended(0), b: ended(1) })),
    ['start b'],
  ],
  ['restart never', () => steps(state({ ...two, restartPolicy: 'Never' }, { a: ended(1), b: running() })), []],
  ['back-off', () => steps(state(two, { a: { life: ended(1), notBefore: T + 5 }, b: running() })), ['wait']],
  [
    'back-off over',
    () => steps(state(two, { a: { life: ended(1), notBefore: T + 5 }, b: running() }), { now: T + 5 }),
    ['start a'],
  ],
  [
    'a deadline is waited for',
    () => steps(state({ ...two, activeDeadlineSeconds: 5 }, { a: running(), b: running() }), { now: T + 4_999 }),
    ['wait'],
  ],
  [
    'a deadline is over',
    () => steps(state({ ...two, activeDeadlineSeconds: 5 }, { a: running() }), { now: T + 5_000 }),
    ['expire'],
  ],
  [
    'after it, what runs is stopped and nothing is started again',
    () => steps(state({ ...two, activeDeadlineSeconds: 5 }, { a: running(), b: ended(1) }, { expiredSince: T })),
    ['stop a'],
  ],
  ['ending: stop what runs', () => steps(state(two, { a: running(), b: ended(1) }), { isEnding: true }), ['stop a']],
  [
    'ending: then the sandbox',
    () => steps(state(two, { a: ended(0), b: ended(1) }), { isEnding: true }),
    ['remove-sandbox'],
  ],
  ['ending: then let go', () => steps({ ...state(two, {}), sandbox: undefined }, { isEnding: true }), ['release']],
  [
    'finished: the sandbox goes, the object stays',
    () => steps(state({ ...two, restartPolicy: 'Never' }, { a: ended(0), b: ended(0) })),
    ['remove-sandbox'],
  ],
];
for (const [name, actual, expected] of rows) test(`plan: ${name}`, () => assert.deepEqual(actual(), expected));

const outcomes: [string, Partial<Pod['spec']>, Record<string, Life>, ReturnType<typeof podOutcome>][] = [
  ['always: never over', two, { a: ended(0), b: ended(0) }, 'running'],
  ['all succeeded', { ...two, restartPolicy: 'Never' }, { a: ended(0), b: ended(0) }, 'succeeded'],
  ['one failed', { ...two, restartPolicy: 'Never' }, { a: ended(0), b: ended(2) }, 'failed'],
  ['on failure: it is tried again', { ...two, restartPolicy: 'OnFailure' }, { a: ended(0), b: ended(2) }, 'running'],
  ['a failed init container that is not restarted', { ...withInit, restartPolicy: 'Never' }, { i: ended(1) }, 'failed'],
];
for (const [name, spec, lives, expected] of outcomes)
  test(`outcome: ${name}`, () => assert.equal(podOutcome(state(spec, lives)), expected));

const ends: [name: string, lives: Record<string, Life>, more: Partial<PodState>, expected: string][] = [
  ['its sandbox is still there', { a: ended(0), b: ended(0) }, {}, 'running'],
  ['all ended well', { a: ended(0), b: ended(0) }, { sandbox: undefined }, 'succeeded'],
  ['one was killed', { a: ended(0), b: ended(137) }, { sandbox: undefined }, 'failed'],
  ['one never began', { a: ended(0) }, { sandbox: undefined }, 'failed'],
];
for (const [name, lives, more, expected] of ends) {
  test(`outcome of a pod that was made to end: ${name}`, () =>
    assert.equal(podOutcome(state(two, lives, { endingSince: T, ...more })), expected));
}

test('of several waits the shortest counts', () => {
  const waiting = (notBefore: number) => ({ life: ended(1), notBefore });
  const s = state({ ...two, activeDeadlineSeconds: 60 }, { a: waiting(T + 9), b: waiting(T + 7) });
  assert.deepEqual(planPod({ state: s, isEnding: false, now: T }), [{ type: 'wait', untilMs: T + 7 }]);
});

test('a pod that was active for too long has failed, whatever its containers ended with', () => {
  const s = state(two, { a: ended(0), b: ended(0) }, { expiredSince: T });
  const { phase, reason, message } = podStatus({ state: s, before: undefined, hostIp: '10.0.0.1', now: T });
  assert.deepEqual([phase, reason], ['Failed', 'DeadlineExceeded']);
  assert.equal(message, 'Pod was active on the node longer than the specified deadline');
});

test('back-off: at once, then 10 s doubling to 5 minutes; ten minutes of running forgive', () => {
  const delays: number[] = [];
  let failures = 0;
  for (let index = 0; index < 8; index += 1) {
    const next = restartBackoff(failures, 1_000);
    failures = next.failures;
    delays.push(next.delayMs / 1_000);
  }
  assert.deepEqual(delays, [0, 10, 20, 40, 80, 160, 300, 300]);
  assert.deepEqual(restartBackoff(7, 600_000), { failures: 1, delayMs: 0 });
});

const status = (s: PodState, now = T) =>
  podStatus({ state: s, before: { conditions: [{ type: 'PodScheduled', status: 'True' }] }, hostIp: '10.0.0.1', now });
const conditionOf = (s: PodState, type: string) => status(s).conditions?.find((one) => one.type === type);

test('status of a pod that runs and is ready', () => {
  const { phase, podIP, containerStatuses, conditions } = status(state(two, { a: running(), b: running() }));
  assert.deepEqual([phase, podIP], ['Running', '10.0.0.2']);
  assert.deepEqual(
    containerStatuses?.map(({ ready, started, restartCount }) => [ready, started, restartCount]),
    [
      [true, true, 0],
      [true, true, 0],
    ],
  );
  assert.deepEqual(
    conditions?.map(({ type, status: value }) => `${type}=${value}`),
    ['PodReadyToStartContainers=True', 'Initialized=True', 'Ready=True', 'ContainersReady=True', 'PodScheduled=True'],
  );
});

test('what is not ready is named', () => {
  const s = state(two, { a: running(), b: running({ isReady: false }) });
  assert.deepEqual(conditionOf(s, 'Ready')?.message, 'containers with unready status: [b]');
  assert.equal(conditionOf(s, 'Ready')?.reason, 'ContainersNotReady');
  const waiting = state(withInit, { i: ended(0) });
  assert.equal(conditionOf(waiting, 'Initialized')?.message, 'containers with incomplete status: [j]');
  assert.equal(status(waiting).phase, 'Pending');
});

test('a container that waits for its next start shows CrashLoopBackOff, and how it ended', () => {
  const s = state(
    { containers: [{ name: 'a', image: 'x' }] },
    { a: { life: ended(3), failures: 3, notBefore: T + 20_000, attempt: 2 } },
  );
  const [one] = status(s).containerStatuses ?? [];
  assert.deepEqual(one?.state?.waiting, {
    reason: 'CrashLoopBackOff',
    message: 'back-off 20s restarting failed container=a pod=p_a(uid-p)',
  });
  assert.equal(one?.lastState?.terminated?.exitCode, 3);
  assert.equal(one?.restartCount, 2);
});

test('unchanged conditions keep their times', () => {
  const s = state(two, { a: running(), b: running() });
  const first = status(s);
  const later = podStatus({ state: s, before: first, hostIp: '10.0.0.1', now: T + 60_000 });
  assert.deepEqual(later.conditions, first.conditions);
});

const qos: [string, object[], string][] = [
  ['nothing', [{}], 'BestEffort'],
  ['a request', [{ requests: { cpu: '1' } }], 'Burstable'],
  ['limits of both', [{ limits: { cpu: '1', memory: '1Gi' } }], 'Guaranteed'],
  ['one container without', [{ limits: { cpu: '1', memory: '1Gi' } }, {}], 'Burstable'],
  ['requests below limits', [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }], 'Burstable'],
];
for (const [name, resources, expected] of qos) {
  test(`quality of service: ${name}`, () => {
    const p = pod({ name: 'p' });
    const containers = resources.map((own, index) => ({ name: `c${index}`, image: 'x', resources: own }));
    assert.equal(qosClass({ ...p, spec: { containers } }), expected);
  });
}
