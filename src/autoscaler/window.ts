/**
 * What a revision's load was lately: values per second over a window, and their average as Knative computes it.
 *
 *     seconds   … 7 8 9 10 11 12 13
 *     buckets     2 3 . 1  4  .  5      a ring of ceil(window / 1 s) sums, one per second
 *                 ▲ firstWrite   ▲ lastWrite
 *
 * Guarantees: values of one second add up; a value that is late by less than the window still counts, an older one is
 * dropped; a pause of a window or longer forgets everything. Time is whatever the caller passes, in milliseconds, and
 * need not be the wall clock's.
 *
 * The average is that of the seconds that have been written: those before the first value and those after the last
 * one don't dilute it, so a young revision and one whose reports stopped are judged by what is known.
 */

/** How much time one bucket stands for. */
export const BUCKET_MS = 1_000;

export type Aggregation = 'linear' | 'weighted-exponential';

/** The weight of the newest second never falls below this, however long the window. */
const MIN_SMOOTHING = 0.2;
/** What the weights of a whole window leave out. */
const SMOOTHING_REST = 0.0001;
const LINEAR_DECIMALS = 1e6;

export class TimedWindow {
  readonly #aggregation: Aggregation;
  #windowMs: number;
  #buckets: Float64Array;
  #total = 0;
  /** Index of the second of the first and of the last write that still count. */
  #firstWrite = Infinity;
  #lastWrite = -Infinity;

  constructor(aggregation: Aggregation, windowMs: number) {
    this.#aggregation = aggregation;
    this.#windowMs = windowMs;
    this.#buckets = new Float64Array(bucketsOf(windowMs));
  }

  get windowMs(): number {
    return this.#windowMs;
  }

  /** Adds `value` to the second of `atMs`. */
  record(atMs: number, value: number): void {
    const second = secondOf(atMs);
    if (this.#isGap(second - this.#lastWrite)) this.#restart(second);
    else if (this.#isGap(this.#lastWrite - second)) return;
    else this.#reach(second);
    this.#buckets[this.#slot(second)] = this.#at(second) + value;
    this.#total += value;
  }

  /** Whether the last value is older than the window. */
  isEmpty(nowMs: number): boolean {
    return (secondOf(nowMs) - this.#lastWrite) * BUCKET_MS > this.#windowMs;
  }

  /** The average at `nowMs`; 0 when nothing was written in the window. */
  average(nowMs: number): number {
    const silent = Math.max(0, secondOf(nowMs) - this.#lastWrite);
    if (this.#isGap(silent)) return 0;
    return this.#aggregation === 'linear' ? this.#linear(silent) : this.#weighted(silent);
  }

  /** Changes the length, keeping the newest seconds that both lengths hold. */
  resize(windowMs: number, nowMs: number): void {
    if (windowMs === this.#windowMs) return;
    const buckets = new Float64Array(bucketsOf(windowMs));
    if (this.isEmpty(nowMs)) {
      this.#firstWrite = Infinity;
      this.#total = 0;
    } else {
      this.#total = this.#copyNewest(buckets);
    }
    this.#windowMs = windowMs;
    this.#buckets = buckets;
  }

  #linear(silent: number): number {
    let sum = this.#total;
    for (let second = this.#lastWrite + 1; second <= this.#lastWrite + silent; second += 1) sum -= this.#at(second);
    const written = this.#lastWrite - this.#firstWrite + 1;
    const count = Math.min(written, this.#buckets.length - silent);
    // Adding zero turns a negative zero into a plain one.
    return Math.round((sum / count) * LINEAR_DECIMALS) / LINEAR_DECIMALS + 0;
  }

  #weighted(silent: number): number {
    const smoothing = Math.max(1 - SMOOTHING_REST ** (1 / this.#buckets.length), MIN_SMOOTHING);
    let weight = smoothing * (1 - smoothing) ** silent;
    let sum = 0;
    for (let back = 0; back < this.#buckets.length - silent; back += 1) {
      sum += this.#at(this.#lastWrite - back) * weight;
      weight *= 1 - smoothing;
    }
    return sum;
  }

  #restart(second: number): void {
    this.#buckets.fill(0);
    this.#total = 0;
    this.#firstWrite = second;
    this.#lastWrite = second;
  }

  /** Makes `second`, which is inside the window, part of what was written. */
  #reach(second: number): void {
    this.#firstWrite = Math.min(this.#firstWrite, second);
    for (let passed = this.#lastWrite + 1; passed <= second; passed += 1) {
      this.#total -= this.#at(passed);
      this.#buckets[this.#slot(passed)] = 0;
    }
    this.#lastWrite = Math.max(this.#lastWrite, second);
  }

  /** Fills `target` with the newest seconds and answers their sum. */
  #copyNewest(target: Float64Array): number {
    const kept = Math.min(target.length, this.#buckets.length);
    let sum = 0;
    for (let second = this.#lastWrite - kept + 1; second <= this.#lastWrite; second += 1) {
      target[mod(second, target.length)] = this.#at(second);
      sum += this.#at(second);
    }
    // Seconds that the old ring no longer held must not count as silent ones in a longer window.
    this.#firstWrite = Math.max(this.#firstWrite, this.#lastWrite - this.#buckets.length + 1);
    return sum;
  }

  /** Whether so many seconds are a window or more. */
  #isGap(seconds: number): boolean {
    return seconds * BUCKET_MS >= this.#windowMs;
  }

  #slot(second: number): number {
    return mod(second, this.#buckets.length);
  }

  #at(second: number): number {
    return this.#buckets[this.#slot(second)] ?? 0;
  }
}

function bucketsOf(windowMs: number): number {
  return Math.ceil(windowMs / BUCKET_MS);
}

function secondOf(atMs: number): number {
  return Math.floor(atMs / BUCKET_MS);
}

function mod(value: number, length: number): number {
  return ((value % length) + length) % length;
}
