/**
 * How many pods a revision should have: Knative's pod autoscaler as a pure function (facts: 7.4).
 *
 *     stable average ─▶ pods ─▶ rate limits ─▶ activation scale ─┐
 *     panic average  ─▶ pods ─▶ rate limits ─▶ activation scale ─┴▶ panic: the larger, never less than before
 *                                                                 └▶ scale-down delay: the largest of a while
 *
 * Guarantees: the same input gives the same answer, and nothing is read or kept outside of it, so that a decision can
 * be journalled with its inputs, explained, and replayed with other settings. The bounds (min-scale, max-scale) and
 * scaling to zero come after it: see `apply-scale.ts`.
 */
import type { ScalingMetric } from '#autoscaler/targets.ts';
import { emptySlidingMax, maximum, type SlidingMax, withValue } from '#autoscaler/sliding-max.ts';

/** How often a decision is made when nothing asks for one earlier. */
export const DECISION_PERIOD_MS = 2_000;

export const MAX_PODS = 2 ** 31 - 1;

/** By what a revision is scaled, resolved from its annotations and config-autoscaler. */
export interface ScalingSpec {
  readonly metric: ScalingMetric;
  /** What a pod is aimed to carry. */
  readonly target: number;
  /** What a pod can carry. */
  readonly total: number;
  /** Requests beyond the load that the pods must be able to take at once; -1: any number, 0: none. */
  readonly targetBurstCapacity: number;
  /** Greater than 1. */
  readonly maxScaleUpRate: number;
  /** Greater than 1. */
  readonly maxScaleDownRate: number;
  /** Panic begins when the panic average asks for this many times the ready pods. */
  readonly panicThreshold: number;
  readonly stableWindowMs: number;
  /** 0: none. */
  readonly scaleDownDelayMs: number;
  /** Fewest pods when there are any; below 2: none. */
  readonly activationScale: number;
  /** Pods that a new revision begins with. */
  readonly initialScale: number;
  /** Whether a Route may lead to it. */
  readonly reachable: boolean;
  /** Requests that one activator is good for. */
  readonly activatorCapacity: number;
}

export interface Observation {
  readonly readyPods: number;
  /** Averages of the metric over the two windows. */
  readonly stable: number;
  readonly panic: number;
}

/** What one decision hands to the next. */
export interface DeciderState {
  /** Since when the load has been over the panic threshold; undefined when it isn't panicking. */
  readonly panicSinceMs: number | undefined;
  /** The most pods wanted in this panic. */
  readonly maxPanicPods: number;
  readonly recent: SlidingMax;
}

/**
 * The rules that shaped a decision, in the order in which they applied. Those that begin with `panic-` tell what
 * became of panic mode, too.
 */
export type DecisionReason =
  | 'no-load'
  | 'stable-load'
  | 'panic-load'
  | 'max-scale-up-rate'
  | 'max-scale-down-rate'
  | 'activation-scale'
  | 'panic-entered'
  | 'panic-extended'
  | 'panic-left'
  | 'panic-holds'
  | 'scale-down-delay';

export interface Decision {
  readonly desired: number;
  readonly excessBurstCapacity: number;
  readonly panicking: boolean;
  readonly reasons: readonly DecisionReason[];
  /** The figures on the way, for whoever asks why. */
  readonly steps: DecisionSteps;
}

export interface DecisionSteps {
  /** Pods that the averages ask for, before any limit. */
  readonly stablePods: number;
  readonly panicPods: number;
  readonly upLimit: number;
  readonly downLimit: number;
  /** After the rate limits and the activation scale. */
  readonly stableDesired: number;
  readonly panicDesired: number;
  /** Pods that the panic average asks for, over the pods that are ready. */
  readonly panicRatio: number;
  /** Before the scale-down delay. */
  readonly undelayed: number;
}

/**
 * The state of a decider that has seen nothing yet. With more than one pod it begins in panic: the load of before is
 * not known any more, and without it the first decision would take pods away.
 */
export function initialState(readyPods: number, nowMs: number): DeciderState {
  return { panicSinceMs: readyPods > 1 ? nowMs : undefined, maxPanicPods: readyPods, recent: emptySlidingMax };
}

/** The excess burst capacity until the first decision: that of the initial scale under no load. */
export function initialBurstCapacity({ targetBurstCapacity, initialScale, total }: ScalingSpec): number {
  if (targetBurstCapacity === -1 || targetBurstCapacity === 0) return targetBurstCapacity;
  return Math.trunc(initialScale * total - targetBurstCapacity);
}

export function decide(
  nowMs: number,
  spec: ScalingSpec,
  observed: Observation,
  state: DeciderState,
): { decision: Decision; state: DeciderState } {
  const wanted = wantedPods(spec, observed);
  const panic = nextPanic(nowMs, spec, wanted, state);
  const settled = settle(nowMs, spec, wanted, { ...panic, recent: state.recent });
  const { stablePods, panicPods, upLimit, downLimit, stableDesired, panicDesired, panicRatio } = wanted;
  const decision: Decision = {
    desired: settled.desired,
    excessBurstCapacity: excessBurstCapacity(spec, observed),
    panicking: panic.panicSinceMs !== undefined,
    reasons: [...wanted.reasons(settled.source), ...panic.reasons, ...settled.reasons],
    steps: {
      stablePods,
      panicPods,
      upLimit,
      downLimit,
      stableDesired,
      panicDesired,
      panicRatio,
      undelayed: settled.undelayed,
    },
  };
  const { panicSinceMs } = panic;
  return { decision, state: { panicSinceMs, maxPanicPods: settled.maxPanicPods, recent: settled.recent } };
}

type Source = 'stable' | 'panic';

interface Wanted extends Omit<DecisionSteps, 'undelayed'> {
  /** Why the chosen one of the two is what it is. */
  reasons(source: Source): DecisionReason[];
}

function wantedPods(spec: ScalingSpec, { readyPods, stable, panic }: Observation): Wanted {
  const ready = Math.max(1, readyPods);
  const upLimit = Math.ceil(spec.maxScaleUpRate * ready);
  const downLimit = spec.reachable ? Math.floor(ready / spec.maxScaleDownRate) : 0;
  const limits = { upLimit, downLimit, activationScale: spec.activationScale };
  const fromStable = limitPods(Math.ceil(stable / spec.target), limits);
  const fromPanic = limitPods(Math.ceil(panic / spec.target), limits);
  return {
    stablePods: fromStable.pods,
    panicPods: fromPanic.pods,
    upLimit,
    downLimit,
    stableDesired: fromStable.desired,
    panicDesired: fromPanic.desired,
    panicRatio: fromPanic.pods / ready,
    reasons(source) {
      const { pods, rules } = source === 'stable' ? fromStable : fromPanic;
      return [pods === 0 ? 'no-load' : `${source}-load`, ...rules];
    },
  };
}

interface Limits {
  readonly upLimit: number;
  readonly downLimit: number;
  readonly activationScale: number;
}

function limitPods(pods: number, { upLimit, downLimit, activationScale }: Limits) {
  const rules: DecisionReason[] = [];
  let desired = pods;
  if (desired < downLimit) {
    desired = downLimit;
    rules.push('max-scale-down-rate');
  }
  if (desired > upLimit) {
    desired = upLimit;
    rules.push('max-scale-up-rate');
  }
  if (activationScale > 1 && pods > 0 && activationScale > desired) {
    desired = activationScale;
    rules.push('activation-scale');
  }
  return { pods, desired: Math.min(desired, MAX_PODS), rules };
}

interface Panic {
  readonly panicSinceMs: number | undefined;
  readonly maxPanicPods: number;
  readonly reasons: readonly DecisionReason[];
}

function nextPanic(nowMs: number, spec: ScalingSpec, { panicRatio }: Wanted, state: DeciderState): Panic {
  const { panicSinceMs, maxPanicPods } = state;
  if (panicRatio >= spec.panicThreshold) {
    return {
      panicSinceMs: nowMs,
      maxPanicPods,
      reasons: [panicSinceMs === undefined ? 'panic-entered' : 'panic-extended'],
    };
  }
  // Only once the surge has made its way through the whole stable window.
  if (panicSinceMs !== undefined && panicSinceMs + spec.stableWindowMs < nowMs) {
    return { panicSinceMs: undefined, maxPanicPods: 0, reasons: ['panic-left'] };
  }
  return { panicSinceMs, maxPanicPods, reasons: [] };
}

interface Settled {
  readonly desired: number;
  readonly undelayed: number;
  readonly source: Source;
  readonly maxPanicPods: number;
  readonly recent: SlidingMax;
  readonly reasons: readonly DecisionReason[];
}

/** Picks one of the two figures and keeps it from falling where panic or the delay says so. */
function settle(nowMs: number, spec: ScalingSpec, wanted: Wanted, state: DeciderState): Settled {
  const reasons: DecisionReason[] = [];
  const isPanicking = state.panicSinceMs !== undefined;
  const source: Source = isPanicking && wanted.panicDesired > wanted.stableDesired ? 'panic' : 'stable';
  const asked = source === 'panic' ? wanted.panicDesired : wanted.stableDesired;
  let undelayed = asked;
  let { maxPanicPods } = state;
  if (isPanicking) {
    maxPanicPods = Math.max(maxPanicPods, asked);
    undelayed = maxPanicPods;
    if (undelayed > asked) reasons.push('panic-holds');
  }
  if (!spec.reachable || spec.scaleDownDelayMs <= 0) {
    return { desired: undelayed, undelayed, source, maxPanicPods, recent: state.recent, reasons };
  }
  const recent = withValue(state.recent, undelayed, { nowMs, lengthMs: spec.scaleDownDelayMs });
  const desired = maximum(recent) ?? undelayed;
  if (desired > undelayed) reasons.push('scale-down-delay');
  return { desired, undelayed, source, maxPanicPods, recent, reasons };
}

/**
 * Requests that could arrive now beyond `targetBurstCapacity` without waiting; negative when the pods can't take even
 * that, which is when requests must come by way of the activator. It goes by the pods that are really ready.
 */
function excessBurstCapacity({ targetBurstCapacity, total }: ScalingSpec, { readyPods, panic }: Observation): number {
  if (targetBurstCapacity === 0) return 0;
  if (targetBurstCapacity < 0) return -1;
  return Math.floor(readyPods * total - targetBurstCapacity - panic);
}
