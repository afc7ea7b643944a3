/**
 * The rules of the autoscaler a second time, to compare with: everything that ever happened is kept, and each answer
 * is worked out from the whole of it by the words of the rule. Slow on purpose; shares nothing with the real code but
 * the types.
 */
import type { Observation, ScalingSpec } from '#autoscaler/decide.ts';

interface Write {
  readonly second: number;
  readonly value: number;
}

/** All values that count, as a list. */
export class ReferenceWindow {
  readonly #aggregation: 'linear' | 'weighted-exponential';
  readonly #seconds: number;
  #writes: Write[] = [];

  constructor(aggregation: 'linear' | 'weighted-exponential', seconds: number) {
    this.#aggregation = aggregation;
    this.#seconds = seconds;
  }

  record(atMs: number, value: number): void {
    const second = Math.floor(atMs / 1000);
    const last = this.#last();
    if (second <= last - this.#seconds) return;
    if (second >= last + this.#seconds) this.#writes = [];
    this.#writes.push({ second, value });
  }

  isEmpty(nowMs: number): boolean {
    return Math.floor(nowMs / 1000) - this.#last() > this.#seconds;
  }

  average(nowMs: number): number {
    const last = this.#last();
    const now = Math.max(last, Math.floor(nowMs / 1000));
    if (now - last >= this.#seconds) return 0;
    return this.#aggregation === 'linear' ? this.#linear(now) : this.#weighted(now);
  }

  /** The sum of the seconds in the window, over how many of those between first and last write are in it. */
  #linear(now: number): number {
    const first = Math.min(...this.#writes.map(({ second }) => second));
    let sum = 0;
    let count = 0;
    for (let second = now - this.#seconds + 1; second <= this.#last(); second += 1) {
      sum += this.#sumOf(second);
      if (second >= first) count += 1;
    }
    return Number((sum / count).toFixed(6));
  }

  #weighted(now: number): number {
    const weight = Math.max(0.2, 1 - Math.exp(Math.log(0.0001) / this.#seconds));
    let sum = 0;
    for (let age = 0; age < this.#seconds; age += 1) sum += this.#sumOf(now - age) * weight * (1 - weight) ** age;
    return sum;
  }

  #sumOf(second: number): number {
    return this.#writes.filter((write) => write.second === second).reduce((sum, { value }) => sum + value, 0);
  }

  #last(): number {
    return Math.max(-Infinity, ...this.#writes.map(({ second }) => second));
  }
}

interface Past {
  readonly nowMs: number;
  readonly spec: ScalingSpec;
  readonly isOver: boolean;
  /** By the averages alone, within the rate limits. */
  readonly stable: number;
  readonly panic: number;
}

export interface ReferenceDecision {
  readonly desired: number;
  readonly excessBurstCapacity: number;
  readonly panicking: boolean;
}

export class ReferenceDecider {
  readonly #past: Past[] = [];
  readonly #begun: { readonly atMs: number; readonly readyPods: number };

  constructor(atMs: number, readyPods: number) {
    this.#begun = { atMs, readyPods };
  }

  decide(nowMs: number, spec: ScalingSpec, observed: Observation): ReferenceDecision {
    const ready = observed.readyPods < 1 ? 1 : observed.readyPods;
    const isOver = Math.ceil(observed.panic / spec.target) / ready >= spec.panicThreshold;
    const stable = limited(observed.stable, ready, spec);
    const panic = limited(observed.panic, ready, spec);
    this.#past.push({ nowMs, spec, isOver, stable, panic });
    const desired = this.#delayed(this.#past.length - 1);
    return {
      desired,
      excessBurstCapacity: burst(spec, observed),
      panicking: this.#isPanicking(this.#past.length - 1),
    };
  }

  /** Over the threshold now, or within a stable window of the last time that it was, without a break since. */
  #isPanicking(index: number): boolean {
    const past = this.#past[index];
    if (past === undefined) return this.#begun.readyPods > 1;
    if (past.isOver) return true;
    if (!this.#isPanicking(index - 1)) return false;
    return past.nowMs <= this.#lastOver(index) + past.spec.stableWindowMs;
  }

  #lastOver(index: number): number {
    const over = this.#past.slice(0, index + 1).filter((past) => past.isOver);
    return over.at(-1)?.nowMs ?? this.#begun.atMs;
  }

  /** The most that was wanted since the panic began. */
  #undelayed(index: number): number {
    const past = this.#past[index];
    if (past === undefined) return 0;
    if (!this.#isPanicking(index)) return past.stable;
    let first = index;
    while (first > 0 && this.#isPanicking(first - 1)) first -= 1;
    const wanted = this.#past.slice(first, index + 1).map((each) => Math.max(each.stable, each.panic));
    // What was there at the start counts in the first panic, for as long as none has ended.
    const isFirst = this.#past.slice(0, first).every((_, before) => !this.#hasLeft(before));
    return Math.max(...wanted, isFirst ? this.#begun.readyPods : 0);
  }

  #hasLeft(index: number): boolean {
    return !this.#isPanicking(index) && this.#isPanicking(index - 1);
  }

  /** The most of the slots of two seconds that the delay spans. */
  #delayed(index: number): number {
    const now = this.#past[index];
    if (now === undefined) return 0;
    const own = this.#undelayed(index);
    if (!now.spec.reachable || now.spec.scaleDownDelayMs === 0) return own;
    const slot = (past: Past) => Math.floor(past.nowMs / 2000);
    const slots = Math.ceil(now.spec.scaleDownDelayMs / 2000);
    const held = this.#past.flatMap((past, other) => {
      const counts = past.spec.reachable && past.spec.scaleDownDelayMs > 0 && slot(now) - slot(past) < slots;
      return counts ? [this.#undelayed(other)] : [];
    });
    return Math.max(own, ...held);
  }
}

function limited(average: number, ready: number, spec: ScalingSpec): number {
  const pods = Math.ceil(average / spec.target);
  const most = Math.ceil(ready * spec.maxScaleUpRate);
  const least = spec.reachable ? Math.floor(ready / spec.maxScaleDownRate) : 0;
  const within = Math.min(most, Math.max(least, pods));
  const needsMore = spec.activationScale >= 2 && pods >= 1 && within < spec.activationScale;
  return needsMore ? spec.activationScale : within;
}

function burst(spec: ScalingSpec, { readyPods, panic }: Observation): number {
  if (spec.targetBurstCapacity === -1) return -1;
  if (spec.targetBurstCapacity === 0) return 0;
  return Math.floor(spec.total * readyPods - spec.targetBurstCapacity - panic);
}
