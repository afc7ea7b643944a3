/**
 * How the schema is read for merging and owning: what sort of thing a value is, what the schema of its members or
 * elements is, and what names an element of a list.
 */
import { getMember, isObject } from '#base/json.ts';
import { keyElement, memberElement, type PathElement, valueElement } from '#kube/apply/path-element.ts';
import { any, type Schema } from '#kube/schema.ts';

export type Sort = 'map' | 'list' | 'scalar';

/** Of a value that no schema describes: maps merge by member, everything else is one piece. */
export const UNTYPED: Schema = any();

const SORTS: Readonly<Record<string, Sort>> = { object: 'map', map: 'map', list: 'list' };

/** The schema decides; where it says nothing, the value does (null and nothing count as a map). */
export function sortOf(schema: Schema, value: unknown): Sort {
  if (schema.type !== 'any') return SORTS[schema.type] ?? 'scalar';
  if (Array.isArray(value)) return 'list';
  return value === undefined || value === null || isObject(value) ? 'map' : 'scalar';
}

/** True for what is owned and replaced as one piece. */
export function isAtomic(schema: Schema, sort: Sort): boolean {
  if (sort === 'list') return schema.listType === undefined || schema.listType === 'atomic';
  return sort === 'map' && schema.atomic === true;
}

/** A member that the schema declares by name. */
export function declaredMember(schema: Schema, name: string): Schema | undefined {
  return schema.properties && (getMember(schema.properties, name) as Schema | undefined);
}

/** The schema of a member; undefined where the schema allows no such member. */
export function memberSchema(schema: Schema, name: string): Schema | undefined {
  const declared = declaredMember(schema, name);
  if (declared !== undefined) return declared;
  if (schema.type === 'map') return schema.items ?? UNTYPED;
  const isOpen = schema.preserveUnknown === true || Object.keys(schema.properties ?? {}).length === 0;
  return isOpen ? UNTYPED : undefined;
}

export function elementSchema(schema: Schema): Schema {
  return schema.items ?? UNTYPED;
}

export function asMap(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The names of members that either map has, those of the first first. */
export function memberNames(...maps: readonly unknown[]): string[] {
  return [...new Set(maps.flatMap((map) => Object.keys(asMap(map))))];
}

export function childOf(map: unknown, name: string): unknown {
  return getMember(asMap(map), name);
}

export { memberElement };

/** Says why an element of a list that merges cannot be named. */
export class UnnamedElementError extends Error {
  override readonly name = 'UnnamedElementError';
}

/** What names an element of a set or of a list with keys. */
export function elementName(schema: Schema, element: unknown): PathElement {
  return schema.listType === 'map' ? keyedName(schema, element) : setName(element);
}

function setName(element: unknown): PathElement {
  if (isObject(element)) throw unnamed("associative list without keys has an element that's a map type");
  if (Array.isArray(element)) throw unnamed('not supported: associative list with lists as elements');
  if (element === null) throw unnamed("associative list without keys has an element that's an explicit null");
  return valueElement(element);
}

function keyedName(schema: Schema, element: unknown): PathElement {
  if (element === null) throw unnamed('associative list with keys may not have a null element');
  if (!isObject(element)) throw unnamed('associative list with keys may not have non-map elements');
  const keys = (schema.listMapKeys ?? []).map((key) => {
    const given = getMember(element, key);
    const value = given === undefined ? keyDefault(elementSchema(schema), key) : given;
    if (value !== undefined) return [key, value] as const;
    const problem = `associative list with keys has an element that omits key field "${key}"`;
    throw unnamed(`${problem} (and doesn't have default value)`);
  });
  return keyElement(Object.fromEntries(keys));
}

function unnamed(message: string): UnnamedElementError {
  return new UnnamedElementError(message);
}

/** Required members of the built-in kinds, whose schemas have a name, fall back to their zero value. */
function keyDefault(element: Schema, key: string): unknown {
  const member = declaredMember(element, key);
  if (member?.default !== undefined) return member.default;
  const hasZero = element.name !== undefined && element.required?.includes(key) === true;
  if (!hasZero) return undefined;
  return member?.type === 'integer' ? 0 : '';
}

/** Elements by name, in order; those of a name that occurs twice share an entry. */
export function elementsByName(schema: Schema, list: unknown): Map<PathElement, unknown[]> {
  const byName = new Map<PathElement, unknown[]>();
  for (const element of asList(list)) {
    const name = elementName(schema, element);
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [element]);
    else same.push(element);
  }
  return byName;
}
