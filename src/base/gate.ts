/** Lets a few through at a time, in the order in which they came; the queue in front is bounded. */

export interface GateOptions {
  /** How many may be inside at once. */
  readonly width: number;
  readonly maxWaiting: number;
  /** What whoever finds the queue full is told. */
  readonly onFull: () => Error;
}

export class Gate {
  readonly #options: GateOptions;
  #inside = 0;
  #waiting: (() => void)[] = [];

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Resolves when it is this caller's turn; disposing lets the next one in. */
  async enter(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#inside < this.#options.width) this.#inside += 1;
    else await this.#wait(signal);
    let isOut = false;
    return {
      [Symbol.dispose]: () => {
        if (isOut) return;
        isOut = true;
        this.#leave();
      },
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#options.maxWaiting) throw this.#options.onFull();
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== turn);
        reject(signal.reason);
      };
      this.#waiting.push(turn);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** The place passes to the next in line without becoming free in between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#inside -= 1;
  }
}
