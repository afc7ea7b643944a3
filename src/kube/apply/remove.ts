/** Cuts fields out of a value. */
import { setMember } from '#base/json.ts';
import { below, type FieldSet, isEmptySet } from '#kube/apply/field-set.ts';
import {
  asList,
  asMap,
  elementName,
  elementSchema,
  isAtomic,
  memberElement,
  memberSchema,
  sortOf,
  UNTYPED,
} from '#kube/apply/typed-value.ts';
import type { Schema } from '#kube/schema.ts';

/** The value without the fields of the set; null when that leaves nothing of it. */
export function removeFields(schema: Schema, value: unknown, fields: FieldSet): unknown {
  const sort = sortOf(schema, value);
  if (sort === 'scalar') return value;
  if (isAtomic(schema, sort)) return null;
  return sort === 'list' ? removeElements(schema, value, fields) : removeMembers(schema, value, fields);
}

function removeMembers(schema: Schema, value: unknown, fields: FieldSet): unknown {
  const left: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(asMap(value))) {
    const element = memberElement(name);
    if (fields.members.has(element)) continue;
    const subset = below(fields, element);
    const type = memberSchema(schema, name) ?? UNTYPED;
    setMember(left, name, isEmptySet(subset) ? member : removeFields(type, member, subset));
  }
  return Object.keys(left).length === 0 ? null : left;
}

function removeElements(schema: Schema, value: unknown, fields: FieldSet): unknown {
  const left: unknown[] = [];
  for (const element of asList(value)) {
    const name = elementName(schema, element);
    if (fields.members.has(name)) continue;
    const subset = below(fields, name);
    left.push(isEmptySet(subset) ? element : removeFields(elementSchema(schema), element, subset));
  }
  return left.length === 0 ? null : left;
}
