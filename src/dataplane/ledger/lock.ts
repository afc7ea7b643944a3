/**
 * The lock of one queue: a word that holds its owner's seat, so that a thread's death in the midst can be seen and
 * repaired. Held for well under a microsecond; whoever finds it taken looks again a few times and then sleeps.
 */
const FREE = 0;
const CONTENDED = 1 << 16;
const SPINS = 50;
/** A sleeper looks again by itself, for the case that the owner died. */
const NAP_MS = 1;

export function lock(words: Int32Array<SharedArrayBuffer>, at: number, seat: number): void {
  const mine = seat + 1;
  for (let spin = 0; spin < SPINS; spin += 1) {
    if (Atomics.compareExchange(words, at, FREE, mine) === FREE) return;
  }
  for (;;) {
    const seen = Atomics.load(words, at);
    if (seen === FREE) {
      // Others may sleep: take it as contended, and wake one at the end.
      if (Atomics.compareExchange(words, at, FREE, mine | CONTENDED) === FREE) return;
    } else if ((seen & CONTENDED) !== 0 || Atomics.compareExchange(words, at, seen, seen | CONTENDED) === seen) {
      Atomics.wait(words, at, seen | CONTENDED, NAP_MS);
    }
  }
}

export function unlock(words: Int32Array<SharedArrayBuffer>, at: number): void {
  const was = Atomics.exchange(words, at, FREE);
  if ((was & CONTENDED) !== 0) Atomics.notify(words, at, 1);
}

/** The seat that holds the lock, or -1. */
export function ownerOf(words: Int32Array<SharedArrayBuffer>, at: number): number {
  return (Atomics.load(words, at) & (CONTENDED - 1)) - 1;
}

/** Takes a dead owner's lock over; the caller repairs what it protects and unlocks. */
export function takeOver(words: Int32Array<SharedArrayBuffer>, at: number, seat: number): void {
  Atomics.store(words, at, (seat + 1) | CONTENDED);
}
