/**
 * Members that the schema does not have: found, named as Kubernetes names them, and left out.
 *
 * Built-in kinds report them in the order of the document, each level before what follows it; custom kinds report
 * those of `metadata` first and the others in alphabetical order. Custom kinds also lose nulls where a member is not
 * nullable (those with a default are left for `defaultValue` to fill).
 */
import { getMember, isObject, setMember } from '#base/json.ts';
import { child, index } from '#kube/field-error.ts';
import type { Kind } from '#kube/kind.ts';
import type { Schema } from '#kube/schema.ts';

export interface Pruned {
  readonly value: Record<string, unknown>;
  /** Such as `spec.template.spec.containers[0].lifecycle`. */
  readonly unknownFields: readonly string[];
}

/** A new value; the argument is not changed, but parts of it may be in the answer. */
export function pruneUnknown(kind: Pick<Kind, 'schema' | 'isCustom'>, value: Record<string, unknown>): Pruned {
  const unknownFields: string[] = [];
  const run: Run = { dropsNulls: kind.isCustom, report: (path) => unknownFields.push(path) };
  const pruned = prune(kind.schema, value, { path: '', run }) as Record<string, unknown>;
  return { value: pruned, unknownFields: kind.isCustom ? metadataFirst(unknownFields) : unknownFields };
}

function metadataFirst(paths: readonly string[]): string[] {
  const isOfMetadata = (path: string) => path.startsWith('metadata.');
  return [...paths.filter(isOfMetadata), ...paths.filter((path) => !isOfMetadata(path)).sort()];
}

interface Run {
  readonly dropsNulls: boolean;
  readonly report: (path: string) => void;
}

interface Place {
  readonly path: string;
  readonly run: Run;
}

function prune(schema: Schema, value: unknown, place: Place): unknown {
  if (schema.type === 'any') return value;
  if (Array.isArray(value)) return pruneElements(schema, value, place);
  return isObject(value) ? pruneMembers(schema, value, place) : value;
}

function pruneElements(schema: Schema, list: readonly unknown[], { path, run }: Place): unknown[] {
  const { items } = schema;
  if (schema.type !== 'list' || items === undefined) return [...list];
  return list.map((element, position) => prune(items, element, { path: index(path, position), run }));
}

function pruneMembers(schema: Schema, object: Readonly<Record<string, unknown>>, { path, run }: Place): unknown {
  if (schema.type !== 'object' && schema.type !== 'map') return object;
  const kept: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(object)) {
    const memberPath = child(path, name);
    const type = memberOf(schema, name);
    if (type !== undefined) {
      const isLost = member === null && run.dropsNulls && type.nullable !== true && type.default === undefined;
      if (!isLost) setMember(kept, name, prune(type, member, { path: memberPath, run }));
    } else if (schema.preserveUnknown) setMember(kept, name, member);
    else run.report(memberPath);
  }
  return kept;
}

function memberOf(schema: Schema, name: string): Schema | undefined {
  if (schema.type === 'map') return schema.items;
  return getMember(schema.properties ?? {}, name) as Schema | undefined;
}
