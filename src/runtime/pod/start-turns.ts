/**
 * Takes turns at starting containers. Many starts at once share the processors, so that all of them would come to
 * their end together; a few at a time, first come first served, answer the first request early and the last no later.
 */
import { availableParallelism } from 'node:os';
import type { Clock } from '#base/clock.ts';
import { Gate } from '#base/gate.ts';

/** A start waits for the disk and for other processes now and then. */
const STARTS_PER_PROCESSOR = 2;
const MAX_WAITING = 10_000;
/** A start that takes longer is stuck, and holds nobody else up. */
const TURN_LIMIT_MS = 10_000;

export class StartTurns {
  readonly #clock: Clock;
  readonly #gate = new Gate({
    width: STARTS_PER_PROCESSOR * availableParallelism(),
    maxWaiting: MAX_WAITING,
    onFull: () => new Error(`more than ${MAX_WAITING} containers wait to be started`),
  });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is this start's turn; disposing ends it. */
  async take(signal: AbortSignal): Promise<Disposable> {
    const turn = await this.#gate.enter(signal);
    const timer = this.#clock.after(TURN_LIMIT_MS, () => turn[Symbol.dispose]());
    return {
      [Symbol.dispose]: () => {
        timer.cancel();
        turn[Symbol.dispose]();
      },
    };
  }
}
