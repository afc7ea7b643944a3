/** Figures of a benchmark: order statistics and lines that people read. */

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** `p50 41.2  p95 58.0  max 71.3 ms  (n 60)` */
export function summary(values: readonly number[]): string {
  const [p50, p95, max] = [0.5, 0.95, 1].map((q) => quantile(values, q).toFixed(1));
  return `p50 ${p50}  p95 ${p95}  max ${max} ms  (n ${values.length})`;
}

export interface Limit {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
  /** Whether `value` must stay below the limit or reach it. */
  readonly kind: 'at most' | 'at least';
}

/** Prints the figure beside its limit; answers whether it holds. */
export function report({ what, value, limit, unit, kind }: Limit): boolean {
  const holds = kind === 'at most' ? value <= limit : value >= limit;
  const line = `${what}: ${format(value)} ${unit}, ${kind} ${format(limit)}: ${holds ? 'holds' : 'MISSED'}`;
  process.stdout.write(`${line}\n`);
  return holds;
}

function format(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);
}

export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}
