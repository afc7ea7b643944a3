/** Sets of completion indexes in text form, such as `0,2-4`: increasing, and below the number of completions. */
import { ParseError } from '#kube/parse-error.ts';

export interface IndexInterval {
  readonly first: number;
  readonly last: number;
}

export function readIndexes(text: string, completions: number): IndexInterval[] | ParseError {
  const intervals: IndexInterval[] = [];
  for (const part of text === '' ? [] : text.split(',')) {
    const interval = readInterval(part, completions);
    if (interval instanceof ParseError) return interval;
    const { last: previous = -1 } = intervals.at(-1) ?? {};
    if (previous >= interval.first) return notIncreasing(previous, interval.first);
    intervals.push(interval);
  }
  return intervals;
}

export function countOf(intervals: readonly IndexInterval[]): number {
  return intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

function readInterval(part: string, completions: number): IndexInterval | ParseError {
  const limits = part.split('-');
  if (limits.length > 2) {
    const rule = "violates the requirement that an index interval can have at most two parts separated by '-'";
    return new ParseError(`the fragment ${JSON.stringify(part)} ${rule}`);
  }
  const numbers: number[] = [];
  for (const limit of limits) {
    if (!/^[+-]?\d+$/.test(limit)) {
      return new ParseError(`cannot convert string to integer for index: ${JSON.stringify(limit)}`);
    }
    if (Number(limit) >= completions) return new ParseError(`too large index: ${JSON.stringify(limit)}`);
    numbers.push(Number(limit));
  }
  const [first = 0, last = first] = numbers;
  return numbers.length > 1 && first >= last ? notIncreasing(first, last) : { first, last };
}

function notIncreasing(previous: number, current: number): ParseError {
  return new ParseError(`non-increasing order, previous: ${previous}, current: ${current}`);
}
