/** The set of fields that a value sets: its leaves, and what stands for itself without having any. */
import { isObject } from '#base/json.ts';
import { type FieldSet, FieldSetBuilder } from '#kube/apply/field-set.ts';
import type { Path } from '#kube/apply/path-element.ts';
import {
  asMap,
  declaredMember,
  elementsByName,
  elementSchema,
  isAtomic,
  memberElement,
  memberSchema,
  sortOf,
  UNTYPED,
} from '#kube/apply/typed-value.ts';
import type { Schema } from '#kube/schema.ts';

export function fieldPathsOf(schema: Schema, value: unknown): FieldSet {
  const builder = new FieldSetBuilder();
  visit(schema, value, { path: [], builder });
  return builder.set;
}

interface Place {
  readonly path: Path;
  readonly builder: FieldSetBuilder;
}

function visit(schema: Schema, value: unknown, place: Place): void {
  const sort = sortOf(schema, value);
  if (sort === 'scalar' || isAtomic(schema, sort)) place.builder.insert(place.path);
  else if (sort === 'list') visitElements(schema, value, place);
  else visitMembers(schema, value, place);
}

function visitMembers(schema: Schema, value: unknown, { path, builder }: Place): void {
  for (const [name, member] of Object.entries(asMap(value))) {
    const memberPath = [...path, memberElement(name)];
    visit(memberSchema(schema, name) ?? UNTYPED, member, { path: memberPath, builder });
    const isBare = member === null || (isObject(member) && Object.keys(member).length === 0);
    if (isBare || declaredMember(schema, name) === undefined) builder.insert(memberPath);
  }
}

function visitElements(schema: Schema, value: unknown, { path, builder }: Place): void {
  for (const [name, elements] of elementsByName(schema, value)) {
    const elementPath = [...path, name];
    builder.insert(elementPath);
    if (elements.length === 1) visit(elementSchema(schema), elements[0], { path: elementPath, builder });
  }
}
