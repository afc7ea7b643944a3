/**
 * `npm test [-- GROUP…] [-- PART-OF-A-PATH…]`: prepares the machine, runs the groups one after another, and ends with a
 * summary. Exit code 0 when all that ran passed; what was left out is in the summary, by reason.
 */
import { filesOf, GROUPS, type TestGroup } from './groups.ts';
import { installMissing } from './packages.ts';
import type { GroupResult } from './results.ts';
import { isInterrupted, runGroup } from './runner.ts';
import { isPassed, type Omission, summarise } from './summary.ts';

interface Wishes {
  readonly groups: readonly TestGroup[];
  readonly parts: readonly string[];
  /** Neither groups nor files were named. */
  readonly isAll: boolean;
}

/** @param args of the command line. Answers the exit code. */
export async function runTests(args: readonly string[]): Promise<number> {
  const { groups, parts, isAll } = parse(args);
  const chosen = groups
    .map((group) => ({ group, files: filesOf(group, parts) }))
    .filter(({ files }) => files.length > 0);
  const isRoot = process.geteuid?.() === 0;
  const omissions: Omission[] = [];
  // A developer's single file is not the moment to install anything.
  const notes = isAll ? installMissing(say) : [];
  const results: GroupResult[] = [];
  for (const { group, files } of chosen) {
    if (group.needsRoot && !isRoot) {
      omissions.push({ group: group.name, files: files.length, reason: 'it needs root' });
      continue;
    }
    say(`\n# ${group.name}: ${files.length} files`);
    const result = await runGroup(group, files, { output: 'inherit' });
    results.push(result);
    if (isInterrupted(result)) break;
  }
  if (isAll) omissions.push(...onRequest());
  const run = { results, omissions, notes };
  say('');
  for (const line of summarise(run)) say(line);
  return isPassed(run) ? 0 : 1;
}

function parse(args: readonly string[]): Wishes {
  const named = GROUPS.filter(({ name }) => args.includes(name));
  const parts = args.filter((arg) => arg !== 'all' && !GROUPS.some(({ name }) => name === arg));
  const usual = GROUPS.filter(({ onRequest }) => args.includes('all') || onRequest === undefined);
  return { groups: named.length > 0 ? named : usual, parts, isAll: named.length === 0 && parts.length === 0 };
}

function onRequest(): Omission[] {
  return GROUPS.filter((group) => group.onRequest !== undefined).map((group) => ({
    group: group.name,
    files: filesOf(group, []).length,
    reason: `${group.onRequest}; npm test -- ${group.name}`,
  }));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
