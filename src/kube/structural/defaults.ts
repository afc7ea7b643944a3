/** Defaults that a structural schema declares, filled into an object in place: what is absent, and what is null where
 * null is no value of its own. What was filled in is filled in turn, so that nested defaults meet. */
import { clone, getMember, isObject, setMember } from '#base/json.ts';
import { additionalSchema, type JsonSchema, memberSchema } from '#kube/structural/json-schema.ts';

export function fillStructuralDefaults(schema: JsonSchema | undefined, value: unknown): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) fillElements(schema.items, value as unknown[]);
  else if (isObject(value)) fillMembers(schema, value);
}

function fillElements(items: JsonSchema | undefined, list: unknown[]): void {
  if (items === undefined) return;
  list.forEach((element, position) => {
    if (isOpen(items, element) && items.default !== undefined) list[position] = clone(items.default);
    fillStructuralDefaults(items, list[position]);
  });
}

function fillMembers(schema: JsonSchema, object: Record<string, unknown>): void {
  for (const [name, member] of schema.properties) {
    if (member.default === undefined) continue;
    const given = getMember(object, name);
    if (given === undefined || isOpen(member, given)) setMember(object, name, clone(member.default));
  }
  const additional = additionalSchema(schema);
  for (const [name, member] of Object.entries(object)) {
    const isFree = !schema.properties.has(name) && additional?.default !== undefined;
    if (isFree && isOpen(additional, member)) setMember(object, name, clone(additional.default));
    fillStructuralDefaults(memberSchema(schema, name), getMember(object, name));
  }
}

function isOpen(schema: JsonSchema, value: unknown): boolean {
  return value === null && !schema.nullable;
}
