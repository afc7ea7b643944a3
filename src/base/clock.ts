/**
 * Time and chance, the only place in the product that knows either.
 *
 * Everything that waits, stamps or draws takes a `Clock`; tests and simulations pass a fake one and stay
 * deterministic. Wall-clock values are milliseconds since the epoch; `monotonicMs` never goes backwards and is
 * the one to measure durations with.
 */
export interface Timer extends Disposable {
  /** Stops the timer; calling it after it fired, or twice, does nothing. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since an arbitrary instant; never goes backwards, sub-millisecond resolution. */
  monotonicMs(): number;
  /** Runs `fire` once after `delayMs` (at least 0). The timer does not keep the process alive when `unref` is set. */
  after(delayMs: number, fire: () => void, options?: { unref?: boolean }): Timer;
  /** Runs `fire` again and again, `periodMs` after the last run began. */
  every(periodMs: number, fire: () => void): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
  /** A number in [0, 1). */
  random(): number;
  /** Bytes fit for identifiers and keys. */
  randomBytes(count: number): Uint8Array;
}

/** Longest delay that the platform's timers take; longer ones are clamped to it (about 24.8 days). */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, fire, options) {
    const handle = setTimeout(fire, Math.min(Math.max(0, delayMs), MAX_DELAY_MS));
    if (options?.unref) handle.unref();
    return timerOf(() => clearTimeout(handle));
  },
  every(periodMs, fire) {
    const handle = setInterval(fire, Math.min(Math.max(1, periodMs), MAX_DELAY_MS));
    return timerOf(() => clearInterval(handle));
  },
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
  random: () => Math.random(),
  // Loaded on first use: it costs a megabyte, and the supervisor draws nothing.
  randomBytes: (count) => process.getBuiltinModule('node:crypto').randomBytes(count),
};

export function timerOf(cancel: () => void): Timer {
  return { cancel, [Symbol.dispose]: cancel };
}

/** `Clock.sleep` in terms of `Clock.after`, shared by every clock. */
export function sleepOn(clock: Pick<Clock, 'after'>, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
