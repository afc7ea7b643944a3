/** Which recorded answers our server is not held to, and why: `test/oracle/*-left-out.json`. */
import { readFileSync } from 'node:fs';

export interface LeftOut {
  /** A case, or `*` for all. */
  readonly case: string;
  /** Absent: the whole case is not run. */
  readonly step?: number;
  /** JSON pointers into the answer, or names of what a command printed; absent: all of it. */
  readonly ignore?: readonly string[];
  readonly reason: string;
}

export function leftOut(corpus: 'kube' | 'kubectl'): LeftOut[] {
  const file = new URL(`../../../test/oracle/${corpus}-left-out.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as LeftOut[];
}

/** Why a whole case is not run. */
export function reasonToSkip(all: readonly LeftOut[], name: string): string | undefined {
  return all.find((one) => one.case === name && one.step === undefined && !one.ignore)?.reason;
}

/** Pointers that do not count in one answer; undefined when nothing of it counts. */
export function ignoredIn(all: readonly LeftOut[], name: string, step: number): string[] | undefined {
  const own = all.filter((one) => (one.case === name || one.case === '*') && (one.step ?? step) === step);
  if (own.some((one) => one.step === step && !one.ignore)) return undefined;
  return own.flatMap(({ ignore = [] }) => ignore);
}
