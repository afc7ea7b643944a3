/** What Knative asks of durations beside their form. */

export function isWholeSeconds(durationMs: number): boolean {
  return durationMs % 1000 === 0;
}
