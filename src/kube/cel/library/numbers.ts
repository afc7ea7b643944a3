/** Operators of numbers, times and texts: sums, products, comparisons. Whole numbers are 64 bits and never wrap. */
import { type Overload, overload } from '#kube/cel/declarations.ts';
import { compare, equals } from '#kube/cel/equality.ts';
import { CelFailure } from '#kube/cel/errors.ts';
import { joinTexts } from '#kube/cel/library/text-size.ts';
import { concatLists } from '#kube/cel/merging-lists.ts';
import { CelDuration, type CelList, CelTimestamp, Uint, type Value } from '#kube/cel/values.ts';

const INT_LIMIT = 2n ** 63n;
const UINT_LIMIT = 2n ** 64n;
const NANOS_PER_SECOND = 1_000_000_000n;
/** Of year 1 and year 9999. */
const [FIRST_SECOND, LAST_SECOND] = [-62_135_596_800n, 253_402_300_799n];

type Binary<T> = (left: T, right: T) => Value;

function binary<T>(id: string, signature: string, run: Binary<T>): Overload {
  return overload(id, signature, ([left, right]) => run(left as T, right as T));
}

export function int(value: bigint): bigint {
  if (value >= INT_LIMIT || value < -INT_LIMIT) throw new CelFailure('integer overflow');
  return value;
}

export function uint(value: bigint): Uint {
  if (value < 0n || value >= UINT_LIMIT) throw new CelFailure('unsigned integer overflow');
  return new Uint(value);
}

export function duration(nanos: bigint): CelDuration {
  if (nanos >= INT_LIMIT || nanos < -INT_LIMIT) throw new CelFailure('duration overflow');
  return new CelDuration(nanos);
}

export function timestamp(nanos: bigint): CelTimestamp {
  const isWithin = nanos >= FIRST_SECOND * NANOS_PER_SECOND && nanos < (LAST_SECOND + 1n) * NANOS_PER_SECOND;
  if (!isWithin) throw new CelFailure('timestamp overflow');
  return new CelTimestamp(nanos);
}

function nonZero(value: bigint, operation: 'division' | 'modulus'): bigint {
  if (value === 0n) throw new CelFailure(`${operation} by zero`);
  return value;
}

interface Spanned {
  readonly nanos: bigint;
}

const SUMS: readonly Overload[] = [
  binary<Uint8Array>('add_bytes', '_+_(bytes, bytes): bytes', (a, b) => Uint8Array.from([...a, ...b])),
  binary<number>('add_double', '_+_(double, double): double', (a, b) => a + b),
  binary<Spanned>('add_duration_duration', '_+_(duration, duration): duration', (a, b) => duration(a.nanos + b.nanos)),
  binary<Spanned>('add_duration_timestamp', '_+_(duration, timestamp): timestamp', (a, b) =>
    timestamp(a.nanos + b.nanos),
  ),
  binary<Spanned>('add_timestamp_duration', '_+_(timestamp, duration): timestamp', (a, b) =>
    timestamp(a.nanos + b.nanos),
  ),
  binary<bigint>('add_int64', '_+_(int, int): int', (a, b) => int(a + b)),
  overload('add_list', '_+_(list(A), list(A)): list(A)', ([a, b], work) =>
    concatLists(a as CelList, b as CelList, work),
  ),
  binary<string>('add_string', '_+_(string, string): string', (a, b) => joinTexts([a, b], '')),
  binary<Uint>('add_uint64', '_+_(uint, uint): uint', (a, b) => uint(a.value + b.value)),
  binary<number>('subtract_double', '_-_(double, double): double', (a, b) => a - b),
  binary<Spanned>('subtract_duration_duration', '_-_(duration, duration): duration', (a, b) =>
    duration(a.nanos - b.nanos),
  ),
  binary<bigint>('subtract_int64', '_-_(int, int): int', (a, b) => int(a - b)),
  binary<Spanned>('subtract_timestamp_duration', '_-_(timestamp, duration): timestamp', (a, b) =>
    timestamp(a.nanos - b.nanos),
  ),
  binary<Spanned>('subtract_timestamp_timestamp', '_-_(timestamp, timestamp): duration', (a, b) =>
    duration(a.nanos - b.nanos),
  ),
  binary<Uint>('subtract_uint64', '_-_(uint, uint): uint', (a, b) => uint(a.value - b.value)),
];

const PRODUCTS: readonly Overload[] = [
  binary<number>('multiply_double', '_*_(double, double): double', (a, b) => a * b),
  binary<bigint>('multiply_int64', '_*_(int, int): int', (a, b) => int(a * b)),
  binary<Uint>('multiply_uint64', '_*_(uint, uint): uint', (a, b) => uint(a.value * b.value)),
  binary<number>('divide_double', '_/_(double, double): double', (a, b) => a / b),
  binary<bigint>('divide_int64', '_/_(int, int): int', (a, b) => int(a / nonZero(b, 'division'))),
  binary<Uint>('divide_uint64', '_/_(uint, uint): uint', (a, b) => uint(a.value / nonZero(b.value, 'division'))),
  binary<bigint>('modulo_int64', '_%_(int, int): int', (a, b) => int(a % nonZero(b, 'modulus'))),
  binary<Uint>('modulo_uint64', '_%_(uint, uint): uint', (a, b) => uint(a.value % nonZero(b.value, 'modulus'))),
  overload('negate_double', '-_(double): double', ([value]) => -(value as number)),
  overload('negate_int64', '-_(int): int', ([value]) => int(-(value as bigint))),
];

const ORDERED = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration'];
const NUMERIC = ['int', 'uint', 'double'];
/** Names of types in the ids of overloads, which costs depend on. */
const IDS: Readonly<Record<string, string>> = { int: 'int64', uint: 'uint64' };

function comparison(name: string, symbol: string, holds: (order: number) => boolean): Overload[] {
  const pairs = ORDERED.flatMap((left) => {
    const others = NUMERIC.includes(left) ? NUMERIC : [left];
    return others.map((right) => [left, right] as const);
  });
  return pairs.map(([left, right]) => {
    const [one = left, other = right] = [IDS[left], IDS[right]];
    const id = left === right ? `${name}_${one}` : `${name}_${one}_${other}`;
    return binary<Value>(id, `_${symbol}_(${left}, ${right}): bool`, (a, b) => holds(compare(a, b)));
  });
}

export const NUMBERS: readonly Overload[] = [
  ...SUMS,
  ...PRODUCTS,
  ...comparison('less', '<', (order) => order < 0),
  ...comparison('less_equals', '<=', (order) => order <= 0),
  ...comparison('greater', '>', (order) => order > 0),
  ...comparison('greater_equals', '>=', (order) => order >= 0),
  overload('equals', '_==_(A, A): bool', ([a = null, b = null], work) => equals(a, b, work)),
  overload('not_equals', '_!=_(A, A): bool', ([a = null, b = null], work) => !equals(a, b, work)),
];
