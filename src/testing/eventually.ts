/**
 * Waits for a condition of the real world in tests: asks every few milliseconds until it holds, and fails with the
 * last thing that it saw when the time is up. Never a bare sleep.
 */
import { systemClock } from '#base/clock.ts';

export interface EventuallyOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  /** What is awaited, for the failure's text. */
  readonly what?: string;
}

/** Resolves with the first truthy answer of `probe`; a probe that throws counts as not yet. */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<NonNullable<T>> {
  const { timeoutMs = 10_000, intervalMs = 5, what = 'the condition' } = options;
  const deadline = systemClock.monotonicMs() + timeoutMs;
  const never = new AbortController().signal;
  let last: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (systemClock.monotonicMs() > deadline) {
      throw new Error(`${what} did not come true within ${timeoutMs} ms; last seen: ${describe(last)}`, {
        cause: last,
      });
    }
    await systemClock.sleep(intervalMs, never);
  }
}

function describe(value: unknown): string {
  return value instanceof Error ? value.message : (JSON.stringify(value) ?? String(value));
}
