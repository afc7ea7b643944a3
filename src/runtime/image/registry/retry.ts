/** Tries again what failed for a passing reason, with growing pauses; everything else fails at once. */
import { type BackoffOptions, backoffDelayMs } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { isImageError } from '#runtime/image/errors.ts';
import { MAX_ATTEMPTS, MAX_RETRY_AFTER_MS } from '#runtime/image/limits.ts';

const PAUSE: BackoffOptions = { baseMs: 200, maxMs: 5_000 };

/** `attempt` is told how many attempts came before it. */
export async function withRetries<T>(
  clock: Clock,
  signal: AbortSignal,
  attempt: (earlier: number) => Promise<T>,
): Promise<T> {
  for (let earlier = 0; ; earlier += 1) {
    try {
      return await attempt(earlier);
    } catch (error) {
      if (!isImageError(error) || !error.transient || earlier + 1 >= MAX_ATTEMPTS) throw error;
      const asked = error.retryAfterMs ?? 0;
      if (asked > MAX_RETRY_AFTER_MS) throw error;
      const pauseMs = backoffDelayMs(PAUSE, earlier) * (0.5 + clock.random() / 2);
      await clock.sleep(Math.max(asked, pauseMs), signal);
    }
  }
}
