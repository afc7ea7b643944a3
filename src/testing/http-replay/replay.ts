/** Replays a recorded case against a server. */
import type { HttpCase, Step } from '#testing/http-replay/case.ts';
import { differences } from '#testing/http-replay/compare.ts';
import type { Connection } from '#testing/http-replay/connection.ts';
import { entriesFor, ignoredIn, type LeftOut, wholeCase } from '#testing/http-replay/left-out.ts';
import { Session } from '#testing/http-replay/session.ts';

/** One line per difference, under the step that it belongs to, and per exception that hides none. */
export async function replayCase(
  connection: Connection,
  recorded: HttpCase,
  exceptions: readonly LeftOut[],
): Promise<string[]> {
  await using session = await Session.start(connection, recorded);
  const isToFail = wholeCase(exceptions, recorded.name) !== undefined;
  const found: string[] = [];
  for (const [position, step] of recorded.steps.entries()) {
    // One difference is enough of a case that is left out.
    if (isToFail && found.length > 0) break;
    const seen = await session.run(step, position);
    if (!seen) continue;
    const compare = (entries: readonly LeftOut[]) => {
      const ignored = ignoredIn(entries, recorded.name, position);
      const all = [...(recorded.ignore ?? []), ...(step.ignore ?? []), ...(ignored ?? [])];
      return ignored ? differences(step.expect, seen, all) : [];
    };
    const lines = [...compare(exceptions), ...idleEntries({ exceptions, recorded, position }, compare)];
    if (lines.length > 0) found.push(`step ${position}, ${nameOf(step)}`, ...lines.map((line) => `  ${line}`));
  }
  return found;
}

interface Exceptions {
  readonly exceptions: readonly LeftOut[];
  readonly recorded: { readonly name: string };
  readonly position: number;
}

/** The entries for a step without which nothing more differs. */
export function idleEntries(
  { exceptions, recorded, position }: Exceptions,
  compare: (entries: readonly LeftOut[]) => readonly string[],
): string[] {
  const hidden = compare(exceptions).length;
  return entriesFor(exceptions, recorded.name, position)
    .filter((entry) => compare(exceptions.filter((other) => other !== entry)).length === hidden)
    .map(({ reason }) => `left out in vain: ${reason}`);
}

function nameOf(step: Step): string {
  return step.collect === undefined ? `${step.method ?? 'GET'} ${step.path}` : `events of ${step.collect}`;
}
