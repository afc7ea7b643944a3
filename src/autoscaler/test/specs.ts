/** Scaling specs for tests: Knative's defaults, and those of its documented numeric cases. */
import type { DeciderState, Observation, ScalingSpec } from '#autoscaler/decide.ts';

export const DEFAULT_SPEC: ScalingSpec = {
  metric: 'concurrency',
  target: 70,
  total: 100,
  targetBurstCapacity: 211,
  maxScaleUpRate: 1000,
  maxScaleDownRate: 2,
  panicThreshold: 2,
  stableWindowMs: 60_000,
  scaleDownDelayMs: 0,
  activationScale: 0,
  initialScale: 1,
  reachable: true,
  activatorCapacity: 100,
};

/** As in the numeric cases of the facts: 7.4. */
export function caseSpec(target: number, changes: Partial<ScalingSpec> = {}): ScalingSpec {
  const rates = { maxScaleUpRate: 10, maxScaleDownRate: 10, targetBurstCapacity: 100 };
  return { ...DEFAULT_SPEC, target, total: target / 0.75, ...rates, ...changes };
}

export function load(readyPods: number, stable: number, panic: number = stable): Observation {
  return { readyPods, stable, panic };
}

export function panicking(state: DeciderState, sinceMs: number, maxPanicPods: number): DeciderState {
  return { ...state, panicSinceMs: sinceMs, maxPanicPods };
}
