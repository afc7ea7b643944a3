/**
 * Work that can wait for a moment gives way to work that somebody waits for: it is done in slices, one each turn of the
 * event loop, and what came in meanwhile (requests, messages, timers) is dealt with in between. Under load the keys of
 * control loops gather while they wait, so that one reconcile does for several changes; on a machine at rest a turn
 * comes at once. There is one line for the whole thread, as there is one event loop.
 */
import type { Clock } from '#base/clock.ts';

/** How long one slice may last before the event loop gets its turn, ms. */
const SLICE_MS = 2;

let waiting: (() => void)[] = [];

/** Runs `work` soon; in the order in which it came. */
export function inTurn(clock: Pick<Clock, 'monotonicMs'>, work: () => void): void {
  waiting.push(work);
  if (waiting.length === 1) setImmediate(runSlice, clock);
}

function runSlice(clock: Pick<Clock, 'monotonicMs'>): void {
  const begun = clock.monotonicMs();
  let done = 0;
  try {
    while (done < waiting.length && clock.monotonicMs() - begun < SLICE_MS) {
      done += 1;
      waiting[done - 1]?.();
    }
  } finally {
    waiting = waiting.slice(done);
    if (waiting.length > 0) setImmediate(runSlice, clock);
  }
}
