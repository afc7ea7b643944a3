/** What is different between two answers: one line each. */
import { matchesPointer, pointerTo } from '#testing/http-replay/pointer.ts';

const MAX_SHOWN = 400;

export function differences(wanted: unknown, given: unknown, ignore: readonly string[], pointer = ''): string[] {
  if (wanted === given || ignore.some((pattern) => matchesPointer(pattern, pointer))) return [];
  if (!isContainer(wanted) || !isContainer(given) || Array.isArray(wanted) !== Array.isArray(given)) {
    return [`${pointer || '/'}: recorded ${shown(wanted)}, ours ${shown(given)}`];
  }
  const names = new Set([...Object.keys(wanted), ...Object.keys(given)]);
  return [...names].flatMap((name) => differences(wanted[name], given[name], ignore, pointerTo(pointer, name)));
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
