/** A request that found no pod: its marks, and the steps of the cold start that it saw. */
import type { Clock } from '#base/clock.ts';
import { coldStartSteps, renderServerTiming, type StartMarks, type TimelineStep } from '#protocol/timeline.ts';

/**
 * Instants in ms since the epoch, with fractions. The wall clock ticks in whole milliseconds; how far it is ahead of
 * the monotonic one is best known right after a tick, so the largest difference seen is the true one, until somebody
 * sets the clock.
 */
export class EpochClock {
  readonly #clock: Clock;
  #offset = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    const monotonic = this.#clock.monotonicMs();
    const offset = this.#clock.now() - monotonic;
    if (offset > this.#offset || this.#offset - offset > 2) this.#offset = offset;
    return monotonic + this.#offset;
  }
}

export class ColdStartMarks {
  readonly seen: number;
  endpointKnown = 0;
  forwarded = 0;

  constructor(seen: number) {
    this.seen = seen;
  }

  /** The steps up to `firstByte`; `start` is what the node agent told of the pod. */
  steps(start: StartMarks | undefined, firstByte: number): TimelineStep[] {
    const { seen, endpointKnown, forwarded } = this;
    return coldStartSteps(start ?? {}, { seen, endpointKnown, forwarded, firstByte });
  }
}

export function serverTimingField(steps: readonly TimelineStep[]): string {
  return `Server-Timing: ${renderServerTiming(steps)}\r\n`;
}
