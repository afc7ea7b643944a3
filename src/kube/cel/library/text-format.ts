/** `'%s has %d'.format([…])` and `strings.quote`, as CEL's strings extension writes values. */
import { CelFailure } from '#kube/cel/errors.ts';
import { formatTimestamp } from '#kube/cel/library/timestamps.ts';
import { checkTextSize } from '#kube/cel/library/text-size.ts';
import {
  CelDuration,
  type CelList,
  type CelMap,
  CelTimestamp,
  elementsOf,
  isList,
  isMap,
  TypeValue,
  typeNameOf,
  Uint,
  type Value,
} from '#kube/cel/values.ts';
import { goNumber } from '#kube/go-number.ts';

const DEFAULT_PRECISION = 6;
const MAX_PRECISION = 1_000;
const CLAUSE = /%(?:%|(?:\.(\d+))?([a-zA-Z]))|%/g;

/** The verbs of a text's clauses, in order. */
export function formatClauses(template: string): string[] {
  return [...template.matchAll(CLAUSE)].flatMap(([, , verb]) => (verb === undefined ? [] : [verb]));
}

export function formatText(template: string, args: CelList): string {
  let position = 0;
  const made = template.replaceAll(CLAUSE, (clause, precision: string | undefined, verb: string | undefined) => {
    if (clause === '%%') return '%';
    if (verb === undefined) throw new CelFailure('could not parse formatting clause: unexpected end of string');
    if (position >= args.size) throw new CelFailure(`index ${position} out of range`);
    const arg = args.at(position);
    position += 1;
    return formatClause(verb, arg, precision === undefined ? DEFAULT_PRECISION : Number(precision));
  });
  checkTextSize(made.length);
  return made;
}

function formatClause(verb: string, arg: Value, precision: number): string {
  if (precision > MAX_PRECISION) throw new CelFailure(`precision ${precision} is too large`);
  const whole = typeof arg === 'bigint' ? arg : arg instanceof Uint ? arg.value : undefined;
  switch (verb) {
    case 's':
      return textOf(arg);
    case 'd':
      if (whole !== undefined) return String(whole);
      throw wrongArgument('decimal clause can only be used on integers', arg);
    case 'f':
    case 'e':
      return formatDouble(verb, arg, precision);
    case 'b':
      if (typeof arg === 'boolean') return arg ? '1' : '0';
      if (whole !== undefined) return whole.toString(2);
      throw wrongArgument('only integers and bools can be formatted as binary', arg);
    case 'o':
      if (whole !== undefined) return whole.toString(8);
      throw wrongArgument('octal clause can only be used on integers', arg);
    case 'x':
      return hexOf(arg, whole);
    case 'X':
      return hexOf(arg, whole).toUpperCase();
    default:
      throw new CelFailure(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

function wrongArgument(rule: string, arg: Value): CelFailure {
  return new CelFailure(`error during formatting: ${rule}, was given ${typeNameOf(arg)}`);
}

function formatDouble(verb: 'f' | 'e', arg: Value, precision: number): string {
  const special = typeof arg === 'string' && ['NaN', 'Infinity', '-Infinity'].includes(arg) ? Number(arg) : undefined;
  const value = typeof arg === 'number' ? arg : special;
  if (value === undefined) {
    const name = verb === 'f' ? 'fixed-point' : 'scientific';
    throw wrongArgument(`${name} clause can only be used on doubles`, arg);
  }
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞';
  if (verb === 'f') return value.toFixed(Math.min(precision, 100));
  const [digits = '', exponent = ''] = value.toExponential(Math.min(precision, 100)).split('e');
  return `${digits}\u202f×\u202f10${superscript(exponent)}`;
}

function superscript(exponent: string): string {
  const digits = String(Math.abs(Number(exponent))).padStart(2, '0');
  return (exponent.startsWith('-') ? '⁻' : '') + [...digits].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('');
}

function hexOf(arg: Value, whole: bigint | undefined): string {
  if (whole !== undefined) return whole.toString(16);
  if (typeof arg === 'string') return Buffer.from(arg).toString('hex');
  if (arg instanceof Uint8Array) return Buffer.from(arg).toString('hex');
  throw wrongArgument('only integers, byte buffers, and strings can be formatted as hex', arg);
}

function textOf(arg: Value): string {
  if (arg === null) return 'null';
  if (typeof arg === 'string') return arg;
  if (typeof arg === 'number') return goNumber(arg);
  if (typeof arg !== 'object') return String(arg);
  if (arg instanceof Uint8Array) return Buffer.from(arg).toString();
  if (isList(arg)) return `[${[...elementsOf(arg)].map(nestedText).join(', ')}]`;
  if (isMap(arg)) return mapText(arg);
  if (arg instanceof Uint) return String(arg.value);
  if (arg instanceof CelTimestamp) return formatTimestamp(arg.nanos);
  if (arg instanceof CelDuration) return `${goNumber(Number(arg.nanos) / 1e9)}s`;
  if (arg instanceof TypeValue) return arg.name;
  const rule =
    'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps';
  throw wrongArgument(rule, arg);
}

/** Values inside lists and maps are written so that they could be read again. */
function nestedText(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number')
    return Number.isFinite(value) ? value.toFixed(DEFAULT_PRECISION) : `"${textOf(value)}"`;
  if (value instanceof Uint8Array) return `b${JSON.stringify(textOf(value))}`;
  if (value instanceof CelTimestamp) return `timestamp("${textOf(value)}")`;
  if (value instanceof CelDuration) return `duration("${textOf(value)}")`;
  return value instanceof TypeValue ? `type(${value.name})` : textOf(value);
}

function mapText(map: CelMap): string {
  const entries = map.keys().map((key) => [nestedText(key), nestedText(map.get(key) ?? null)] as const);
  const sorted = entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${sorted.map(([key, value]) => `${key}:${value}`).join(', ')}}`;
}

const QUOTED: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

export function quoteText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return `"${text.toWellFormed().replaceAll(/[\u0007\b\f\n\r\t\v\\"]/g, (letter) => QUOTED[letter] ?? letter)}"`;
}
