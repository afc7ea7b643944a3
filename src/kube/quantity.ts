/**
 * Resource quantities (`100m`, `64Mi`, `1e9`) as Kubernetes reads, keeps, compares and prints them.
 *
 * Values are exact, in billionths. A text that is already in canonical form (by Kubernetes' own, slightly generous
 * test) is printed as it was written; anything else is printed canonically (`1000m` becomes `1`, `1024Mi` `1Gi`).
 * Texts and exponents beyond what a sensible quantity needs are refused, so that no input can make a huge number.
 */
import { attempt, ParseError } from '#kube/parse-error.ts';

export type QuantityFormat = 'DecimalSI' | 'DecimalExponent' | 'BinarySI';

export interface Quantity {
  /** The value × 10^9. */
  readonly nanos: bigint;
  /** How it was written, and is printed. */
  readonly format: QuantityFormat;
  /** The text that it was read from, when that is how it is printed. */
  readonly text?: string | undefined;
}

const NANO_DIGITS = 9;
const NANOS_PER_UNIT = 10n ** BigInt(NANO_DIGITS);
const NANOS_PER_MILLI = 1_000_000n;
const MAX_INT64 = 2n ** 63n - 1n;
/** Most digits of the numbers that Kubernetes keeps in 64 bits, for which it may keep the text. */
const INT64_DIGITS = 18;
const MAX_TEXT_LENGTH = 256;
const MAX_EXPONENT = 256;

const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NUMERIC_WRONG = 'unable to parse numeric part of quantity';
const SUFFIX_WRONG = "unable to parse quantity's suffix";

const DECIMAL_EXPONENTS: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const LARGEST_DECIMAL_EXPONENT = 18;
const BINARY_SUFFIXES: readonly string[] = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const TEXT = /^(?<sign>[+-]?)(?<whole>[0-9]*)(?:\.(?<fraction>[0-9]*))?(?<suffix>[eEinumkKMGTP]*[-+]?[0-9]*)$/;

interface Parts {
  readonly isNegative: boolean;
  /** Without leading zeros; `0` when nothing else is left. */
  readonly whole: string;
  readonly fraction: string;
  readonly suffix: string;
}

interface Unit {
  readonly format: QuantityFormat;
  /** Of ten for the decimal formats, of two for the binary one. */
  readonly exponent: number;
}

const ZERO: Quantity = { nanos: 0n, format: 'DecimalSI', text: '0' };

/** Reads a quantity; blanks around it are allowed, as in a JSON body. A sign alone is zero, as in Kubernetes. */
export function parseQuantity(text: string): Quantity | ParseError {
  return attempt(() => read(text.trim()));
}

function read(text: string): Quantity {
  if (text === '0') return ZERO;
  const parts = split(text);
  const unit = unitOf(parts.suffix);
  const digits = BigInt(parts.whole + parts.fraction);
  const nanos = capped(scaled(digits, parts.fraction.length, unit), unit);
  const isBelowOne = unit.format === 'BinarySI' && nanos > 0n && nanos < NANOS_PER_UNIT;
  return {
    nanos: parts.isNegative ? -nanos : nanos,
    format: isBelowOne ? 'DecimalSI' : unit.format,
    text: isKeptAsWritten(parts, unit, digits) ? text : undefined,
  };
}

function split(text: string): Parts {
  if (text === '') throw new ParseError(FORMAT_WRONG);
  if (text.length > MAX_TEXT_LENGTH) throw new ParseError(NUMERIC_WRONG);
  const groups = TEXT.exec(text)?.groups;
  if (!groups) throw new ParseError(FORMAT_WRONG);
  const { sign, whole = '', fraction = '', suffix = '' } = groups;
  return { isNegative: sign === '-', whole: whole.replace(/^0+/, '') || '0', fraction, suffix };
}

function unitOf(suffix: string): Unit {
  const decimal = DECIMAL_EXPONENTS.get(suffix);
  if (decimal !== undefined) return { format: 'DecimalSI', exponent: decimal };
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (binary > 0) return { format: 'BinarySI', exponent: binary * 10 };
  const digits = /^[eE]([-+]?[0-9]+)$/.exec(suffix)?.[1];
  const exponent = Number(digits);
  if (digits === undefined || Math.abs(exponent) > MAX_EXPONENT) throw new ParseError(SUFFIX_WRONG);
  return { format: 'DecimalExponent', exponent };
}

/** Billionths; what is smaller still counts as one more billionth, so that something never becomes nothing. */
function scaled(digits: bigint, fractionDigits: number, { format, exponent }: Unit): bigint {
  const isBinary = format === 'BinarySI';
  const power = NANO_DIGITS - fractionDigits + (isBinary ? 0 : exponent);
  const factor = isBinary ? 2n ** BigInt(exponent) : 1n;
  if (power >= 0) return digits * factor * 10n ** BigInt(power);
  return divideUp(digits * factor, 10n ** BigInt(-power));
}

function capped(nanos: bigint, { format }: Unit): bigint {
  const most = MAX_INT64 * NANOS_PER_UNIT;
  return format === 'BinarySI' && nanos > most ? most : nanos;
}

function isKeptAsWritten({ whole, fraction }: Parts, { format, exponent }: Unit, digits: bigint): boolean {
  if (format === 'BinarySI') {
    const isSmallEnough = 14 - whole.length - Math.trunc((exponent * 3) / 10) >= 0;
    return fraction === '' && isSmallEnough && digits % 8n !== 0n;
  }
  const scale = exponent - fraction.length;
  const shifted = whole + fraction;
  if (shifted.length > INT64_DIGITS || scale < -NANO_DIGITS) return false;
  return scale % 3 === 0 && !shifted.endsWith('000') && !shifted.startsWith('0');
}

/** As Kubernetes prints it. */
export function formatQuantity(quantity: Quantity): string {
  return quantity.text ?? formatCanonical(quantity);
}

function formatCanonical({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0';
  const magnitude = nanos < 0n ? -nanos : nanos;
  if (format === 'BinarySI' && magnitude >= 1024n * NANOS_PER_UNIT && nanos % NANOS_PER_UNIT === 0n) {
    return formatBinary(nanos / NANOS_PER_UNIT);
  }
  return format === 'DecimalExponent' ? formatExponent(nanos) : formatDecimal(nanos);
}

function formatBinary(value: bigint): string {
  const [number, steps] = reduced(value, 1024n, BINARY_SUFFIXES.length - 1);
  return `${number}${BINARY_SUFFIXES[steps] ?? ''}`;
}

function formatDecimal(nanos: bigint): string {
  const [number, steps] = reduced(nanos, 1000n, (LARGEST_DECIMAL_EXPONENT + NANO_DIGITS) / 3);
  const suffixes = [...DECIMAL_EXPONENTS.keys()];
  return `${number}${suffixes[steps] ?? ''}`;
}

function formatExponent(nanos: bigint): string {
  const [number, steps] = reduced(nanos, 1000n, Infinity);
  const exponent = steps * 3 - NANO_DIGITS;
  return exponent === 0 ? `${number}` : `${number}e${exponent}`;
}

/** Takes out the factor as often as it goes, at most `limit` times. */
function reduced(value: bigint, factor: bigint, limit: number): [number: bigint, steps: number] {
  let [number, steps] = [value, 0];
  for (; number % factor === 0n && steps < limit; number /= factor) steps += 1;
  return [number, steps];
}

/** How a client's quantity is kept, or what is wrong with it. */
export function canonicalQuantity(text: string | number): string | ParseError {
  const quantity = parseQuantity(String(text));
  return quantity instanceof ParseError ? quantity : formatQuantity(quantity);
}

/** Negative, 0 or positive, as `left` is less than, equal to or more than `right`. */
export function compareQuantities(left: Quantity, right: Quantity): number {
  if (left.nanos === right.nanos) return 0;
  return left.nanos < right.nanos ? -1 : 1;
}

export function quantityOf(value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nanos: BigInt(value) * NANOS_PER_UNIT, format };
}

/** The value with its fraction, for sums that need no more than 53 bits. Zero for what is absent or cannot be read. */
export function quantityToNumber(text: string | undefined): number {
  const quantity = text === undefined ? ZERO : parseQuantity(text);
  return quantity instanceof ParseError ? 0 : Number(quantity.nanos) / Number(NANOS_PER_UNIT);
}

/** The quantity itself, or the next multiple of a thousandth: the API server allows no finer requests. */
export function roundUpToMilli(quantity: Quantity): Quantity {
  if (quantity.nanos % NANOS_PER_MILLI === 0n) return quantity;
  return { nanos: divideUp(quantity.nanos, NANOS_PER_MILLI) * NANOS_PER_MILLI, format: quantity.format };
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  if (dividend % divisor === 0n) return quotient;
  return dividend < 0n ? quotient - 1n : quotient + 1n;
}
