import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planScale, type ScaleSettings, type ScaleSituation } from '#autoscaler/apply-scale.ts';
import { applyBounds, type ScaleLimits } from '#autoscaler/bounds.ts';
import { decide, type DeciderState, initialState, type Observation, type ScalingSpec } from '#autoscaler/decide.ts';
import { randomSpec } from '#autoscaler/fixtures/traces.ts';
import { TimedWindow } from '#autoscaler/window.ts';
import { mulberry32 } from '#testing/fake-clock.ts';

const T0 = 1_700_000_000_000;
const spec = fc.nat().map((seed): ScalingSpec => randomSpec(mulberry32(seed)));
const pods = fc.integer({ min: 0, max: 200 });
const average = fc.double({ min: 0, max: 5_000, noNaN: true });
const state = fc.record<DeciderState>({
  panicSinceMs: fc.option(fc.integer({ min: T0 - 100_000, max: T0 }), { nil: undefined }),
  maxPanicPods: fc.integer({ min: 0, max: 200 }),
  recent: fc.constant([]),
});
const limits = fc
  .record({ minScale: pods, extra: pods, isBounded: fc.boolean(), initialScale: pods, isInitialised: fc.boolean() })
  .chain(({ minScale, extra, isBounded, initialScale, isInitialised }) =>
    fc.boolean().map((reachable): ScaleLimits => {
      const maxScale = isBounded ? minScale + extra : 0;
      return { minScale, maxScale, initialScale, isInitialised, reachable };
    }),
  );

/** The maximum, or an initial scale above it that was not reached yet. */
function highest({ maxScale, initialScale, isInitialised, reachable }: ScaleLimits): number {
  if (maxScale === 0) return Infinity;
  return isInitialised || !reachable ? maxScale : Math.max(maxScale, initialScale);
}

test('more load never gives fewer pods', () => {
  const law = fc.property(
    spec,
    state,
    pods,
    fc.tuple(average, average, average, average),
    (spec, state, ready, loads) => {
      const [stable, panic, moreStable, morePanic] = loads;
      const low: Observation = { readyPods: ready, stable, panic };
      const high: Observation = { readyPods: ready, stable: stable + moreStable, panic: panic + morePanic };
      assert.ok(decide(T0, spec, high, state).decision.desired >= decide(T0, spec, low, state).decision.desired);
    },
  );
  fc.assert(law, { numRuns: 5_000 });
});

test('a panic takes no pod away', () => {
  const law = fc.property(spec, state, pods, average, (spec, state, readyPods, load) => {
    const first = decide(T0, spec, { readyPods, stable: load, panic: load }, state);
    const next = decide(T0 + 2_000, spec, { readyPods, stable: 0, panic: 0 }, first.state);
    if (next.decision.panicking) assert.ok(next.decision.desired >= first.decision.desired);
  });
  fc.assert(law, { numRuns: 5_000 });
});

test('what is wanted lies between the bounds', () => {
  const law = fc.property(limits, fc.integer({ min: -1, max: 500 }), (limits, desired) => {
    const { scale } = applyBounds(desired, limits);
    assert.ok(scale >= (limits.reachable ? limits.minScale : 0));
    assert.ok(scale <= highest(limits));
  });
  fc.assert(law, { numRuns: 5_000 });
});

test('whatever is scaled to lies between the bounds, and is zero only where it may be', () => {
  const situation = fc.record<ScaleSituation>({
    desired: fc.integer({ min: -1, max: 20 }),
    limits,
    activity: fc.constantFrom('activating', 'active', 'inactive'),
    activityMs: fc.nat(1_000_000),
    isProxyAsked: fc.boolean(),
    proxiedMs: fc.nat(100_000),
    isBackedByActivator: fc.boolean(),
    currentReplicas: pods,
  });
  const settings = fc.record<ScaleSettings>({
    enableScaleToZero: fc.boolean(),
    stableWindowMs: fc.nat(100_000),
    gracePeriodMs: fc.nat(100_000),
    podRetentionMs: fc.nat(100_000),
    progressDeadlineMs: fc.nat(100_000),
    isAlwaysProxied: fc.boolean(),
  });
  const law = fc.property(situation, settings, (situation, settings) => {
    const { action, want, againAfterMs } = planScale(situation, settings);
    if (againAfterMs !== undefined) assert.ok(againAfterMs > 0);
    if (action.type === 'none') return;
    assert.equal(action.replicas, want);
    const { minScale, reachable } = situation.limits;
    assert.ok(action.replicas <= highest(situation.limits));
    if (reachable && minScale > 0) assert.ok(action.replicas >= minScale);
    if (action.replicas > 0) return;
    assert.ok(settings.enableScaleToZero);
    assert.notEqual(situation.activity, 'active');
    if (situation.activity === 'inactive') assert.ok(settings.isAlwaysProxied || situation.isBackedByActivator);
  });
  fc.assert(law, { numRuns: 10_000 });
});

interface Loop {
  readonly load: number;
  readonly spec: ScalingSpec;
  readonly startPods: number;
}

/** The pods wanted at each tick, when pods are there a tick after they were wanted. */
function runLoop({ load, spec, startPods }: Loop, ticks: number): number[] {
  const stable = new TimedWindow('linear', spec.stableWindowMs);
  const panic = new TimedWindow('linear', Math.max(1_000, Math.round(spec.stableWindowMs / 10_000) * 1_000));
  let state = initialState(startPods, T0);
  let readyPods = startPods;
  const wanted: number[] = [];
  for (let second = 1; second <= ticks * 2; second += 1) {
    const nowMs = T0 + second * 1_000;
    stable.record(nowMs, load);
    panic.record(nowMs, load);
    if (second % 2 === 1) continue;
    const observed = { readyPods, stable: stable.average(nowMs), panic: panic.average(nowMs) };
    const answer = decide(nowMs, spec, observed, state);
    state = answer.state;
    readyPods = answer.decision.desired;
    wanted.push(readyPods);
  }
  return wanted;
}

test('under constant load the number of pods settles at what the load asks for', () => {
  const loop = fc.record<Loop>({
    load: fc.integer({ min: 0, max: 400 }),
    spec,
    startPods: fc.integer({ min: 0, max: 50 }),
  });
  const law = fc.property(loop, (loop) => {
    const { load, spec } = loop;
    const settled = runLoop(loop, 600).slice(-30);
    const asked = Math.ceil(load / spec.target);
    const expected = asked > 0 ? Math.max(asked, spec.activationScale > 1 ? spec.activationScale : 0) : 0;
    // A decrease stops where the rate no longer allows a whole pod less, and an increase never does.
    const lowest = spec.reachable ? Math.floor(1 / (spec.maxScaleDownRate - 1)) + 1 : 0;
    assert.equal(new Set(settled).size, 1, `flaps: ${settled.join(' ')}`);
    assert.ok(settled[0] === expected || (settled[0] ?? 0) <= lowest, `${settled[0]}, expected ${expected}`);
  });
  fc.assert(law, { numRuns: 300 });
});

test('with a delay, pods never go sooner than it is over', () => {
  const steps = fc.array(fc.record({ load: average, pauseMs: fc.integer({ min: 1, max: 10_000 }) }), { maxLength: 40 });
  const law = fc.property(spec, steps, fc.integer({ min: 1, max: 60 }), (base, steps, delaySeconds) => {
    const spec = { ...base, reachable: true, scaleDownDelayMs: delaySeconds * 1_000 };
    let state = initialState(0, T0);
    let nowMs = T0;
    const past: { atMs: number; undelayed: number }[] = [];
    for (const { load, pauseMs } of steps) {
      nowMs += pauseMs;
      const answer = decide(nowMs, spec, { readyPods: 5, stable: load, panic: load }, state);
      state = answer.state;
      past.push({ atMs: nowMs, undelayed: answer.decision.steps.undelayed });
      // Slots are two seconds long, so the oldest of them may count for up to two seconds less.
      const recent = past.filter(({ atMs }) => nowMs - atMs <= spec.scaleDownDelayMs - 2_000 || atMs === nowMs);
      assert.ok(answer.decision.desired >= Math.max(...recent.map(({ undelayed }) => undelayed)));
    }
  });
  fc.assert(law, { numRuns: 1_000 });
});
