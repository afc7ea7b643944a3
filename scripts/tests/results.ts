/** What came of a group of tests, from what the recorder wrote while Node's test runner ran it. */
import path from 'node:path';
import { ROOT } from './groups.ts';

/** One line of the recorder. */
export type RecordedEvent =
  | { readonly kind: 'summary'; readonly counts: Counts }
  | { readonly kind: 'failed'; readonly name: string; readonly file: string }
  | { readonly kind: 'leftOut'; readonly reason: string }
  | { readonly kind: 'knownDifference' };

/** As Node counts them. */
export interface Counts {
  readonly tests: number;
  readonly passed: number;
  readonly skipped: number;
  readonly todo: number;
}

export interface Failure {
  readonly name: string;
  readonly file: string;
}

export interface GroupResult {
  readonly group: string;
  readonly files: number;
  /** Undefined when the runner ended before it could say. */
  readonly counts: Counts | undefined;
  readonly failures: readonly Failure[];
  /** The reason of each test that was left out. */
  readonly leftOut: readonly string[];
  /** Tests that are expected to fail, with a reason, and did. */
  readonly knownDifferences: number;
  readonly exitCode: number;
  readonly durationMs: number;
}

type Read = Pick<GroupResult, 'counts' | 'failures' | 'leftOut' | 'knownDifferences'>;

/** @param text the recorder's lines; the last may be cut off where the runner was killed. */
export function readResults(text: string): Read {
  const lines = text.split('\n').slice(0, -1);
  const events = lines.map((line) => JSON.parse(line) as RecordedEvent);
  const failures = events.filter((event) => event.kind === 'failed');
  return {
    counts: events.findLast((event) => event.kind === 'summary')?.counts,
    failures: failures.map(({ name, file }) => ({ name, file: path.relative(ROOT, file) })),
    leftOut: events.filter((event) => event.kind === 'leftOut').map(({ reason }) => reason),
    knownDifferences: events.filter((event) => event.kind === 'knownDifference').length,
  };
}

export function failedOf({ tests, passed, skipped, todo }: Counts): number {
  return tests - passed - skipped - todo;
}

export function hasPassed({ counts, exitCode }: GroupResult): boolean {
  return exitCode === 0 && counts !== undefined && counts.tests > 0 && failedOf(counts) === 0;
}
