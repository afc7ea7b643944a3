/** `int('5')`, `string(1.5)` and the other conversions, `type()`, `dyn()` and `size()`. */
import { type Overload, overload } from '#kube/cel/declarations.ts';
import { CelFailure } from '#kube/cel/errors.ts';
import { duration, int, timestamp, uint } from '#kube/cel/library/numbers.ts';
import { formatTimestamp, parseTimestamp } from '#kube/cel/library/timestamps.ts';
import {
  CelDuration,
  type CelList,
  CelTimestamp,
  runeCount,
  TypeValue,
  typeNameOf,
  Uint,
  type Value,
} from '#kube/cel/values.ts';
import { parseDuration } from '#kube/duration.ts';
import { goNumber } from '#kube/go-number.ts';
import { ParseError } from '#kube/parse-error.ts';

const NANOS_PER_SECOND = 1_000_000_000n;

// What is converted is named once here rather than cast in each of them.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
function convert<T extends Value>(id: string, signature: string, run: (value: T) => Value): Overload {
  return overload(id, signature, ([value = null]) => run(value as T));
}

function impossible(from: string, to: string): CelFailure {
  return new CelFailure(`type conversion error from '${from}' to '${to}'`);
}

function textToInt(text: string): bigint {
  if (!/^[-+]?[0-9]{1,40}$/.test(text)) throw impossible('string', 'int');
  return int(BigInt(text.replace(/^\+/, '')));
}

function textToUint(text: string): Uint {
  if (!/^[0-9]{1,40}$/.test(text)) throw impossible('string', 'uint');
  return uint(BigInt(text));
}

function textToDouble(text: string): number {
  const special: Readonly<Record<string, number>> = { inf: Infinity, infinity: Infinity, nan: Number.NaN };
  const known = special[text.replace(/^[-+]/, '').toLowerCase()];
  if (known !== undefined) return text.startsWith('-') ? -known : known;
  if (!/^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/.test(text)) throw impossible('string', 'double');
  return Number(text);
}

function textToBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw impossible('string', 'bool');
}

function whole(value: number): bigint {
  if (!Number.isFinite(value)) throw new CelFailure('integer overflow');
  return BigInt(Math.trunc(value));
}

function bytesToText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CelFailure('invalid UTF-8 in bytes, cannot convert to string');
  }
}

function durationOf(text: string): CelDuration {
  const nanos = parseDuration(text);
  if (nanos instanceof ParseError) throw impossible('string', 'google.protobuf.Duration');
  return duration(nanos);
}

/** Seconds with a fraction, as protocol buffers write durations. */
function durationText(value: CelDuration): string {
  const seconds = Number(value.nanos) / Number(NANOS_PER_SECOND);
  return `${goNumber(seconds)}s`;
}

const NUMBERS: readonly Overload[] = [
  convert<bigint>('int64_to_int64', 'int(int): int', (value) => value),
  convert<number>('double_to_int64', 'int(double): int', (value) => int(whole(value))),
  convert<CelDuration>('duration_to_int64', 'int(duration): int', (value) => value.nanos),
  convert<string>('string_to_int64', 'int(string): int', textToInt),
  convert<CelTimestamp>('timestamp_to_int64', 'int(timestamp): int', (value) => floorSeconds(value.nanos)),
  convert<Uint>('uint64_to_int64', 'int(uint): int', (value) => int(value.value)),
  convert<Uint>('uint64_to_uint64', 'uint(uint): uint', (value) => value),
  convert<number>('double_to_uint64', 'uint(double): uint', (value) => uint(whole(value))),
  convert<bigint>('int64_to_uint64', 'uint(int): uint', (value) => uint(value)),
  convert<string>('string_to_uint64', 'uint(string): uint', textToUint),
  convert<number>('double_to_double', 'double(double): double', (value) => value),
  convert<bigint>('int64_to_double', 'double(int): double', (value) => Number(value)),
  convert<string>('string_to_double', 'double(string): double', textToDouble),
  convert<Uint>('uint64_to_double', 'double(uint): double', (value) => Number(value.value)),
];

function floorSeconds(nanos: bigint): bigint {
  const seconds = nanos / NANOS_PER_SECOND;
  return nanos % NANOS_PER_SECOND < 0n ? seconds - 1n : seconds;
}

const TEXTS: readonly Overload[] = [
  convert<string>('string_to_string', 'string(string): string', (value) => value),
  convert<boolean>('bool_to_string', 'string(bool): string', String),
  convert<Uint8Array>('bytes_to_string', 'string(bytes): string', bytesToText),
  convert<number>('double_to_string', 'string(double): string', goNumber),
  convert<CelDuration>('duration_to_string', 'string(duration): string', durationText),
  convert<bigint>('int64_to_string', 'string(int): string', String),
  convert<CelTimestamp>('timestamp_to_string', 'string(timestamp): string', (value) => formatTimestamp(value.nanos)),
  convert<Uint>('uint64_to_string', 'string(uint): string', (value) => String(value.value)),
  convert<Uint8Array>('bytes_to_bytes', 'bytes(bytes): bytes', (value) => value),
  convert<string>('string_to_bytes', 'bytes(string): bytes', (value) => Uint8Array.from(Buffer.from(value))),
  convert<boolean>('bool_to_bool', 'bool(bool): bool', (value) => value),
  convert<string>('string_to_bool', 'bool(string): bool', textToBool),
];

const TIMES: readonly Overload[] = [
  convert<CelDuration>('duration_to_duration', 'duration(duration): duration', (value) => value),
  convert<bigint>('int64_to_duration', 'duration(int): duration', (value) => duration(value)),
  convert<string>('string_to_duration', 'duration(string): duration', durationOf),
  convert<CelTimestamp>('timestamp_to_timestamp', 'timestamp(timestamp): timestamp', (value) => value),
  convert<bigint>('int64_to_timestamp', 'timestamp(int): timestamp', (value) => timestamp(value * NANOS_PER_SECOND)),
  convert<string>('string_to_timestamp', 'timestamp(string): timestamp', (text) => {
    const nanos = parseTimestamp(text);
    if (nanos === undefined) throw impossible('string', 'google.protobuf.Timestamp');
    return timestamp(nanos);
  }),
];

const size = (value: string | Uint8Array | CelList): bigint => {
  if (typeof value === 'string') return BigInt(runeCount(value));
  return BigInt(value instanceof Uint8Array ? value.length : value.size);
};

const SIZES: readonly Overload[] = ['bytes', 'string', 'list(A)', 'map(A, B)'].flatMap((type) => {
  const name = type.replace(/\(.*/, '');
  return [
    convert<string>(`size_${name}`, `size(${type}): int`, size),
    convert<string>(`${name}_size`, `.size(${type}): int`, size),
  ];
});

export const CONVERSIONS: readonly Overload[] = [
  ...NUMBERS,
  ...TEXTS,
  ...TIMES,
  ...SIZES,
  convert<Value>('to_dyn', 'dyn(A): dyn', (value) => value),
  convert<Value>('type', 'type(A): type(A)', (value) => new TypeValue(typeNameOf(value))),
];
