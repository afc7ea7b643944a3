/**
 * A split as a fixed order of a hundred turns: each backend gets exactly its percent of any hundred requests in a
 * row, and its turns are spread as evenly as can be (the smooth weighted round robin).
 */
export const TURNS = 100;

/** The index of the backend that takes each turn; `percents` sum to 100. */
export function splitSequence(percents: readonly number[]): Uint8Array {
  const sequence = new Uint8Array(TURNS);
  const credit = percents.map(() => 0);
  for (let turn = 0; turn < TURNS; turn += 1) {
    let best = 0;
    for (let i = 0; i < percents.length; i += 1) {
      credit[i] = (credit[i] ?? 0) + (percents[i] ?? 0);
      if ((credit[i] ?? 0) > (credit[best] ?? 0)) best = i;
    }
    credit[best] = (credit[best] ?? 0) - TURNS;
    sequence[turn] = best;
  }
  return sequence;
}
