/**
 * What a change of an object does to the sets of its managers, whoever makes it:
 *
 * - fields that were added or changed leave all other managers' sets (for an apply without force, that is a conflict);
 * - fields that were removed leave all sets;
 * - a manager that owns nothing any more is forgotten.
 */
import { type Comparison, compareValues } from '#kube/apply/compare.ts';
import {
  difference,
  EMPTY_SET,
  type FieldSet,
  intersection,
  isEmptySet,
  setOf,
  union,
  withoutSubtrees,
} from '#kube/apply/field-set.ts';
import type { Manager, Managers } from '#kube/apply/managers.ts';
import { isKeyElement, memberName, type Path, type PathElement } from '#kube/apply/path-element.ts';
import { declaredMember, elementSchema, memberSchema, sortOf, UNTYPED } from '#kube/apply/typed-value.ts';
import type { Schema } from '#kube/schema.ts';

/** Which fields of which manager stand in the way of an apply. */
export interface Conflict {
  readonly manager: Manager;
  readonly fields: FieldSet;
}

export interface Change {
  readonly schema: Schema;
  readonly before: unknown;
  readonly after: unknown;
  /** Fields that the endpoint resets, such as `status` on the main resource: nobody comes to own them through it. */
  readonly resetFields: FieldSet;
}

export interface Disowned {
  readonly managers: Map<string, Manager>;
  readonly comparison: Comparison;
  readonly conflicts: readonly Conflict[];
}

/** Takes from every manager but `author` what the change takes from them. */
export function disown(change: Change, managers: Managers, author: string | undefined): Disowned {
  const comparison = withoutResetFields(compareValues(change.schema, change.before, change.after), change.resetFields);
  const changed = union(comparison.modified, comparison.added);
  const left = new Map<string, Manager>();
  const conflicts: Conflict[] = [];
  for (const [identity, manager] of [...managers].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (identity === author) {
      left.set(identity, manager);
      continue;
    }
    const lost = intersection(manager.fields, changed);
    if (!isEmptySet(lost)) conflicts.push({ manager, fields: lost });
    const fields = difference(difference(manager.fields, lost), comparison.removed);
    left.set(identity, withFields(manager, fields));
  }
  for (const [identity, { fields }] of left) if (isEmptySet(fields)) left.delete(identity);
  return { managers: left, comparison, conflicts };
}

function withoutResetFields({ added, modified, removed }: Comparison, resetFields: FieldSet): Comparison {
  return {
    added: withoutSubtrees(added, resetFields),
    modified: withoutSubtrees(modified, resetFields),
    removed: withoutSubtrees(removed, resetFields),
  };
}

/** Fields that no manager ever owns: the server's own, and what names the object. */
const UNOWNED = setOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name): Path => ['f:metadata', `f:${name}`]),
);

export function withoutUnowned(fields: FieldSet): FieldSet {
  return difference(fields, UNOWNED);
}

/**
 * Managers of the present version, with their sets as the present schema has them: what has become one piece is
 * owned as one piece. Entries of versions that are not served any more are forgotten.
 */
export function reconcileManagers(managers: Managers, schema: Schema, apiVersion: string): Map<string, Manager> {
  const current = [...managers].filter(([, manager]) => manager.apiVersion === apiVersion);
  return new Map(current.map(([identity, manager]) => [identity, withSchema(manager, schema)]));
}

/** Sets that are as the schema has them. */
const reconciledSets = new WeakMap<FieldSet, Schema>();

function withSchema(manager: Manager, schema: Schema): Manager {
  if (reconciledSets.get(manager.fields) === schema) return manager;
  const fields = reconcile(manager.fields, schema);
  reconciledSets.set(fields, schema);
  return withFields(manager, fields);
}

/** The manager itself when these are its fields already: its entry is then written as it was read. */
function withFields(manager: Manager, fields: FieldSet): Manager {
  return manager.fields === fields ? manager : { ...manager, fields };
}

/** The set itself when the schema has it just so. */
function reconcile(fields: FieldSet, schema: Schema): FieldSet {
  const members = new Set(fields.members);
  const children = new Map<PathElement, FieldSet>();
  let isSame = true;
  for (const [element, node] of fields.children) {
    const type = typeBelow(schema, element);
    if (type !== undefined && isOnePiece(type)) {
      members.add(element);
      isSame = false;
      continue;
    }
    const reconciled = type === undefined ? node : reconcile(node, type);
    isSame &&= reconciled === node;
    children.set(element, reconciled);
  }
  return isSame ? fields : { members, children };
}

function isOnePiece(schema: Schema): boolean {
  if (schema.type === 'list') return schema.listType === undefined || schema.listType === 'atomic';
  return schema.atomic === true;
}

/** The schema of what a step leads to; undefined where the schema says nothing. */
function typeBelow(schema: Schema, element: PathElement): Schema | undefined {
  const name = memberName(element);
  if (name === undefined) return schema.type === 'list' ? elementSchema(schema) : undefined;
  const type = memberSchema(schema, name);
  return type === UNTYPED ? undefined : type;
}

/** The set, in which members that the schema declares are there themselves when anything below them is. */
export function withNamedParents(fields: FieldSet, schema: Schema | undefined): FieldSet {
  const members = new Set(fields.members);
  const children = new Map<PathElement, FieldSet>();
  for (const [element, node] of fields.children) {
    const name = memberName(element);
    if (name !== undefined && schema && declaredMember(schema, name)) members.add(element);
    children.set(element, withNamedParents(node, schema && schemaBelow(schema, element)));
  }
  return { members, children };
}

function schemaBelow(schema: Schema, element: PathElement): Schema | undefined {
  const name = memberName(element);
  if (name !== undefined) return sortOf(schema, undefined) === 'map' ? memberSchema(schema, name) : undefined;
  return isKeyElement(element) && schema.type === 'list' ? elementSchema(schema) : undefined;
}

export function fieldsOwnedBy(managers: Managers): FieldSet {
  return [...managers.values()].reduce((all, { fields }) => union(all, fields), EMPTY_SET);
}
