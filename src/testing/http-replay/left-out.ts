/**
 * Which recorded answers our server is not held to, and why: `test/oracle/*-left-out.json`. What is as recorded after
 * all has no place there: whole cases are expected to fail, and an entry that hides nothing is reported as a
 * difference.
 */
import { readFileSync } from 'node:fs';

export interface LeftOut {
  /** A case, or `*` for all. */
  readonly case: string;
  /** Absent: the whole case. */
  readonly step?: number;
  /** JSON pointers into the answer, or names of what a command printed; absent: all of it. */
  readonly ignore?: readonly string[];
  readonly reason: string;
  /** The case needs pods that run: another test replays it, on a whole platform. */
  readonly isForPlatform?: boolean;
  /** What it hides is not there every time. */
  readonly isSometimes?: boolean;
}

export function leftOut(corpus: 'kube' | 'kubectl' | 'kubectl-platform'): LeftOut[] {
  const file = new URL(`../../../test/oracle/${corpus}-left-out.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as LeftOut[];
}

/** The entry that leaves out a whole case. */
export function wholeCase(all: readonly LeftOut[], name: string): LeftOut | undefined {
  return all.find((one) => one.case === name && one.step === undefined && !one.ignore);
}

/** How a test of the case is declared: run, run and expected to fail, or not run. */
export function testOptions(entry: LeftOut | undefined): { skip?: string; expectFailure?: string } {
  if (!entry) return {};
  return entry.isForPlatform ? { skip: entry.reason } : { expectFailure: entry.reason };
}

/** Pointers that do not count in one answer; undefined when nothing of it counts. */
export function ignoredIn(all: readonly LeftOut[], name: string, step: number): string[] | undefined {
  const own = all.filter((one) => (one.case === name || one.case === '*') && (one.step ?? step) === step);
  if (own.some((one) => one.step === step && !one.ignore)) return undefined;
  return own.flatMap(({ ignore = [] }) => ignore);
}

/** The entries for one step alone. */
export function entriesFor(all: readonly LeftOut[], name: string, step: number): LeftOut[] {
  return all.filter((one) => one.case === name && one.step === step && !one.isSometimes);
}
