/**
 * Whether an object of a custom kind fits its schema, in the words of Kubernetes' OpenAPI validation: types, required
 * members, formats, and elements that must be distinct. Rules beyond the shape are code beside each kind.
 */
import { getMember, isObject } from '#base/json.ts';
import {
  child,
  duplicateField,
  type FieldError,
  index,
  renderValue,
  requiredField,
  typeInvalidField,
} from '#kube/field-error.ts';
import { goSyntax } from '#kube/go-text.ts';
import { goTimeError } from '#kube/go-time.ts';
import type { Schema } from '#kube/schema.ts';

const MAX_INT32 = 2 ** 31;

/** Errors in the order of the document; those about distinct elements come last. */
export function schemaErrors(schema: Schema, value: unknown): FieldError[] {
  return [...shapeErrors(schema, value, ''), ...distinctErrors(schema, value, '')];
}

function shapeErrors(schema: Schema, value: unknown, path: string): FieldError[] {
  if (schema.type === 'any' || (value === null && schema.nullable === true)) return [];
  if (!isOfType(schema, value)) return [typeInvalidField(path, typeOf(value), expectedType(schema))];
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.flatMap((element, position) => shapeErrors(items, element, index(path, position))) : [];
  }
  return isObject(value) ? memberErrors(schema, value, path) : formatErrors(schema, value, path);
}

function memberErrors(schema: Schema, value: Readonly<Record<string, unknown>>, path: string): FieldError[] {
  const ofMembers = Object.entries(value).flatMap(([name, member]) => {
    const type = memberOf(schema, name);
    return type === undefined || member === undefined ? [] : shapeErrors(type, member, child(path, name));
  });
  const missing = (schema.required ?? []).filter((name) => getMember(value, name) === undefined);
  return [...ofMembers, ...missing.map((name) => requiredField(child(path, name)))];
}

function memberOf(schema: Schema, name: string): Schema | undefined {
  return schema.type === 'map' ? schema.items : (getMember(schema.properties ?? {}, name) as Schema | undefined);
}

function isOfType(schema: Schema, value: unknown): boolean {
  const type = typeOf(value);
  if (schema.format === 'quantity') return ['string', 'integer', 'number'].includes(type);
  const expected = expectedType(schema);
  return expected.split(',').includes(type) || (expected === 'number' && type === 'integer');
}

/** The JSON type of a value, in which whole numbers are a type of their own. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}

const TYPES: Readonly<Record<string, string>> = { list: 'array', map: 'object', 'int-or-string': 'integer,string' };

function expectedType(schema: Schema): string {
  return TYPES[schema.type] ?? schema.type;
}

function formatErrors(schema: Schema, value: unknown, path: string): FieldError[] {
  if (schema.format === 'int32' && typeof value === 'number' && (value < -MAX_INT32 || value >= MAX_INT32)) {
    return [{ ...typeInvalidField(path, 'integer', 'int32'), message: formatMessage(path, value, 'int32') }];
  }
  const isBadTime = schema.format === 'date-time' && typeof value === 'string' && goTimeError(value, 'seconds');
  return isBadTime ? [typeInvalidField(path, value, 'date-time')] : [];
}

function formatMessage(path: string, value: number, format: string): string {
  return `Invalid value: ${value}: ${path} in body must be of type ${format}: ${JSON.stringify(String(value))}`;
}

/** Elements of sets, and of lists with keys, that occur more than once. */
function distinctErrors(schema: Schema, value: unknown, path: string): FieldError[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    const ofElements = value.flatMap((element, position) =>
      items ? distinctErrors(items, element, index(path, position)) : [],
    );
    return [...duplicates(schema, value, path), ...ofElements];
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const type = memberOf(schema, name);
    return type === undefined ? [] : distinctErrors(type, member, child(path, name));
  });
}

function duplicates(schema: Schema, list: readonly unknown[], path: string): FieldError[] {
  const seen = new Set<string>();
  return list.flatMap((element, position) => {
    const name = nameOf(schema, element);
    if (name === undefined) return [];
    const isKnown = seen.has(name.identity);
    seen.add(name.identity);
    if (!isKnown) return [];
    return [{ ...duplicateField(index(path, position), element), message: `Duplicate value: ${name.text}` }];
  });
}

/** What must be unique about an element; undefined where nothing must be. */
function nameOf(schema: Schema, element: unknown): { identity: string; text: string } | undefined {
  if (schema.listType === 'set') return { identity: JSON.stringify(element), text: renderValue(element) };
  if (schema.listType !== 'map' || !isObject(element)) return undefined;
  const keys = (schema.listMapKeys ?? []).map((key) => [
    key,
    getMember(element, key) ?? (schema.items?.properties?.[key]?.default as unknown),
  ]);
  const named = Object.fromEntries(keys.filter(([, value]) => value !== undefined)) as Record<string, unknown>;
  return { identity: JSON.stringify(keys), text: goSyntax(named) };
}
