/**
 * Numbers and truth values as Go reads and prints them; error texts are Go's (`strconv.ParseInt: parsing "x": invalid
 * syntax`), since users see them in answers about annotations and ConfigMaps.
 */

export const MAX_INT32 = 2_147_483_647;

type IntFunction = 'ParseInt' | 'ParseUint' | 'Atoi';

export interface IntType {
  /** Which of Go's functions is named in the error. */
  readonly by: IntFunction;
  readonly bits: 16 | 32 | 64;
}

/** A whole number in decimal, or the error. Beyond 2^53 digits are lost, never the range check. */
export function parseInteger(text: string, { by, bits }: IntType): number | Error {
  const isUnsigned = by === 'ParseUint';
  if (!(isUnsigned ? /^\d+$/ : /^[+-]?\d+$/).test(text)) return numberError(by, text, 'invalid syntax');
  const value = BigInt(text.replace('+', ''));
  const high = isUnsigned ? 2n ** BigInt(bits) - 1n : 2n ** BigInt(bits - 1) - 1n;
  const low = isUnsigned ? 0n : -high - 1n;
  if (value < low || value > high) return numberError(by, text, 'value out of range');
  return Number(value);
}

/** A floating-point number in decimal form, or the error. */
export function parseFloat64(text: string): number | Error {
  if (/^[+-]?(inf|infinity)$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return numberError('ParseFloat', text, 'invalid syntax');
  const value = Number(text);
  return Number.isFinite(value) ? value : numberError('ParseFloat', text, 'value out of range');
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

export function parseBool(text: string): boolean | Error {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : numberError('ParseBool', text, 'invalid syntax');
}

function numberError(by: string, text: string, why: string): Error {
  return new Error(`strconv.${by}: parsing ${JSON.stringify(text)}: ${why}`);
}

/** As `%v` prints a float: shortest form, an exponent of at least two digits from 1e21 on and below 1e-4. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e21)) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
