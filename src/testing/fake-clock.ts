/**
 * A clock that stands still until a test advances it. Timers fire in order of their due time, then of creation;
 * random draws come from a seeded generator, so that a run can be repeated from its seed.
 */
import { type Clock, sleepOn, type Timer, timerOf } from '#base/clock.ts';

interface Pending {
  due: number;
  readonly order: number;
  readonly fire: () => void;
  readonly periodMs: number | undefined;
}

export class FakeClock implements Clock {
  #nowMs: number;
  #order = 0;
  #pending: Pending[] = [];
  readonly #random: () => number;

  constructor(options: { startMs?: number; seed?: number } = {}) {
    this.#nowMs = options.startMs ?? Date.UTC(2026, 0, 1);
    this.#random = mulberry32(options.seed ?? 1);
  }

  now = (): number => this.#nowMs;
  monotonicMs = (): number => this.#nowMs;
  random = (): number => this.#random();
  sleep = (delayMs: number, signal: AbortSignal): Promise<void> => sleepOn(this, delayMs, signal);

  randomBytes = (count: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => Math.floor(this.#random() * 256));

  after = (delayMs: number, fire: () => void): Timer => this.#schedule(delayMs, fire, undefined);
  every = (periodMs: number, fire: () => void): Timer => this.#schedule(periodMs, fire, periodMs);

  /** How many timers wait. */
  get pending(): number {
    return this.#pending.length;
  }

  /**
   * Moves time forward by `ms`, firing what falls due in order. Between two timers, and at the end, promises that
   * became ready run to completion, so that what a timer set off has happened when the next one fires.
   */
  async advance(ms: number): Promise<void> {
    const target = this.#nowMs + ms;
    await settle();
    for (let next = this.#nextDue(target); next; next = this.#nextDue(target)) {
      this.#nowMs = Math.max(this.#nowMs, next.due);
      if (next.periodMs === undefined) this.#remove(next);
      else next.due += Math.max(1, next.periodMs);
      next.fire();
      await settle();
    }
    this.#nowMs = target;
  }

  #schedule(delayMs: number, fire: () => void, periodMs: number | undefined): Timer {
    this.#order += 1;
    const entry: Pending = { due: this.#nowMs + Math.max(0, delayMs), order: this.#order, fire, periodMs };
    this.#pending.push(entry);
    return timerOf(() => this.#remove(entry));
  }

  #remove(entry: Pending): void {
    this.#pending = this.#pending.filter((other) => other !== entry);
  }

  #nextDue(target: number): Pending | undefined {
    const due = this.#pending.filter((entry) => entry.due <= target);
    return due.sort((a, b) => a.due - b.due || a.order - b.order)[0];
  }
}

/** Lets everything that is ready run: promise callbacks and immediates, several rounds. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 8; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A small seeded generator (mulberry32). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
