/**
 * Why the result of a strategic merge patch is not an object of the kind. Kubernetes does not decode such a result as
 * JSON but converts it member by member, in the order of its structs and with words of their own.
 */
import { getMember, isObject } from '#base/json.ts';
import { decodeError } from '#kube/decode-errors.ts';
import { goType } from '#kube/go-text.ts';
import type { Schema } from '#kube/schema.ts';

/** The first fault, or undefined. */
export function conversionError(schema: Schema, value: unknown): string | undefined {
  if (value === null || value === undefined || schema.type === 'any') return undefined;
  switch (schema.type) {
    case 'object':
      if (!isObject(value)) return `cannot restore struct from: ${goKind(value)}`;
      return first(Object.entries(schema.properties ?? {}), ([name, member]) =>
        conversionError(member, getMember(value, name)),
      );
    case 'map':
      if (!isObject(value)) return `cannot restore map from ${goKind(value)}`;
      return first(Object.values(value), (member) => ofItem(schema, member));
    case 'list':
      if (!Array.isArray(value)) return `cannot restore slice from ${goKind(value)}`;
      return first(value as unknown[], (element) => ofItem(schema, element));
    default:
      return scalarError(schema, value);
  }
}

function first<T>(values: readonly T[], check: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const error = check(value);
    if (error !== undefined) return error;
  }
  return undefined;
}

function ofItem({ items }: Schema, value: unknown): string | undefined {
  return items && conversionError(items, value);
}

/** Times, quantities and the like read themselves from JSON; plain scalars convert from what Go can convert. */
function scalarError(schema: Schema, value: unknown): string | undefined {
  const { type, format = '' } = schema;
  if (type === 'int-or-string' || (type === 'string' && format !== '')) return decodeError(schema, value);
  const target = type === 'string' ? 'string' : type === 'boolean' ? 'bool' : format || 'int64';
  if (typeof value === target || (target === 'bool' && typeof value === 'boolean')) return undefined;
  if (typeof value !== 'number' || type === 'boolean') return `unrecognized type: ${target}`;
  if (type === 'string') {
    return Number.isInteger(value) ? `cannot convert int64 to string` : 'unrecognized type: string';
  }
  return type === 'number' || Number.isInteger(value) ? undefined : `cannot convert ${goType(value)} to ${target}`;
}

/** What Go calls the kind of a decoded value. */
function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  return isObject(value) ? 'map' : goType(value);
}
