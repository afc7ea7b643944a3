/**
 * Exponential back-off per key, as Kubernetes' work queues do it: base × 2^failures, capped.
 */
export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  readonly #failures = new Map<string, number>();

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Counts one more failure of `key` and answers how long to wait before the next attempt, in ms. */
  next(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    return backoffDelayMs(this.#options, failures);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }
}

/** The delay after `failures` earlier failures (0 for the first). */
export function backoffDelayMs({ baseMs, maxMs }: BackoffOptions, failures: number): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(failures, 40));
}
