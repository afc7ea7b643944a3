/** Defaults that the schema itself declares, as Kubernetes fills them into custom kinds. */
import { isObject, setMember } from '#base/json.ts';
import type { Schema } from '#kube/schema.ts';

/** Fills absent members, and nulls where null is not allowed, of objects that are there. Changes `value`. */
export function fillDefaults(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) for (const element of value) fillDefaults(items, element);
  } else if (isObject(value)) {
    fillMembers(schema, value);
  }
}

function fillMembers(schema: Schema, value: Record<string, unknown>): void {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    const isOpen = given === undefined || (given === null && member.nullable !== true);
    if (isOpen && member.default !== undefined) setMember(value, name, member.default);
    else fillDefaults(member, given);
  }
  if (schema.type === 'map' && schema.items) {
    for (const member of Object.values(value)) fillDefaults(schema.items, member);
  }
}
