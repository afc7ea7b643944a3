/**
 * Sets of completion indexes as a Job writes them: `0,2-4,7`. Two neighbours are written with a comma, more with a dash.
 * Kept as ordered intervals that do not touch, since a Job may have many thousands.
 */

export interface Interval {
  readonly first: number;
  readonly last: number;
}

export type Indexes = readonly Interval[];

/** Reads what a status or a success policy says. Parts that are no indexes, or beyond `completions`, are passed over. */
export function parseIndexes(text: string | undefined, completions: number): Indexes {
  const intervals = (text ?? '').split(',').flatMap((part): Interval[] => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!match) return [];
    const first = Number(match[1]);
    const last = Math.min(Number(match[2] ?? match[1]), completions - 1);
    return first <= last ? [{ first, last }] : [];
  });
  return joined(intervals);
}

export function formatIndexes(indexes: Indexes): string {
  return indexes.map(({ first, last }) => formatInterval(first, last)).join(',');
}

function formatInterval(first: number, last: number): string {
  if (first === last) return String(first);
  return `${first}${last === first + 1 ? ',' : '-'}${last}`;
}

export function indexesOf(numbers: Iterable<number>): Indexes {
  return joined([...numbers].map((number) => ({ first: number, last: number })));
}

export function union(...sets: readonly Indexes[]): Indexes {
  return joined(sets.flat());
}

export function totalOf(indexes: Indexes): number {
  return indexes.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

export function hasIndex(indexes: Indexes, wanted: number): boolean {
  let low = 0;
  let high = indexes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((indexes[middle]?.last ?? wanted) < wanted) low = middle + 1;
    else high = middle;
  }
  return (indexes[low]?.first ?? Infinity) <= wanted;
}

/** How many of `wanted` are among `indexes`. */
export function overlapOf(indexes: Indexes, wanted: Indexes): number {
  let count = 0;
  for (let left = 0, right = 0; left < indexes.length && right < wanted.length;) {
    const one = indexes[left] as Interval;
    const other = wanted[right] as Interval;
    count += Math.max(0, Math.min(one.last, other.last) - Math.max(one.first, other.first) + 1);
    if (one.last <= other.last) left += 1;
    else right += 1;
  }
  return count;
}

/** The lowest numbers below `completions` that are not taken, at most `count`. */
export function freeIndexes(taken: Indexes, { count, completions }: { count: number; completions: number }): number[] {
  const free: number[] = [];
  let candidate = 0;
  for (const { first, last } of [...taken, { first: completions, last: completions }]) {
    for (; candidate < Math.min(first, completions) && free.length < count; candidate += 1) free.push(candidate);
    candidate = Math.max(candidate, last + 1);
  }
  return free;
}

function joined(intervals: readonly Interval[]): Indexes {
  const result: Interval[] = [];
  for (const interval of intervals.toSorted((left, right) => left.first - right.first)) {
    const previous = result.at(-1);
    if (!previous || interval.first > previous.last + 1) result.push(interval);
    else if (interval.last > previous.last) result[result.length - 1] = { first: previous.first, last: interval.last };
  }
  return result;
}
