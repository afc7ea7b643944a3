/** Durations in annotations and ConfigMaps. */
import { parseDurationMs } from '#kube/duration.ts';
import { ParseError } from '#kube/parse-error.ts';

/** Milliseconds, or the error in Go's words. */
export function readDurationMs(text: string): number | Error {
  try {
    return parseDurationMs(text);
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
}

export function isWholeSeconds(durationMs: number): boolean {
  return durationMs % 1000 === 0;
}
