/** Durations as Go writes them (`1m30s`, `1.5h`, `300ms`), exact to the nanosecond. Errors are in Go's words. */
import { attempt, ParseError } from '#kube/parse-error.ts';

/** Nanoseconds by unit. */
const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);
const NANOS_PER_SECOND = 1_000_000_000n;
const NANOS_PER_MS = 1_000_000;
const MAX_INT64 = 2n ** 63n - 1n;
/** Far longer than any duration in 64 bits needs. */
const MAX_TEXT_LENGTH = 512;

/** Nanoseconds, or the error, also for what does not fit in 64 bits. */
export function parseDuration(text: string): bigint | ParseError {
  return attempt(() => read(text));
}

function read(text: string): bigint {
  const { negative, rest } = splitSign(text);
  if (rest === '0') return 0n;
  if (rest === '' || text.length > MAX_TEXT_LENGTH) throw invalid(text);
  let total = 0n;
  for (let left = rest; left !== '';) {
    const [matched, nanos] = parseTerm(left, text);
    total += nanos;
    left = left.slice(matched.length);
  }
  if (total > (negative ? MAX_INT64 + 1n : MAX_INT64)) throw invalid(text);
  return negative ? -total : total;
}

/** Milliseconds, with a fraction where the text is finer than that. */
export function parseDurationMs(text: string): number | ParseError {
  const nanos = parseDuration(text);
  return nanos instanceof ParseError ? nanos : Number(nanos) / NANOS_PER_MS;
}

function splitSign(text: string): { negative: boolean; rest: string } {
  const sign = text.charAt(0);
  const hasSign = sign === '-' || sign === '+';
  return { negative: sign === '-', rest: hasSign ? text.slice(1) : text };
}

/** One number with its unit at the start of `left`, and what it stands for. */
function parseTerm(left: string, text: string): [matched: string, nanos: bigint] {
  const match = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/.exec(left);
  const [matched = '', whole = '', fraction = '', unit = ''] = match ?? [];
  if (whole === '' && fraction === '') throw invalid(text);
  if (unit === '') throw new ParseError(`time: missing unit in duration ${quote(text)}`);
  const nanosPerUnit = UNITS.get(unit);
  if (nanosPerUnit === undefined) {
    throw new ParseError(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`);
  }
  const part = (BigInt(fraction || '0') * nanosPerUnit) / 10n ** BigInt(fraction.length);
  return [matched, BigInt(whole || '0') * nanosPerUnit + part];
}

function invalid(text: string): ParseError {
  return new ParseError(`time: invalid duration ${quote(text)}`);
}

/** Go's quoting of a duration's text: bytes beyond printable ASCII as escapes. */
function quote(text: string): string {
  const escaped = [...Buffer.from(text)].map((byte) => {
    const letter = String.fromCharCode(byte);
    if (letter === '"' || letter === '\\') return `\\${letter}`;
    return byte >= 0x20 && byte < 0x7f ? letter : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `"${escaped.join('')}"`;
}

/** `1h0m0s`, `1m30s`, `1.5s`, `100ms`, `0s`. */
export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  const sign = nanos < 0n ? '-' : '';
  const magnitude = nanos < 0n ? -nanos : nanos;
  return sign + (magnitude < NANOS_PER_SECOND ? formatShort(magnitude) : formatLong(magnitude));
}

export function formatDurationMs(durationMs: number): string {
  return formatDuration(BigInt(Math.round(durationMs * NANOS_PER_MS)));
}

function formatShort(nanos: bigint): string {
  if (nanos < 1_000n) return `${nanos}ns`;
  if (nanos < 1_000_000n) return `${withFraction(nanos, 3)}µs`;
  return `${withFraction(nanos, 6)}ms`;
}

function formatLong(nanos: bigint): string {
  const hours = nanos / 3_600_000_000_000n;
  const minutes = (nanos / 60_000_000_000n) % 60n;
  const seconds = `${withFraction(nanos % 60_000_000_000n, 9)}s`;
  if (hours > 0n) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${minutes}m${seconds}` : seconds;
}

/** `value` / 10^`digits` as a decimal without trailing zeros. */
function withFraction(value: bigint, digits: number): string {
  const unit = 10n ** BigInt(digits);
  const fraction = `${value % unit}`.padStart(digits, '0').replace(/0+$/, '');
  return fraction === '' ? `${value / unit}` : `${value / unit}.${fraction}`;
}
