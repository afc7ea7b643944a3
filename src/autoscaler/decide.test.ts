import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  decide,
  type DecisionReason,
  type DeciderState,
  initialBurstCapacity,
  initialState,
  MAX_PODS,
  type Observation,
  type ScalingSpec,
} from '#autoscaler/decide.ts';
import { caseSpec, load, panicking } from '#autoscaler/fixtures/specs.ts';

const T0 = 1_700_000_000_000;

interface Step {
  /** Seconds after the start. */
  readonly at: number;
  readonly seen: Observation;
  readonly spec?: Partial<ScalingSpec>;
  readonly desired: number;
  readonly ebc?: number;
  readonly panicking?: boolean;
  /** Reasons that must be among those given. */
  readonly because?: readonly DecisionReason[];
}

interface Case {
  readonly name: string;
  readonly spec: ScalingSpec;
  readonly from?: DeciderState;
  readonly steps: readonly Step[];
}

const calm = initialState(0, T0);

const cases: Case[] = [
  {
    name: 'a load of five pods on one: panic',
    spec: caseSpec(10),
    steps: [
      {
        at: 0,
        seen: load(1, 50),
        desired: 5,
        ebc: Math.floor((10 / 0.75) * 1 - 100 - 50),
        panicking: true,
        because: ['stable-load', 'panic-entered'],
      },
    ],
  },
  {
    name: 'a stable load that is not in the panic window: no panic',
    spec: caseSpec(10),
    steps: [
      { at: 0, seen: load(1, 50, 10), desired: 5, panicking: false, because: ['stable-load'] },
      { at: 2, seen: load(1, 100, 10), desired: 10, panicking: false },
    ],
  },
  {
    name: 'a panic that pods catch up with, and its end',
    spec: caseSpec(1),
    steps: [
      { at: 0, seen: load(10, 11, 25), desired: 25, panicking: true, because: ['panic-load', 'panic-entered'] },
      { at: 30, seen: load(40, 30, 41), desired: 41, panicking: true },
      { at: 62, seen: load(55, 50, 56), desired: 50, panicking: false, because: ['stable-load', 'panic-left'] },
    ],
  },
  {
    name: 'a decrease without panic',
    spec: caseSpec(10),
    steps: [
      { at: 0, seen: load(8, 100), desired: 10, panicking: false },
      { at: 2, seen: load(8, 50), desired: 5, panicking: false },
    ],
  },
  { name: 'no load', spec: caseSpec(10), steps: [{ at: 0, seen: load(1, 0), desired: 0, because: ['no-load'] }] },
  {
    name: 'activation scale',
    spec: caseSpec(10, { activationScale: 2 }),
    steps: [
      { at: 0, seen: load(0, 0), desired: 0 },
      { at: 2, seen: load(0, 1), desired: 2, because: ['stable-load', 'activation-scale'] },
    ],
  },
  {
    name: 'activation scale below what is wanted',
    spec: caseSpec(1, { activationScale: 2 }),
    steps: [{ at: 0, seen: load(2, 3), desired: 3 }],
  },
  {
    name: 'activation scale beats the rate limit',
    spec: caseSpec(1, { activationScale: 20 }),
    steps: [{ at: 0, seen: load(1, 15), desired: 20, because: ['max-scale-up-rate', 'activation-scale'] }],
  },
  {
    name: 'any burst: always proxied',
    spec: caseSpec(10, { targetBurstCapacity: -1 }),
    steps: [{ at: 0, seen: load(100, 1), desired: 10, ebc: -1, because: ['max-scale-down-rate'] }],
  },
  {
    name: 'no burst: never proxied',
    spec: caseSpec(10, { targetBurstCapacity: 0 }),
    steps: [{ at: 0, seen: load(0, 500), desired: 10, ebc: 0 }],
  },
  {
    name: 'a panic does not let go when the panic average falls below the stable one',
    spec: caseSpec(1),
    from: panicking(calm, T0 - 5_000, 5),
    steps: [{ at: 0, seen: load(5, 50, 30), desired: 50, panicking: true, because: ['stable-load', 'panic-extended'] }],
  },
  {
    name: 'a panic goes by the panic average when that is larger',
    spec: caseSpec(1),
    from: panicking(calm, T0 - 5_000, 5),
    steps: [{ at: 0, seen: load(5, 20, 30), desired: 30, panicking: true, because: ['panic-load', 'panic-extended'] }],
  },
  {
    name: 'a slow way up still adds a pod',
    spec: caseSpec(1, { maxScaleUpRate: 1.1 }),
    steps: [{ at: 0, seen: load(2, 4, 1), desired: 3, because: ['max-scale-up-rate'] }],
  },
  {
    name: 'a slow way down',
    spec: caseSpec(1, { maxScaleDownRate: 1.1 }),
    steps: [{ at: 0, seen: load(100, 1), desired: 90, because: ['max-scale-down-rate'] }],
  },
  {
    name: 'no slow way down for what nobody can reach',
    spec: caseSpec(1, { maxScaleDownRate: 1.1, reachable: false }),
    steps: [{ at: 0, seen: load(100, 1), desired: 1, because: ['stable-load'] }],
  },
  {
    name: 'the rate limit goes by the ready pods',
    spec: caseSpec(10),
    steps: [
      { at: 0, seen: load(1, 1000), desired: 10, because: ['max-scale-up-rate'] },
      { at: 2, seen: load(10, 1000), desired: 100 },
    ],
  },
  {
    name: 'no ready pod counts as one for the rates and as none for the burst',
    spec: caseSpec(10),
    steps: [{ at: 0, seen: load(0, 1000), desired: 10, ebc: -1100, panicking: true }],
  },
  {
    name: 'burst capacity that is there',
    spec: caseSpec(10),
    steps: [{ at: 0, seen: load(10, 10), desired: 1, ebc: Math.floor((10 / 0.75) * 10 - 100 - 10) }],
  },
  {
    name: 'a panic of a hundred pods holds for the window after the traffic went',
    spec: caseSpec(10),
    steps: [
      { at: 0, seen: load(10, 100, 1000), desired: 100, panicking: true, because: ['panic-load', 'panic-entered'] },
      { at: 30, seen: load(10, 1), desired: 100, panicking: true, because: ['panic-holds'] },
      { at: 60, seen: load(10, 1), desired: 100, panicking: true },
      { at: 61, seen: load(10, 1), desired: 1, panicking: false, because: ['panic-left'] },
    ],
  },
  {
    name: 'over the threshold again extends the panic',
    spec: caseSpec(1),
    steps: [
      { at: 0, seen: load(1, 2), desired: 2, panicking: true },
      { at: 50, seen: load(1, 2), desired: 2, panicking: true, because: ['panic-extended'] },
      { at: 110, seen: load(2, 1), desired: 2, panicking: true },
      { at: 111, seen: load(2, 1), desired: 1, panicking: false },
    ],
  },
  {
    name: 'a delayed decrease',
    spec: caseSpec(10, { scaleDownDelayMs: 300_000 }),
    steps: [
      { at: 2, seen: load(4, 40), desired: 4 },
      { at: 4, seen: load(4, 0), desired: 4, because: ['no-load', 'scale-down-delay'] },
      { at: 300, seen: load(4, 0), desired: 4, because: ['scale-down-delay'] },
      { at: 302, seen: load(4, 0), desired: 0 },
    ],
  },
  {
    name: 'no delay for what nobody can reach',
    spec: caseSpec(10, { scaleDownDelayMs: 300_000 }),
    steps: [
      { at: 2, seen: load(4, 40), desired: 4 },
      { at: 4, seen: load(4, 0), desired: 4 },
      { at: 6, seen: load(4, 0), spec: { reachable: false }, desired: 0 },
    ],
  },
  {
    name: 'a delay holds what a panic wanted',
    spec: caseSpec(1, { scaleDownDelayMs: 120_000, maxScaleDownRate: 1000 }),
    steps: [
      { at: 0, seen: load(1, 8), desired: 8, panicking: true },
      { at: 61, seen: load(8, 1), desired: 8, panicking: false, because: ['panic-left', 'scale-down-delay'] },
      { at: 120, seen: load(8, 1), desired: 1 },
    ],
  },
  {
    name: 'a delay that is switched on or off counts at once',
    spec: caseSpec(10),
    steps: [
      { at: 0, seen: load(4, 40), desired: 4 },
      { at: 2, seen: load(4, 40), spec: { scaleDownDelayMs: 10_000 }, desired: 4 },
      { at: 4, seen: load(4, 0), spec: { scaleDownDelayMs: 10_000 }, desired: 4 },
      { at: 6, seen: load(4, 0), desired: 0 },
    ],
  },
  {
    name: 'part of a pod is a pod, in both windows',
    spec: caseSpec(10),
    steps: [{ at: 0, seen: load(1, 0.1, 10.1), desired: 2, panicking: true }],
  },
  {
    name: 'a panic begins afresh after the last one ended',
    spec: caseSpec(1, { panicThreshold: 1.1 }),
    steps: [
      { at: 0, seen: load(2, 9), desired: 9, panicking: true },
      { at: 61, seen: load(9, 1), desired: 1, panicking: false },
      { at: 63, seen: load(1, 2), desired: 2, panicking: true },
    ],
  },
  {
    name: 'a burst of less than one request',
    spec: caseSpec(10, { targetBurstCapacity: 0.5, total: 10 }),
    steps: [{ at: 0, seen: load(1, 1), desired: 1, ebc: 8 }],
  },
  {
    name: 'a load beyond any number of pods',
    spec: caseSpec(0.01, { maxScaleUpRate: 1e12 }),
    steps: [{ at: 0, seen: load(1, 1e18), desired: MAX_PODS }],
  },
];

for (const { name, spec, from = calm, steps } of cases) {
  test(name, () => {
    let state = from;
    for (const step of steps) {
      const answer = decide(T0 + step.at * 1000, { ...spec, ...step.spec }, step.seen, state);
      const { decision } = answer;
      const seen = `at ${step.at} s, because ${decision.reasons.join(', ')}`;
      assert.equal(decision.desired, step.desired, seen);
      if (step.ebc !== undefined) assert.equal(decision.excessBurstCapacity, step.ebc, seen);
      if (step.panicking !== undefined) assert.equal(decision.panicking, step.panicking, seen);
      for (const reason of step.because ?? []) assert.ok(decision.reasons.includes(reason), seen);
      state = answer.state;
    }
  });
}

describe('a decider that has just begun', () => {
  test('with one pod it is calm', () => assert.equal(initialState(1, T0).panicSinceMs, undefined));

  test('with more it panics, so that nothing is taken away before there is data', () => {
    const { decision } = decide(T0 + 2_000, caseSpec(10), load(5, 0), initialState(5, T0));
    assert.equal(decision.desired, 5);
    assert.ok(decision.panicking);
    assert.ok(decision.reasons.includes('panic-holds'));
  });

  test('two are more than one', () => assert.equal(initialState(2, T0).panicSinceMs, T0));

  const rows = [
    { name: 'any burst', changes: { targetBurstCapacity: -1 }, expected: -1 },
    { name: 'no burst', changes: { targetBurstCapacity: 0 }, expected: 0 },
    { name: 'the initial pod cannot take it', changes: { targetBurstCapacity: 211, total: 100 }, expected: -111 },
    { name: 'the initial pods can', changes: { targetBurstCapacity: 211, total: 100, initialScale: 3 }, expected: 89 },
  ];
  for (const { name, changes, expected } of rows) {
    test(`burst capacity: ${name}`, () => assert.equal(initialBurstCapacity(caseSpec(70, changes)), expected));
  }
});

test('the same input gives the same answer, and changes nothing', () => {
  const state = Object.freeze(initialState(3, T0));
  const first = decide(T0, caseSpec(10), load(3, 20), state);
  assert.deepEqual(decide(T0, caseSpec(10), load(3, 20), state), first);
});

describe('reasons', () => {
  const rows: {
    name: string;
    spec?: Partial<ScalingSpec>;
    from?: DeciderState;
    seen: Observation;
    reasons: string[];
  }[] = [
    { name: 'no load', seen: load(1, 0), reasons: ['no-load'] },
    { name: 'a load', seen: load(1, 10), reasons: ['stable-load'] },
    { name: 'at the limits', spec: { maxScaleUpRate: 2 }, seen: load(1, 20, 1), reasons: ['stable-load'] },
    { name: 'at the lower limit', seen: load(10, 10), reasons: ['stable-load'] },
    { name: 'at the activation scale', spec: { activationScale: 2 }, seen: load(2, 20), reasons: ['stable-load'] },
    {
      name: 'in a panic that asks for as much',
      from: panicking(calm, T0, 2),
      seen: load(2, 20),
      reasons: ['stable-load'],
    },
    {
      name: 'with a delay that holds nothing',
      spec: { scaleDownDelayMs: 9_000 },
      seen: load(1, 10),
      reasons: ['stable-load'],
    },
    { name: 'over the limit', seen: load(1, 110, 1), reasons: ['stable-load', 'max-scale-up-rate'] },
  ];
  for (const { name, spec, from = calm, seen, reasons } of rows) {
    test(name, () => assert.deepEqual(decide(T0, caseSpec(10, spec), seen, from).decision.reasons, reasons));
  }
});
