/**
 * Resource quantities: `100m`, `1.5`, `64Mi`, `12e6`. A value is kept in nano-units; what is finer is rounded away
 * from zero, and nothing is larger than 2^63-1, both as in Kubernetes. Errors have Kubernetes' words.
 *
 * Stored quantities are in canonical form (`1000m` becomes `1`, `1024Mi` becomes `1Gi`).
 */

export type QuantityFormat = 'decimal' | 'binary' | 'exponent';

export interface Quantity {
  /** The value × 10^9. */
  readonly nanos: bigint;
  /** How it was written, and is printed. */
  readonly format: QuantityFormat;
}

const NANO = 1_000_000_000n;
const LARGEST = (2n ** 63n - 1n) * NANO;
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;

const WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const WRONG_SUFFIX = "unable to parse quantity's suffix";

/** The value, or an Error in Kubernetes' words. A sign alone is zero, as in Kubernetes. */
export function parseQuantity(text: string): Quantity | Error {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[+-]?\d*)$/.exec(text);
  if (text === '' || !match) return new Error(WRONG_FORMAT);
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  const scale = scaleOf(suffix);
  if (!scale) return new Error(WRONG_SUFFIX);
  const digits = BigInt(whole + fraction || '0');
  const size = nanosOf(digits, fraction.length, scale);
  const nanos = size > LARGEST ? LARGEST : size;
  return { nanos: sign === '-' ? -nanos : nanos, format: scale.format };
}

interface Scale {
  readonly format: QuantityFormat;
  readonly base: bigint;
  readonly exponent: number;
}

function scaleOf(suffix: string): Scale | undefined {
  const decimal = DECIMAL.indexOf(suffix as (typeof DECIMAL)[number]);
  if (decimal >= 0) return { format: 'decimal', base: 10n, exponent: (decimal - 3) * 3 };
  const binary = BINARY.indexOf(suffix as (typeof BINARY)[number]);
  if (binary >= 0) return { format: 'binary', base: 2n, exponent: binary * 10 };
  const [, exponent] = /^[eE]([+-]?\d{1,4})$/.exec(suffix) ?? [];
  return exponent === undefined ? undefined : { format: 'exponent', base: 10n, exponent: Number(exponent) };
}

function nanosOf(digits: bigint, decimals: number, { base, exponent }: Scale): bigint {
  let numerator = digits * NANO;
  let denominator = 10n ** BigInt(decimals);
  if (exponent >= 0) numerator *= base ** BigInt(exponent);
  else denominator *= base ** BigInt(-exponent);
  return (numerator + denominator - 1n) / denominator;
}

/** The canonical form: the largest suffix that needs no fraction. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0';
  const isBinary = format === 'binary' && nanos % NANO === 0n && (nanos >= 1024n * NANO || nanos <= -1024n * NANO);
  if (isBinary) return reduced(nanos / NANO, 1024n, BINARY);
  if (format !== 'exponent') return reduced(nanos, 1000n, DECIMAL);
  let [number, exponent] = [nanos, -9];
  for (; number % 1000n === 0n; number /= 1000n) exponent += 3;
  return exponent === 0 ? `${number}` : `${number}e${exponent}`;
}

function reduced(value: bigint, step: bigint, suffixes: readonly string[]): string {
  let [number, index] = [value, 0];
  for (; number % step === 0n && index < suffixes.length - 1; number /= step) index += 1;
  return `${number}${suffixes[index]}`;
}

/** The canonical form of what a client wrote, or an Error in Kubernetes' words. */
export function canonicalQuantity(text: string | number): string | Error {
  const quantity = parseQuantity(String(text).trim());
  return quantity instanceof Error ? quantity : formatQuantity(quantity);
}

/** The value as a number, for sums that need no more than 53 bits: bytes, cores. Zero for what cannot be read. */
export function quantityToNumber(text: string | undefined): number {
  const quantity = text === undefined ? new Error(WRONG_FORMAT) : parseQuantity(text);
  return quantity instanceof Error ? 0 : Number(quantity.nanos) / Number(NANO);
}
