/**
 * When a process that ended starts again: at once, unless it keeps ending right after its start. Pure.
 */
import { backoffDelayMs } from '#base/backoff.ts';

/** A process that lived shorter than this crashed fast. */
const FAST_CRASH_MS = 2_000;
/** So many fast crashes in a row are forgiven. */
const FREE_RESTARTS = 5;
const BACKOFF = { baseMs: 50, maxMs: 5_000 };

export interface RestartDecision {
  readonly delayMs: number;
  /** Fast crashes in a row, this one included. */
  readonly fastCrashes: number;
}

export function decideRestart(livedMs: number, fastCrashesBefore: number): RestartDecision {
  if (livedMs >= FAST_CRASH_MS) return { delayMs: 0, fastCrashes: 0 };
  const fastCrashes = fastCrashesBefore + 1;
  const delayMs = fastCrashes <= FREE_RESTARTS ? 0 : backoffDelayMs(BACKOFF, fastCrashes - FREE_RESTARTS - 1);
  return { delayMs, fastCrashes };
}
