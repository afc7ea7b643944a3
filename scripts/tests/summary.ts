/** The closing lines of `npm test`: how much ran, what failed, and what was left out with the reason of each. */
import { failedOf, type GroupResult, hasPassed } from './results.ts';

export interface Omission {
  readonly group: string;
  readonly files: number;
  readonly reason: string;
}

export interface TestRun {
  readonly results: readonly GroupResult[];
  /** Whole groups that did not run. */
  readonly omissions: readonly Omission[];
  /** What the preparation could not install, and why. */
  readonly notes: readonly string[];
}

const HEADINGS = ['group', 'files', 'tests', 'passed', 'failed', 'left out', 'time'];
const MAX_FAILURES = 50;
const SECONDS_PER_MINUTE = 60;

/** Nothing that ran is nothing that passed. */
export function isPassed({ results }: TestRun): boolean {
  return results.length > 0 && results.every(hasPassed);
}

export function summarise(run: TestRun): string[] {
  const { results, omissions, notes } = run;
  const known = results.reduce((sum, result) => sum + result.knownDifferences, 0);
  const lines = ['Summary', ...table(results)];
  if (known > 0) lines.push(`Of those that passed, ${tests(known)} of known differences failed as expected.`);
  lines.push(...leftOutLines(results.flatMap(({ leftOut }) => leftOut)));
  for (const { group, files, reason } of omissions) {
    lines.push(`Left out: the whole group ${group}, ${files} files: ${reason}`);
  }
  for (const note of notes) lines.push(`Note: ${note}`);
  lines.push(...failureLines(results), isPassed(run) ? 'PASS' : 'FAIL', countsLine(run));
  return lines;
}

/** The line that programs look for, last of all. A group that failed without a test that did counts as one. */
function countsLine({ results }: TestRun): string {
  const sum = (pick: (result: GroupResult) => number) => results.reduce((total, result) => total + pick(result), 0);
  const passed = sum(({ counts }) => counts?.passed ?? 0);
  const failed = sum((result) => (result.counts && failedOf(result.counts)) || (hasPassed(result) ? 0 : 1));
  return `${passed} passed, ${failed} failed, ${sum(({ counts }) => counts?.skipped ?? 0)} skipped`;
}

function table(results: readonly GroupResult[]): string[] {
  const rows = [HEADINGS, ...results.map(rowOf), ...(results.length > 1 ? [totalOf(results)] : [])];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `  ${cells.join('  ')}`;
  });
}

function rowOf(result: GroupResult): string[] {
  const { group, files, counts, durationMs } = result;
  if (!counts) return [group, String(files), 'ended', 'before', 'it', 'reported', minutes(durationMs)];
  const numbers = [files, counts.tests, counts.passed, failedOf(counts), counts.skipped];
  return [group, ...numbers.map(String), minutes(durationMs)];
}

function totalOf(results: readonly GroupResult[]): string[] {
  const sum = (pick: (result: GroupResult) => number) => results.reduce((total, result) => total + pick(result), 0);
  const numbers = [
    sum(({ files }) => files),
    sum(({ counts }) => counts?.tests ?? 0),
    sum(({ counts }) => counts?.passed ?? 0),
    sum(({ counts }) => (counts ? failedOf(counts) : 0)),
    sum(({ counts }) => counts?.skipped ?? 0),
  ];
  return ['total', ...numbers.map(String), minutes(sum(({ durationMs }) => durationMs))];
}

function leftOutLines(reasons: readonly string[]): string[] {
  if (reasons.length === 0) return ['Left out: no test'];
  const byReason = Map.groupBy(reasons, (reason) => reason);
  const ordered = [...byReason].sort(([, one], [, other]) => other.length - one.length);
  return [
    `Left out: ${tests(reasons.length)}`,
    ...ordered.map(([reason, all]) => `  ${String(all.length).padStart(4)} × ${reason}`),
  ];
}

function failureLines(results: readonly GroupResult[]): string[] {
  const failures = results.flatMap((result) => result.failures);
  const lines = failures.slice(0, MAX_FAILURES).map(({ file, name }) => `  ${file}: ${name}`);
  const silent = results.filter((result) => !hasPassed(result) && result.failures.length === 0);
  lines.push(...silent.map(({ group, exitCode }) => `  ${group}: the test runner ended with exit code ${exitCode}`));
  if (failures.length > MAX_FAILURES) lines.push(`  and ${failures.length - MAX_FAILURES} more`);
  return lines.length === 0 ? [] : ['Failed:', ...lines];
}

function tests(count: number): string {
  return count === 1 ? '1 test' : `${count} tests`;
}

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const rest = String(seconds % SECONDS_PER_MINUTE).padStart(2, '0');
  return `${Math.floor(seconds / SECONDS_PER_MINUTE)}:${rest}`;
}
