/**
 * The deciders, one per PodAutoscaler: each keeps what one decision hands to the next, and is asked every two seconds
 * and whenever the gateway says that somebody waits.
 *
 * Whoever listens hears of a decision only when it matters to the PodAutoscaler: the number of pods changed, or requests
 * now have to come by way of the activator or no longer need to (facts: 7.4). It hears of it in the same turn, so that
 * the way from a waiting request to the scale that it needs has no queue in it.
 */
import { deepEqual } from '#base/json.ts';
import type { Averages } from '#autoscaler/collector.ts';
import {
  decide,
  type Decision,
  type DeciderState,
  initialBurstCapacity,
  initialState,
  type Observation,
  type ScalingSpec,
} from '#autoscaler/decide.ts';
import { UNKNOWN_SCALE } from '#autoscaler/apply-scale.ts';
import type { ScalingMetric } from '#autoscaler/targets.ts';
import type { SteadyTime } from '#autoscaler/steady-time.ts';
import type { ObjectKey } from '#kube/object.ts';

/** Why a decision was made now. */
export type Occasion = 'period' | 'request-waits' | 'surge';

export interface DecisionRecord {
  readonly key: ObjectKey;
  readonly occasion: Occasion;
  readonly spec: ScalingSpec;
  readonly observed: Observation;
  /** What the decision before handed over. */
  readonly before: DeciderState;
  readonly decision: Decision;
}

export interface DecidersOptions {
  readonly time: SteadyTime;
  readonly readyPods: (key: ObjectKey) => number;
  /** The averages of a revision, undefined when there are none to decide on. */
  readonly observe: (key: ObjectKey, metric: ScalingMetric) => Averages | undefined;
  /** Called when the PodAutoscaler must hear of a decision. */
  readonly onChange: (key: ObjectKey) => void;
  /** Called when a decider is made, with the pods that are ready then. */
  readonly onBegin?: ((key: ObjectKey, readyPods: number) => void) | undefined;
  /** Called with every decision. */
  readonly onDecision?: ((record: DecisionRecord) => void) | undefined;
}

/** What is recommended for a revision. */
export interface Recommendation {
  /** -1 until the first decision. */
  readonly desired: number;
  readonly excessBurstCapacity: number;
}

interface Decider {
  spec: ScalingSpec;
  state: DeciderState;
  recommendation: Recommendation;
}

export class Deciders {
  readonly #options: DecidersOptions;
  readonly #deciders = new Map<ObjectKey, Decider>();

  constructor(options: DecidersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#deciders.size;
  }

  get(key: ObjectKey): Recommendation | undefined {
    return this.#deciders.get(key)?.recommendation;
  }

  /**
   * Makes the decider, or has it go on by another spec; answers what is recommended so far. A new one decides at once
   * when there is load already: requests wait that came while nobody decided.
   */
  follow(key: ObjectKey, spec: ScalingSpec): Recommendation {
    const known = this.#deciders.get(key);
    if (known) {
      if (!deepEqual(known.spec, spec)) known.spec = spec;
      return known.recommendation;
    }
    const { time, readyPods, onBegin } = this.#options;
    const ready = readyPods(key);
    const state = initialState(ready, time());
    onBegin?.(key, ready);
    const recommendation = { desired: UNKNOWN_SCALE, excessBurstCapacity: initialBurstCapacity(spec) };
    const decider: Decider = { spec, state, recommendation };
    this.#deciders.set(key, decider);
    const averages = this.#options.observe(key, spec.metric);
    if (averages && averages.stable + averages.panic > 0) this.#tick(key, decider, 'request-waits');
    return decider.recommendation;
  }

  forget(key: ObjectKey): void {
    this.#deciders.delete(key);
  }

  tickAll(): void {
    for (const [key, decider] of this.#deciders) this.#tick(key, decider, 'period');
  }

  /** Decides now, out of turn. */
  poke(key: ObjectKey, occasion: Occasion): void {
    const decider = this.#deciders.get(key);
    if (decider) this.#tick(key, decider, occasion);
  }

  #tick(key: ObjectKey, decider: Decider, occasion: Occasion): void {
    const { observe, readyPods, time, onDecision, onChange } = this.#options;
    const { spec, state: before, recommendation: last } = decider;
    const averages = observe(key, spec.metric);
    if (!averages) return;
    const observed = { readyPods: readyPods(key), ...averages };
    const { decision, state } = decide(time(), spec, observed, before);
    const { desired, excessBurstCapacity } = decision;
    decider.state = state;
    decider.recommendation = { desired, excessBurstCapacity };
    onDecision?.({ key, occasion, spec, observed, before, decision });
    const hasTurned = excessBurstCapacity < 0 !== last.excessBurstCapacity < 0;
    if (desired !== last.desired || hasTurned) onChange(key);
  }
}
