/**
 * The largest of the values of the last while: what a scale-down delay remembers. A plain value, changed by making a
 * new one, so that decisions stay pure and can be replayed.
 *
 * Only values that can still become the maximum are kept: each is larger than all that came after it.
 */

/** Values within one slot of this length count as one. */
const SLOT_MS = 2_000;

interface Entry {
  readonly slot: number;
  readonly value: number;
}

/** Oldest and largest first. */
export type SlidingMax = readonly Entry[];

export const emptySlidingMax: SlidingMax = [];

/** `known` with one more value, and without those older than `lengthMs`. */
export function withValue(
  known: SlidingMax,
  value: number,
  { nowMs, lengthMs }: { nowMs: number; lengthMs: number },
): SlidingMax {
  const slot = Math.floor(nowMs / SLOT_MS);
  const slots = Math.ceil(lengthMs / SLOT_MS);
  const kept = known.filter((entry) => entry.value > value && slot - entry.slot < slots);
  const last = kept.at(-1);
  // Two values of one slot: the larger stands for both.
  return last?.slot === slot ? kept : [...kept, { slot, value }];
}

/** The largest value kept; undefined when there is none. */
export function maximum(known: SlidingMax): number | undefined {
  return known[0]?.value;
}
