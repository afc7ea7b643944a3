/**
 * The form in which the API keeps and shows objects of built-in kinds. Kubernetes holds them in Go structs and loses
 * on the way what a struct cannot hold: members that it does not know, empty lists and maps, zero values of plain
 * members; and it always writes what a struct always has (`status: {}`, `creationTimestamp: null`, `resources: {}`).
 * The schema says which member is of which sort (see `Zero` there). Quantities and times take their canonical text.
 *
 * Values must fit the schema's types; what does not is passed on as it is. Custom kinds have no such form.
 */
import { getMember, isObject, setMember } from '#base/json.ts';
import { canonicalQuantity } from '#kube/quantity.ts';
import type { Schema } from '#kube/schema.ts';
import { formatMicroTime, formatTime, parseTime } from '#kube/time.ts';

/** A new value; the argument is not changed, but parts of it may be in the answer. */
export function canonicalValue(schema: Schema, value: unknown): unknown {
  if (value === null || value === undefined) return zeroOf(schema);
  switch (schema.type) {
    case 'object':
      return isObject(value) ? canonicalObject(schema, value) : value;
    case 'map':
      return isObject(value) ? canonicalMap(schema, value) : value;
    case 'list':
      return Array.isArray(value) ? canonicalList(schema, value) : value;
    default:
      return canonicalScalar(schema, value);
  }
}

/** What a decoded object of the kind holds when nothing was said. */
export function emptyValue(schema: Schema): Record<string, unknown> {
  return canonicalObject(schema, {});
}

function canonicalObject(schema: Schema, value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const given = getMember(value, name) ?? undefined;
    const isWritten = schema.required?.includes(name) || member.zero === 'write';
    if (given === undefined && member.zero === 'null') setMember(result, name, null);
    if (given === undefined && (!isWritten || member.zero === 'null')) continue;
    const canonical = canonicalValue(member, given);
    if (isWritten || !isDropped(member, canonical)) setMember(result, name, canonical);
  }
  if (schema.preserveUnknown) copyUnknown(schema, value, result);
  return result;
}

function copyUnknown(schema: Schema, value: Readonly<Record<string, unknown>>, result: Record<string, unknown>): void {
  for (const [name, member] of Object.entries(value)) {
    if (!Object.hasOwn(schema.properties ?? {}, name)) setMember(result, name, member);
  }
}

/** A member whose zero value counts as none. */
function isDropped(member: Schema, value: unknown): boolean {
  if (member.zero !== undefined) return false;
  if (member.type === 'list' || member.type === 'map') return value === null;
  const isPlain = member.type !== 'object' && member.type !== 'any' && member.type !== 'int-or-string';
  const isStruct = member.format === 'quantity' || member.format === 'date-time' || member.format === 'micro-time';
  return isPlain && !isStruct && (value === '' || value === 0 || value === false);
}

function canonicalMap(schema: Schema, value: Readonly<Record<string, unknown>>): unknown {
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) setMember(result, name, canonicalElement(schema, member));
  return Object.keys(result).length === 0 ? null : result;
}

function canonicalList(schema: Schema, value: readonly unknown[]): unknown {
  return value.length === 0 ? null : value.map((element) => canonicalElement(schema, element));
}

function canonicalElement(schema: Schema, element: unknown): unknown {
  return schema.items === undefined ? element : canonicalValue(schema.items, element);
}

function canonicalScalar(schema: Schema, value: unknown): unknown {
  if (schema.format === 'quantity' && (typeof value === 'string' || typeof value === 'number')) {
    const canonical = canonicalQuantity(value);
    return typeof canonical === 'string' ? canonical : value;
  }
  if (typeof value !== 'string') return value;
  if (schema.format === 'date-time') return canonicalTime(value, formatTime);
  if (schema.format === 'micro-time') return canonicalTime(value, formatMicroTime);
  return value;
}

/** Times in UTC; one that is written like ours stays as it is, to the last digit. */
function canonicalTime(text: string, format: (epochMs: number) => string): string {
  const epochMs = parseTime(text);
  if (epochMs === undefined) return text;
  const canonical = format(epochMs);
  return text.endsWith('Z') && text.length === canonical.length ? text : canonical;
}

function zeroOf(schema: Schema): unknown {
  switch (schema.type) {
    case 'object':
      return emptyValue(schema);
    case 'string':
      if (schema.format === 'quantity') return '0';
      return schema.nullable ? null : '';
    case 'integer':
    case 'number':
    case 'int-or-string':
      return 0;
    case 'boolean':
      return false;
    default:
      return null;
  }
}
