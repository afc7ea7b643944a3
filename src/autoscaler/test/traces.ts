/** Random traffic over a random spec, through the real code and through the reference model at once. */
import { strict as assert } from 'node:assert';
import { decide, initialState, type ScalingSpec } from '#autoscaler/decide.ts';
import { ReferenceDecider, ReferenceWindow } from '#autoscaler/test/reference.ts';
import { type Aggregation, TimedWindow } from '#autoscaler/window.ts';
import { mulberry32 } from '#testing/fake-clock.ts';

const EPOCH = 1_700_000_000_000;
const MAX_STEPS = 24;
/** Two ways to add up the same numbers may differ in the last digit kept. */
const TOLERANCE = 1.5e-6;

type Random = () => number;

function pick<T>(random: Random, choices: readonly [T, ...T[]]): T {
  return choices[Math.floor(random() * choices.length)] ?? choices[0];
}

export function randomSpec(random: Random): ScalingSpec {
  const total = pick(random, [0.25, 1, 2, 4, 16, 128, 256]);
  return {
    metric: 'concurrency',
    total,
    target: total * pick(random, [0.25, 0.5, 0.75, 1]),
    targetBurstCapacity: pick(random, [-1, 0, 1, 16, 211]),
    maxScaleUpRate: pick(random, [1.1, 2, 10, 1000]),
    maxScaleDownRate: pick(random, [1.1, 2, 1000]),
    panicThreshold: pick(random, [1.1, 2, 10]),
    stableWindowMs: pick(random, [6_000, 10_000, 60_000]),
    scaleDownDelayMs: pick(random, [0, 0, 1_000, 15_000]),
    activationScale: pick(random, [0, 0, 2, 5]),
    initialScale: 1,
    reachable: random() < 0.9,
    activatorCapacity: 100,
  };
}

interface Windows {
  readonly real: TimedWindow;
  readonly reference: ReferenceWindow;
}

function windows(aggregation: Aggregation, windowMs: number): Windows {
  return {
    real: new TimedWindow(aggregation, windowMs),
    reference: new ReferenceWindow(aggregation, windowMs / 1000),
  };
}

function record({ real, reference }: Windows, atMs: number, value: number): void {
  real.record(atMs, value);
  reference.record(atMs, value);
}

/** The average by both, which must agree. */
function average({ real, reference }: Windows, nowMs: number): number {
  const value = real.average(nowMs);
  const expected = reference.average(nowMs);
  assert.ok(Math.abs(value - expected) <= TOLERANCE * Math.max(1, expected), `average ${value}, expected ${expected}`);
  assert.equal(real.isEmpty(nowMs), reference.isEmpty(nowMs), 'empty');
  return value;
}

/** Plays one trace; throws where the two disagree. Everything follows from `seed`. */
export function playTrace(seed: number): void {
  const random = mulberry32(seed);
  const aggregation = pick(random, ['linear', 'linear', 'weighted-exponential'] as const);
  let spec = randomSpec(random);
  const stable = windows(aggregation, spec.stableWindowMs);
  const panic = windows(aggregation, pick(random, [1_000, 3_000, 6_000]));
  let nowMs = EPOCH + Math.floor(random() * 60_000);
  let readyPods = pick(random, [0, 0, 1, 3]);
  let state = initialState(readyPods, nowMs);
  const reference = new ReferenceDecider(nowMs, readyPods);
  let load = 0;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    nowMs += pick(random, [1, 300, 1_000, 1_000, 2_000, 2_000, 7_500, 61_000]);
    // Eighths of a request add up exactly in any order.
    if (random() < 0.3) load = Math.floor(random() * 2 ** pick(random, [0, 3, 8, 12])) / 8;
    const lateMs = pick(random, [0, 0, 0, 1_000, 5_000, 20_000]);
    if (random() < 0.85) for (const window of [stable, panic]) record(window, nowMs - lateMs, load);
    if (random() < 0.05) spec = { ...spec, reachable: !spec.reachable };
    const observed = { readyPods, stable: average(stable, nowMs), panic: average(panic, nowMs) };
    const answer = decide(nowMs, spec, observed, state);
    const { desired, excessBurstCapacity, panicking } = answer.decision;
    const expected = reference.decide(nowMs, spec, observed);
    assert.deepEqual({ desired, excessBurstCapacity, panicking }, expected, `step ${step}`);
    state = answer.state;
    if (random() < 0.5) readyPods = Math.min(desired, 500);
  }
}

/** Plays `count` traces from `seed` on; an error names the seed of the trace that failed. */
export function playTraces(seed: number, count: number): void {
  for (let trace = seed; trace < seed + count; trace += 1) {
    try {
      playTrace(trace);
    } catch (error) {
      throw new Error(`trace with seed ${trace} disagrees with the reference model`, { cause: error });
    }
  }
}
