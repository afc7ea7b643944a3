/**
 * Whether a document can be decoded into a built-in kind at all, in the words of Go's decoder: the first value, in
 * the order of the document, that is not of its member's type. Custom kinds have `schemaErrors` instead.
 */
import { getMember, isObject } from '#base/json.ts';
import { goJsonType } from '#kube/go-text.ts';
import { ParseError } from '#kube/parse-error.ts';
import { parseQuantity } from '#kube/quantity.ts';
import type { Schema } from '#kube/schema.ts';
import { goTimeError } from '#kube/go-time.ts';

interface Place {
  /** The Go struct that the value is a member of. */
  readonly struct: string;
  /** Members on the way, without indexes. */
  readonly fields: readonly string[];
}

const MAX_INT32 = 2 ** 31;
const MAX_INT64 = 2 ** 63;

/** What Go would say, or undefined. */
export function decodeError(schema: Schema, value: unknown): string | undefined {
  return visit(schema, value, { struct: structOf(schema), fields: [] });
}

function structOf(schema: Schema): string {
  return schema.name?.slice(schema.name.lastIndexOf('.') + 1) ?? '';
}

function visit(schema: Schema, value: unknown, place: Place): string | undefined {
  if (value === null || value === undefined || schema.type === 'any') return undefined;
  switch (schema.type) {
    case 'object':
      return isObject(value) ? visitMembers(schema, value, place) : mismatch(schema, value, place);
    case 'map':
      return isObject(value) ? visitEntries(schema, value, place) : mismatch(schema, value, place);
    case 'list':
      return Array.isArray(value) ? visitElements(schema, value, place) : mismatch(schema, value, place);
    case 'string':
      return visitText(schema, value, place);
    case 'boolean':
      return typeof value === 'boolean' ? undefined : mismatch(schema, value, place);
    case 'int-or-string':
      return intOrStringError(value);
    default:
      return numberError(schema, value, place);
  }
}

function visitMembers(schema: Schema, value: Readonly<Record<string, unknown>>, place: Place): string | undefined {
  const struct = structOf(schema) || place.struct;
  for (const [name, member] of Object.entries(value)) {
    const type = getMember(schema.properties ?? {}, name) as Schema | undefined;
    const error = type && visit(type, member, { struct, fields: [...place.fields, name] });
    if (error !== undefined) return error;
  }
  return undefined;
}

function visitEntries(schema: Schema, value: Readonly<Record<string, unknown>>, place: Place): string | undefined {
  return firstError(schema, Object.values(value), place);
}

function visitElements(schema: Schema, value: readonly unknown[], place: Place): string | undefined {
  return firstError(schema, value, place);
}

function firstError({ items }: Schema, values: readonly unknown[], place: Place): string | undefined {
  if (items === undefined) return undefined;
  for (const value of values) {
    const error = visit(items, value, place);
    if (error !== undefined) return error;
  }
  return undefined;
}

function mismatch(schema: Schema, value: unknown, { struct, fields }: Place): string {
  return `json: cannot unmarshal ${goJsonType(value)} into Go struct field ${struct}.${fields.join('.')} of type ${goTypeOf(schema)}`;
}

/** The Go type of a member, as far as the schema tells. */
function goTypeOf(schema: Schema): string {
  switch (schema.type) {
    case 'list':
      return `[]${goTypeOf(schema.items ?? schema)}`;
    case 'map':
      return `map[string]${schema.items ? goTypeOf(schema.items) : 'interface {}'}`;
    case 'object':
      return schema.name?.split('.').slice(-2).join('.') ?? 'map[string]interface {}';
    case 'integer':
      return schema.format ?? 'int64';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    default:
      return schema.format === 'byte' ? '[]uint8' : 'string';
  }
}

function visitText(schema: Schema, value: unknown, place: Place): string | undefined {
  if (schema.format === 'quantity') return quantityError(value);
  const isTime = schema.format === 'date-time' || schema.format === 'micro-time';
  if (typeof value !== 'string') return mismatch(schema, value, place);
  if (isTime) return goTimeError(value, schema.format === 'micro-time' ? 'microseconds' : 'seconds');
  return schema.format === 'byte' ? base64Error(value) : undefined;
}

function quantityError(value: unknown): string | undefined {
  const quantity = parseQuantity(typeof value === 'string' || typeof value === 'number' ? String(value) : 'x');
  return quantity instanceof ParseError ? quantity.message : undefined;
}

function intOrStringError(value: unknown): string | undefined {
  if (typeof value === 'string') return undefined;
  if (typeof value === 'number') return isWithin(value, MAX_INT32) ? undefined : notWhole(value, 'value of type int32');
  return `json: cannot unmarshal ${goJsonType(value)} into Go value of type int32`;
}

function numberError(schema: Schema, value: unknown, place: Place): string | undefined {
  if (typeof value !== 'number') return mismatch(schema, value, place);
  if (schema.type === 'number') return undefined;
  const limit = schema.format === 'int32' ? MAX_INT32 : MAX_INT64;
  if (isWithin(value, limit)) return undefined;
  return notWhole(value, `struct field ${place.struct}.${place.fields.join('.')} of type ${goTypeOf(schema)}`);
}

function isWithin(value: number, limit: number): boolean {
  return Number.isInteger(value) && value >= -limit && value < limit;
}

function notWhole(value: number, target: string): string {
  return `json: cannot unmarshal number ${value} into Go ${target}`;
}

/** The place that Go's decoder stops at: the first letter that is no base64, or the start of an incomplete group. */
function base64Error(text: string): string | undefined {
  const letters = text.replace(/[\r\n]/g, '');
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(letters)) return undefined;
  const foreign = /[^A-Za-z0-9+/=]/.exec(text)?.index ?? (text.includes('=') ? text.length : undefined);
  return `illegal base64 data at input byte ${foreign ?? Math.floor(letters.length / 4) * 4}`;
}
