/**
 * A pod that refuses may be starting, or gone without the table knowing yet: another pod is tried at once, the same
 * one again after a few growing pauses, 155 ms in all, before the client hears of it. (The queue-proxy says 502 at
 * once.) Nothing was written in any of these attempts.
 */
import { Deadline, type Deadlines } from '#dataplane/proxy/deadlines.ts';
import type { Clock } from '#base/clock.ts';

const PAUSES_MS = [5, 10, 20, 40, 80] as const;

export class ConnectRetry implements Disposable {
  readonly #deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #tried = new Set<number>();
  readonly #deadline: Deadline;
  #attempt = 0;
  #next: () => void = () => {};

  constructor(context: { readonly deadlines: Deadlines; readonly clock: Clock }) {
    this.#deadlines = context.deadlines;
    this.#clock = context.clock;
    this.#deadline = new Deadline(() => this.#next());
  }

  tried(pod: number): void {
    this.#tried.add(pod);
  }

  wasTried(pod: number): boolean {
    return this.#tried.has(pod);
  }

  /** Calls `next` after a pause; false when there were enough of them. */
  again(next: () => void): boolean {
    const pause = PAUSES_MS[this.#attempt];
    if (pause === undefined) return false;
    this.#attempt += 1;
    this.#next = next;
    this.#deadlines.set(this.#deadline, pause, this.#clock.monotonicMs());
    return true;
  }

  [Symbol.dispose](): void {
    this.#deadlines.cancel(this.#deadline);
  }
}
