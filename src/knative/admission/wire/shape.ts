/**
 * How Go reads and writes an object. Knative's webhook decodes what it gets into Go types and writes it out again
 * before anything else, and that shows: unknown members vanish, empty values are dropped, some members appear with
 * their zero value, and a value of the wrong type is refused in the words of Go's JSON package.
 *
 * A shape says for each member whether Go leaves it out when empty (the default), keeps whatever is there (`pointer`)
 * or always writes it (`always`). Names of Go types and embedded structs are kept for the texts of errors and diffs.
 */
import { isObject } from '#base/json.ts';
import { canonicalQuantity } from '#kube/quantity.ts';

export type Shape =
  | { readonly kind: 'scalar'; readonly go: 'string' | 'int32' | 'int64' | 'int' | 'bool' }
  | { readonly kind: 'quantity' | 'int-or-string' | 'time' | 'any' }
  | { readonly kind: 'list' | 'map'; readonly items: Shape }
  | Struct;

export interface Struct {
  readonly kind: 'struct';
  /** Name of the Go type, without its package. */
  readonly go: string;
  readonly fields: Readonly<Record<string, Field>>;
}

export interface Field {
  readonly shape: Shape;
  readonly presence: 'omitEmpty' | 'pointer' | 'always';
  /** Name of the embedded Go struct that the member belongs to. */
  readonly embeddedIn?: string | undefined;
}

type FieldInput = Shape | Field;

export const text: Shape = { kind: 'scalar', go: 'string' };
export const int: Shape = { kind: 'scalar', go: 'int' };
export const int32: Shape = { kind: 'scalar', go: 'int32' };
export const int64: Shape = { kind: 'scalar', go: 'int64' };
export const truth: Shape = { kind: 'scalar', go: 'bool' };
export const quantity: Shape = { kind: 'quantity' };
export const intOrString: Shape = { kind: 'int-or-string' };
export const time: Shape = { kind: 'time' };
/** Kept as it is. */
export const anything: Shape = { kind: 'any' };
export const texts: Shape = { kind: 'map', items: text };

export function list(items: Shape): Shape {
  return { kind: 'list', items };
}

export function map(items: Shape): Shape {
  return { kind: 'map', items };
}

export function struct(go: string, fields: Readonly<Record<string, FieldInput>>): Struct {
  const read = Object.entries(fields).map(([name, input]): [string, Field] => [name, asField(input)]);
  return { kind: 'struct', go, fields: Object.fromEntries(read) };
}

/** Kept when it is there, even empty. */
export function pointer(shape: Shape): Field {
  return { shape, presence: 'pointer' };
}

/** Written even when it is not there. */
export function always(shape: Shape): Field {
  return { shape, presence: 'always' };
}

/** Members of a struct that Go embeds in another. */
export function embedded(go: string, fields: Readonly<Record<string, FieldInput>>): Record<string, Field> {
  const read = Object.entries(fields).map(([name, input]): [string, Field] => {
    return [name, { ...asField(input), embeddedIn: go }];
  });
  return Object.fromEntries(read);
}

/** A struct without more ado is one behind a pointer: there is no other way to leave it out. */
function asField(input: FieldInput): Field {
  if ('presence' in input) return input;
  return { shape: input, presence: input.kind === 'struct' ? 'pointer' : 'omitEmpty' };
}

/** A value that Go would not take, in Go's words. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

interface Place {
  readonly struct: string;
  readonly path: string;
}

/** What Go writes after reading `value`. `path` is where the value stands in the object. Throws `DecodeError`. */
export function roundTrip(shape: Struct, value: unknown, path: string): Record<string, unknown> {
  return readStruct(shape, value ?? {}, { struct: shape.go, path });
}

function readStruct(shape: Struct, value: unknown, place: Place): Record<string, unknown> {
  if (!isObject(value)) throw mismatch(shape, value, place);
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(shape.fields)) {
    const parent = field.embeddedIn === undefined ? place.path : `${place.path}.${field.embeddedIn}`;
    const read = readField(field, value[name], { struct: shape.go, path: `${parent}.${name}` });
    if (read !== undefined) result[name] = read;
  }
  return result;
}

function readField({ shape, presence }: Field, value: unknown, place: Place): unknown {
  if (value === undefined || value === null) return presence === 'always' ? zeroOf(shape, place) : undefined;
  const result = read(shape, value, place);
  return presence === 'omitEmpty' && isEmpty(result) ? undefined : result;
}

function read(shape: Shape, value: unknown, place: Place): unknown {
  switch (shape.kind) {
    case 'struct':
      return readStruct(shape, value, place);
    case 'list':
      if (!Array.isArray(value)) throw mismatch(shape, value, place);
      return value.map((entry: unknown) => readElement(shape.items, entry, place));
    case 'map':
      return readMap(shape.items, value, place);
    case 'quantity':
      return readQuantity(value);
    case 'int-or-string':
      return readIntOrString(value, place);
    case 'any':
      return value;
    case 'time':
      return readScalar('string', value, place);
    case 'scalar':
      return readScalar(shape.go, value, place);
    default:
      return shape satisfies never;
  }
}

function readElement(shape: Shape, value: unknown, place: Place): unknown {
  return value === undefined || value === null ? zeroOf(shape, place) : read(shape, value, place);
}

function readMap(items: Shape, value: unknown, place: Place): Record<string, unknown> {
  if (!isObject(value)) throw mismatch({ kind: 'map', items }, value, place);
  const entries = Object.entries(value).map(([key, entry]) => [key, readElement(items, entry, place)]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function readQuantity(value: unknown): string {
  const isReadable = typeof value === 'string' || typeof value === 'number';
  const canonical = canonicalQuantity(isReadable ? value : 'x');
  if (canonical instanceof Error) throw new DecodeError(canonical.message);
  return canonical;
}

function readIntOrString(value: unknown, place: Place): unknown {
  return typeof value === 'string' ? value : readScalar('int32', value, place);
}

type Scalar = (Shape & { kind: 'scalar' })['go'];

function readScalar(go: Scalar, value: unknown, place: Place): unknown {
  const isRight =
    go === 'string' ? typeof value === 'string' : go === 'bool' ? typeof value === 'boolean' : isInteger(value, go);
  if (!isRight) throw mismatch({ kind: 'scalar', go }, value, place);
  return value;
}

function isInteger(value: unknown, go: Scalar): boolean {
  if (!Number.isInteger(value)) return false;
  const limit = go === 'int32' ? 2 ** 31 : 2 ** 63;
  return Number(value) >= -limit && Number(value) < limit;
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return !value;
  return Object.keys(value).length === 0;
}

function zeroOf(shape: Shape, place: Place): unknown {
  if (shape.kind === 'struct') return readStruct(shape, {}, place);
  if (shape.kind === 'int-or-string') return 0;
  if (shape.kind === 'quantity') return '0';
  if (shape.kind !== 'scalar') return null;
  if (shape.go === 'string') return '';
  return shape.go === 'bool' ? false : 0;
}

/** True when every member is what Go starts with. */
export function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.values(value).every(isZero);
  return value === undefined || value === null || value === '' || value === 0 || value === false;
}

function mismatch(shape: Shape, value: unknown, { struct: owner, path }: Place): DecodeError {
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  const isFraction = typeof value === 'number' && shape.kind === 'scalar' && shape.go.startsWith('int');
  const shown = isFraction ? `number ${value}` : kind;
  return new DecodeError(
    `json: cannot unmarshal ${shown} into Go struct field ${owner}.${path.replace(/^\./, '')} of type ${goType(shape)}`,
  );
}

function goType(shape: Shape): string {
  if (shape.kind === 'struct') return `v1.${shape.go}`;
  if (shape.kind === 'list') return `[]${goType(shape.items)}`;
  if (shape.kind === 'map') return `map[string]${goType(shape.items)}`;
  return shape.kind === 'scalar' ? shape.go : 'string';
}
