/**
 * Work that can wait for a moment gives way to work that somebody waits for: it is done in slices, one each turn of the
 * event loop, and what came in meanwhile (requests, messages, timers) is dealt with in between. Under load the keys of
 * control loops gather while they wait, so that one reconcile does for several changes; on a machine at rest a turn
 * comes at once. There is one line for the whole thread, as there is one event loop.
 */
import type { Clock } from '#base/clock.ts';

/** How long one slice may last before the event loop gets its turn, ms; what is under way then is brought to its end. */
const SLICE_MS = 2;

/** At most so many pieces of work make a slice. */
const MAX_PIECES = 32;

type Time = Pick<Clock, 'monotonicMs'>;

const waiting: (() => void)[] = [];
/** Pieces that have their place in this turn of the event loop or the next. */
let placed = 0;
let endsAt: number | undefined;

/** Runs `work` soon; in the order in which it came. */
export function inTurn(clock: Time, work: () => void): void {
  waiting.push(work);
  place(clock);
}

/** An immediate for each piece: what one goes on with in promises runs before the next, and counts as well. */
function place(clock: Time): void {
  while (placed < Math.min(waiting.length, MAX_PIECES)) {
    placed += 1;
    setImmediate(takeOne, clock);
  }
}

function takeOne(clock: Time): void {
  placed -= 1;
  if (endsAt === undefined) {
    endsAt = clock.monotonicMs() + SLICE_MS;
    setImmediate(endSlice, clock);
  }
  if (clock.monotonicMs() < endsAt) waiting.shift()?.();
}

/** In the next turn of the event loop, before any piece. */
function endSlice(clock: Time): void {
  endsAt = undefined;
  place(clock);
}
