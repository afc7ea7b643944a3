/** Replays a recorded case against a server. */
import type { HttpCase, Step } from '#testing/http-replay/case.ts';
import { differences } from '#testing/http-replay/compare.ts';
import type { Connection } from '#testing/http-replay/connection.ts';
import { ignoredIn, type LeftOut } from '#testing/http-replay/left-out.ts';
import { Session } from '#testing/http-replay/session.ts';

/** One line per difference, under the step that it belongs to. */
export async function replayCase(
  connection: Connection,
  recorded: HttpCase,
  exceptions: readonly LeftOut[],
): Promise<string[]> {
  await using session = await Session.start(connection, recorded);
  const found: string[] = [];
  for (const [position, step] of recorded.steps.entries()) {
    const seen = await session.run(step, position);
    const ignored = ignoredIn(exceptions, recorded.name, position);
    if (!seen || ignored === undefined) continue;
    const lines = differences(step.expect, seen, [...(recorded.ignore ?? []), ...(step.ignore ?? []), ...ignored]);
    if (lines.length > 0) found.push(`step ${position}, ${nameOf(step)}`, ...lines.map((line) => `  ${line}`));
  }
  return found;
}

function nameOf(step: Step): string {
  return step.collect === undefined ? `${step.method ?? 'GET'} ${step.path}` : `events of ${step.collect}`;
}
