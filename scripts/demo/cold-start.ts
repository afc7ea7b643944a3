/** Where the time of a cold start went, as the gateway tells it in the answer's `Server-Timing` header. */

export interface Step {
  readonly name: string;
  readonly description: string;
  readonly durationMs: number;
}

const STEP = /([\w-]+);desc="([^"]*)";dur=([\d.]+)/g;
const NAME_COLUMNS = 10;
const TIME_COLUMNS = 9;
const BAR_COLUMNS = 20;

export function parseServerTiming(header: string): Step[] {
  return [...header.matchAll(STEP)].map(([, name = '', description = '', duration]) => ({
    name,
    description,
    durationMs: Number(duration),
  }));
}

/** One line per step; the longest bar is the slowest step. */
export function renderSteps(steps: readonly Step[]): string {
  const longest = Math.max(...steps.map(({ durationMs }) => durationMs));
  const lines = steps.map(({ name, description, durationMs }) => {
    const bar = '█'.repeat(Math.round((durationMs / longest) * BAR_COLUMNS));
    const time = `${durationMs.toFixed(1)} ms`.padStart(TIME_COLUMNS);
    return `${name.padEnd(NAME_COLUMNS)}${time}  ${bar.padEnd(BAR_COLUMNS)}  ${description}`;
  });
  return lines.join('\n');
}

/** Milliseconds of the step with this name; without a name, of all. */
export function timeOf(steps: readonly Step[], wanted?: string): number {
  return steps.reduce(
    (sum, { name, durationMs }) => sum + (wanted === undefined || name === wanted ? durationMs : 0),
    0,
  );
}
