import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ConfigurationRollout,
  isRolloutDone,
  observeReady,
  parseRollout,
  renderRollout,
  type Rollout,
  type StepParameters,
  stepRollout,
} from '#serving/route/rollout.ts';

const S = 1_000_000_000;
const NOW = 1_700_000_000 * S;

/** `a:95,b:5` */
function shares(text: string): { revisionName: string; percent: number }[] {
  return text.split(',').map((share) => {
    const [revisionName = '', percent = ''] = share.split(':');
    return { revisionName, percent: Number(percent) };
  });
}

function state(text: string, stepParams: StepParameters = {}, tag?: string): ConfigurationRollout {
  const revisions = shares(text);
  const percent = revisions.reduce((sum, one) => sum + one.percent, 0);
  return { configurationName: 'c', ...(tag ? { tag } : {}), percent, revisions, stepParams };
}

const of = (...configurations: ConfigurationRollout[]): Rollout => ({ configurations });
const told = ({ configurations = [] }: Rollout) =>
  configurations.map(({ revisions = [] }) => revisions.map((one) => `${one.revisionName}:${one.percent}`).join());

interface Pace {
  readonly why: string;
  readonly durationS: number;
  readonly readyAfterS: number;
  readonly percent: number;
  readonly expected: { stepDuration: number; stepSize: number };
}

const paces: Pace[] = [
  {
    why: '117 s in 39 steps of 3',
    durationS: 120,
    readyAfterS: 3,
    percent: 100,
    expected: { stepDuration: 3 * S, stepSize: 3 },
  },
  {
    why: '74 percent in 39 steps',
    durationS: 120,
    readyAfterS: 3,
    percent: 75,
    expected: { stepDuration: 3 * S, stepSize: 2 },
  },
  {
    why: '49 percent in 39 steps',
    durationS: 120,
    readyAfterS: 3,
    percent: 50,
    expected: { stepDuration: 3 * S, stepSize: 1 },
  },
  {
    why: 'ready within a second: no more steps than percents',
    durationS: 120,
    readyAfterS: 0.4,
    percent: 100,
    expected: { stepDuration: 1_202_020_202, stepSize: 1 },
  },
  {
    why: 'slower than the whole rollout: one step after a second',
    durationS: 120,
    readyAfterS: 130,
    percent: 13,
    expected: { stepDuration: S, stepSize: 12 },
  },
];

for (const { why, durationS, readyAfterS, percent, expected } of paces) {
  test(`pace: ${why}`, () => {
    const begun = of({ ...state(`a:${percent - 1},b:1`, { starttime: NOW }) });
    const readyAt = NOW + readyAfterS * S;
    const [paced] = observeReady(begun, readyAt, durationS).configurations ?? [];
    assert.deepEqual(paced?.stepParams, { starttime: NOW, nextStepTime: readyAt + expected.stepDuration, ...expected });
  });
}

test('pace: a rollout that has one keeps it, and one that never began gets none', () => {
  const moving = of(state('a:50,b:50', { starttime: NOW, stepDuration: S, stepSize: 1, nextStepTime: NOW + S }));
  assert.deepEqual(observeReady(moving, NOW + 9 * S, 100), moving);
  const idle = of(state('a:100'));
  assert.deepEqual(observeReady(idle, NOW, 100), idle);
});

const due = (stepSize: number): StepParameters => ({
  starttime: NOW - 9 * S,
  nextStepTime: NOW,
  stepDuration: S,
  stepSize,
});
const notDue = (stepSize: number): StepParameters => ({ ...due(stepSize), nextStepTime: NOW + 1_000 });

interface Step {
  readonly why: string;
  readonly goal: string;
  readonly before?: string;
  readonly params?: StepParameters;
  readonly expected: string;
  /** The step parameters afterwards, when they matter. */
  readonly after?: StepParameters;
}

const steps: Step[] = [
  { why: 'nothing before: everything at once', goal: 'a:100', expected: 'a:100', after: {} },
  { why: 'the same revision: nothing moves', goal: 'a:100', before: 'a:100', expected: 'a:100', after: {} },
  {
    why: 'a new revision gets one percent and the clock starts',
    goal: 'b:100',
    before: 'a:100',
    expected: 'a:99,b:1',
    after: { starttime: NOW },
  },
  { why: 'one percent in all needs no rollout', goal: 'b:1', before: 'a:1', expected: 'b:1', after: {} },
  { why: 'two percents are shared', goal: 'b:2', before: 'a:2', expected: 'a:1,b:1', after: { starttime: NOW } },
  {
    why: 'a step that is due',
    goal: 'b:100',
    before: 'a:95,b:5',
    params: due(3),
    expected: 'a:92,b:8',
    after: { ...due(3), nextStepTime: NOW + S },
  },
  {
    why: 'a step that is not due',
    goal: 'b:100',
    before: 'a:95,b:5',
    params: notDue(3),
    expected: 'a:95,b:5',
    after: notDue(3),
  },
  {
    why: 'before the pace is known nothing moves',
    goal: 'b:100',
    before: 'a:99,b:1',
    params: { starttime: NOW },
    expected: 'a:99,b:1',
    after: { starttime: NOW },
  },
  { why: 'the last step ends it', goal: 'b:100', before: 'a:3,b:97', params: due(5), expected: 'b:100', after: {} },
  {
    why: 'the newest of the older goes first',
    goal: 'c:100',
    before: 'a:50,b:2,c:48',
    params: due(5),
    expected: 'a:47,c:53',
  },
  {
    why: 'another new revision on the way restarts the clock and keeps the split',
    goal: 'c:52',
    before: 'a:36,b:16',
    params: due(3),
    expected: 'a:36,b:15,c:1',
    after: { starttime: NOW },
  },
  {
    why: 'a revision with one percent gives way',
    goal: 'c:100',
    before: 'a:99,b:1',
    params: { starttime: NOW - S },
    expected: 'a:99,c:1',
  },
  {
    why: 'the share grows: the newest gains',
    goal: 'b:60',
    before: 'a:40,b:10',
    params: notDue(3),
    expected: 'a:40,b:20',
  },
  {
    why: 'the share shrinks: the oldest loses',
    goal: 'b:33',
    before: 'a:11,b:31',
    params: notDue(3),
    expected: 'a:2,b:31',
  },
  {
    why: 'the share shrinks and a new revision comes',
    goal: 'c:33',
    before: 'a:11,b:31',
    params: notDue(3),
    expected: 'a:2,b:30,c:1',
  },
  {
    why: 'the oldest loses everything',
    goal: 'b:20',
    before: 'a:10,b:31',
    params: notDue(3),
    expected: 'b:20',
    after: {},
  },
  {
    why: 'a step larger than what is left is capped',
    goal: 'b:15',
    before: 'a:50,b:10',
    params: due(10),
    expected: 'b:15',
    after: {},
  },
];

for (const { why, goal, before, params, expected, after } of steps) {
  test(`step: ${why}`, () => {
    const previous = before === undefined ? undefined : of(state(before, params));
    const { rollout, nextStepNs } = stepRollout(of(state(goal)), previous, NOW);
    assert.deepEqual(told(rollout), [expected]);
    const { stepParams } = rollout.configurations?.[0] ?? {};
    if (after) assert.deepEqual(stepParams, after);
    assert.equal(nextStepNs, stepParams?.nextStepTime);
    assert.equal(isRolloutDone(rollout), !expected.includes(','));
  });
}

test('tags: a new one is served at once, a gone one forgotten, each moves for itself', () => {
  const goal = of(state('b:100'), state('b:100', {}, 'new'), state('b:100', {}, 'old'));
  const previous = of(state('a:100'), state('a:100', {}, 'gone'), state('a:70,b:30', due(10), 'old'));
  const { rollout } = stepRollout(goal, previous, NOW);
  assert.deepEqual(
    rollout.configurations?.map(({ tag = '' }) => tag),
    ['', 'new', 'old'],
  );
  assert.deepEqual(told(rollout), ['a:99,b:1', 'b:100', 'a:60,b:40']);
});

test('configurations: one that comes to the host is served at once, one without a share is no part of it', () => {
  const other = (text: string) => ({ ...state(text), configurationName: 'd' });
  const { rollout } = stepRollout(of(state('a:50'), other('x:50')), of(state('a:100')), NOW);
  assert.deepEqual(told(rollout), ['a:50', 'x:50']);
  const none = { ...other('x:0'), percent: 0 };
  assert.deepEqual(told(stepRollout(of(state('a:100'), none), of(state('a:50'), other('x:50')), NOW).rollout), [
    'a:100',
  ]);
});

const idle =
  '{"configurations":[{"configurationName":"hello","percent":100,"revisions":[{"revisionName":"hello-00001","percent":100}],"stepParams":{}}]}';

test('the annotation is written as Knative writes it, and read back', () => {
  assert.equal(renderRollout(parseRollout(idle) ?? {}), idle);
  assert.equal(renderRollout({}), '{}');
  const moving = of(state('a:99,b:1', { starttime: 1_767_225_600_123_000_000 }, 't'));
  assert.match(renderRollout(moving), /"tag":"t".*"stepParams":\{"starttime":1767225600123000000\}/);
  assert.deepEqual(parseRollout(renderRollout(moving)), moving);
});

const invalid: [why: string, text: string | undefined][] = [
  ['none', undefined],
  ['no JSON', '{'],
  ['more than all', renderRollout(of({ ...state('a:101') }))],
  ['shares that do not add up', renderRollout(of({ ...state('a:60'), percent: 50 }))],
  ['a negative step', renderRollout(of(state('a:50,b:50', { stepSize: -1 })))],
  ['a step larger than the share', renderRollout(of(state('a:5,b:5', { stepSize: 11 })))],
  ['another shape', '[1]'],
  ['no step parameters', '{"configurations":[{"configurationName":"c","percent":0}]}'],
];

for (const [why, text] of invalid) {
  test(`a state that cannot be used is forgotten: ${why}`, () => {
    const parsed = parseRollout(text);
    if (why === 'another shape') assert.deepEqual(parsed?.configurations ?? [], []);
    else assert.equal(parsed, undefined);
  });
}
