/**
 * Elements that must not occur twice: values of sets, keys of maps (x-kubernetes-list-type), in Kubernetes' words. An
 * element that occurs three times is reported once, as there.
 */
import { getMember, isObject } from '#base/json.ts';
import { child, duplicateField, entry, type FieldError, index, invalidField, renderValue } from '#kube/field-error.ts';
import { goSyntax } from '#kube/go-text.ts';
import type { JsonSchema } from '#kube/structural/json-schema.ts';
import { additionalSchema } from '#kube/structural/json-schema.ts';

export function listTypeErrors(schema: JsonSchema, value: unknown, path: string): FieldError[] {
  if (Array.isArray(value)) return elementErrors(schema, value, path);
  if (!isObject(value)) return [];
  const additional = additionalSchema(schema);
  const members = Object.entries(value);
  const ofFree = additional
    ? members.flatMap(([name, member]) => listTypeErrors(additional, member, entry(path, name)))
    : [];
  const ofKnown = members.flatMap(([name, member]) => {
    const known = schema.properties.get(name);
    return known ? listTypeErrors(known, member, child(path, name)) : [];
  });
  return [...ofFree, ...ofKnown];
}

function elementErrors(schema: JsonSchema, list: readonly unknown[], path: string): FieldError[] {
  const { items } = schema;
  const below = items ? list.flatMap((element, position) => listTypeErrors(items, element, index(path, position))) : [];
  if (schema.listType === 'set') return [...setErrors(list, path), ...below];
  return schema.listType === 'map' ? [...mapErrors(schema, list, path), ...below] : below;
}

function setErrors(list: readonly unknown[], path: string): FieldError[] {
  return repeated(list.map(identityOf)).map((position) => duplicate(index(path, position), list[position]));
}

function mapErrors(schema: JsonSchema, list: readonly unknown[], path: string): FieldError[] {
  const foreign = list.findIndex((element) => element !== null && !isObject(element));
  if (foreign >= 0) {
    return [invalidField(index(path, foreign), list[foreign], 'must be an object for an array of list-type map')];
  }
  const keys = list.map((element) => keyOf(schema, isObject(element) ? element : {}));
  return repeated(keys.map(identityOf)).map((position) => duplicate(index(path, position), keys[position]));
}

function keyOf(schema: JsonSchema, element: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const named = schema.listMapKeys.filter((key) => Object.hasOwn(element, key));
  return Object.fromEntries(named.map((key) => [key, getMember(element, key)])) as Record<string, unknown>;
}

/** Positions of the elements that occur for the second time. */
function repeated(identities: readonly string[]): number[] {
  const times = new Map<string, number>();
  return identities.flatMap((identity, position) => {
    const count = (times.get(identity) ?? 0) + 1;
    times.set(identity, count);
    return count === 2 ? [position] : [];
  });
}

/** Equal for equal values, whatever the order of their members. */
function identityOf(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    isObject(member) ? Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)) : member,
  );
}

function duplicate(path: string, value: unknown): FieldError {
  const text = typeof value === 'object' && value !== null ? goSyntax(value) : renderValue(value ?? 'null');
  return { ...duplicateField(path, value), message: `Duplicate value: ${text}` };
}
