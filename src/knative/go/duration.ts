/**
 * Durations as Go writes them (`1h30m`, `1.5s`), in milliseconds here. Texts of errors are Go's, since users see them.
 */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const NS_PER_MS = 1_000_000;

/** Milliseconds, or the error that Go would give. */
export function parseDuration(text: string): number | Error {
  const bad = new Error(`time: invalid duration ${JSON.stringify(text)}`);
  const [, sign = '', rest = ''] = /^([+-]?)([^]*)$/.exec(text) ?? [];
  if (rest === '0') return 0;
  if (rest === '') return bad;
  let totalMs = 0;
  for (let left = rest; left !== '';) {
    const match = /^(\d*\.?\d*)([^\d.]*)/.exec(left);
    const [all = '', amount = '', unit = ''] = match ?? [];
    if (!/\d/.test(amount)) return bad;
    if (unit === '') return new Error(`time: missing unit in duration ${JSON.stringify(text)}`);
    const unitMs = UNIT_MS[unit];
    if (unitMs === undefined)
      return new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    totalMs += Number(amount) * unitMs;
    left = left.slice(all.length);
  }
  return sign === '-' ? -totalMs : totalMs;
}

/** As Go prints it: `1h0m0s`, `1.5s`, `200ms`, `0s`. */
export function formatDuration(durationMs: number): string {
  const ns = Math.round(Math.abs(durationMs) * NS_PER_MS);
  const sign = durationMs < 0 ? '-' : '';
  if (ns === 0) return '0s';
  if (ns < 1000) return `${sign}${ns}ns`;
  if (ns < NS_PER_MS) return `${sign}${ns / 1000}µs`;
  if (ns < 1000 * NS_PER_MS) return `${sign}${ns / NS_PER_MS}ms`;
  const totalSeconds = Math.floor(ns / (1000 * NS_PER_MS));
  const fraction = String(ns % (1000 * NS_PER_MS))
    .padStart(9, '0')
    .replace(/0+$/, '');
  const hours = Math.floor(totalSeconds / 3600);
  const minutes = Math.floor(totalSeconds / 60) % 60;
  const seconds = `${totalSeconds % 60}${fraction === '' ? '' : `.${fraction}`}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

export function isWholeSeconds(durationMs: number): boolean {
  return durationMs % 1000 === 0;
}
