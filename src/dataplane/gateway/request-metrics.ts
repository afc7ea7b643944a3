/** Requests by status code, with their durations: counted in each worker, added up in the main thread. */
export const LATENCY_BOUNDS_MS = [
  5, 10, 20, 40, 60, 80, 100, 150, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900, 1000, 2000, 5000, 10_000,
  20_000, 50_000, 100_000,
] as const;

export interface CodeCount {
  readonly code: number;
  readonly count: number;
  readonly sumMs: number;
  /** One for each bound, and one for what is above all. */
  readonly buckets: readonly number[];
}

interface MutableCount {
  count: number;
  sumMs: number;
  buckets: number[];
}

export class CodeCounts {
  readonly #byCode = new Map<number, MutableCount>();

  record(code: number, durationMs: number): void {
    let entry = this.#byCode.get(code);
    if (!entry) this.#byCode.set(code, (entry = newCount()));
    entry.count += 1;
    entry.sumMs += durationMs;
    const bucket = bucketOf(durationMs);
    entry.buckets[bucket] = (entry.buckets[bucket] as number) + 1;
  }

  /** What was recorded since the last call. */
  collect(): CodeCount[] {
    const counts: CodeCount[] = [];
    for (const [code, entry] of this.#byCode) if (entry.count > 0) counts.push({ code, ...entry });
    this.#byCode.clear();
    return counts;
  }
}

function newCount(): MutableCount {
  return { count: 0, sumMs: 0, buckets: Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0) };
}

function bucketOf(durationMs: number): number {
  let index = 0;
  while (index < LATENCY_BOUNDS_MS.length && durationMs > (LATENCY_BOUNDS_MS[index] as number)) index += 1;
  return index;
}
