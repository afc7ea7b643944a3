/** Test files by what they need of the machine; the suffix before `.test.ts` says the group. */
import { globSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.join(import.meta.dirname, '..', '..');

export interface TestGroup {
  readonly name: string;
  readonly needsRoot: boolean;
  /** Whether all files share one process; else each has its own, one after another. */
  readonly isOneProcess: boolean;
  /** How long one test may take. */
  readonly testTimeoutMs: number;
  /** Why it only runs when asked for by name. */
  readonly onRequest?: string;
}

const USUAL_TIMEOUT_MS = 300_000;
const LONG_TIMEOUT_MS = 3_600_000;

export const GROUPS: readonly TestGroup[] = [
  { name: 'unit', needsRoot: false, isOneProcess: true, testTimeoutMs: USUAL_TIMEOUT_MS },
  { name: 'net', needsRoot: false, isOneProcess: false, testTimeoutMs: USUAL_TIMEOUT_MS },
  { name: 'oci', needsRoot: true, isOneProcess: false, testTimeoutMs: USUAL_TIMEOUT_MS },
  { name: 'e2e', needsRoot: true, isOneProcess: false, testTimeoutMs: USUAL_TIMEOUT_MS },
  // Each test says which client it needs; those that are not on the machine are left out, by name.
  { name: 'clients', needsRoot: true, isOneProcess: false, testTimeoutMs: USUAL_TIMEOUT_MS },
  {
    name: 'long',
    needsRoot: false,
    isOneProcess: false,
    testTimeoutMs: LONG_TIMEOUT_MS,
    onRequest: 'minutes of seeded simulation',
  },
];

const SUFFIX = /\.(net|oci|e2e|clients|long)\.test\.ts$/;

/** Those whose path contains one of the parts, or all where there are no parts. */
export function filesOf({ name }: TestGroup, parts: readonly string[]): string[] {
  const all = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], {
    cwd: ROOT,
    exclude: ['**/node_modules/**'],
  }).sort();
  const own = all.filter((file) => (SUFFIX.exec(file)?.[1] ?? 'unit') === name);
  return own.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
}
