/**
 * Members that a structural schema does not have are dropped from an object, in place, and named as Kubernetes names
 * them: `spec.template.spec.extra`, `spec.list[0].extra`. So are nulls where a member is neither nullable nor
 * defaulted (without a word), and, in embedded resources, members that no metadata has.
 *
 * The depth of the recursion is that of the object, which the reader of request bodies limits.
 */
import { getMember, isObject } from '#base/json.ts';
import { child, index } from '#kube/field-error.ts';
import { metadataSchema } from '#kube/metadata-schema.ts';
import { pruneUnknown } from '#kube/prune.ts';
import type { Schema } from '#kube/schema.ts';
import { additionalSchema, type JsonSchema, memberSchema } from '#kube/structural/json-schema.ts';

type Members = Record<string, unknown>;

const TYPE_AND_METADATA: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

interface Run {
  readonly unknown: string[];
}

/** Paths of the members dropped: those of `metadata` first, then the others in order of the alphabet. */
export function pruneObject(schema: JsonSchema, object: Members): string[] {
  const ofMetadata = pruneMetadata(object, '');
  const run: Run = { unknown: [] };
  prune({ ...schema, embeddedResource: true }, object, { path: '', run });
  dropNulls(schema, object);
  const ofEmbedded: string[] = [];
  pruneEmbeddedMetadata(schema, object, { path: '', run: { unknown: ofEmbedded } });
  return [...ofMetadata, ...run.unknown.sort(), ...ofEmbedded.sort()];
}

/** Drops what the schema does not have, of a value that is not a whole resource. */
export function pruneValue(schema: JsonSchema, value: unknown): void {
  prune(schema, value, { path: '', run: { unknown: [] } });
}

interface Place {
  readonly path: string;
  readonly run: Run;
}

function prune(schema: JsonSchema | undefined, value: unknown, place: Place): void {
  if (schema?.preserveUnknown === true) {
    prunePreserved(schema, value, place);
  } else if (Array.isArray(value)) {
    value.forEach((element, position) => prune(schema?.items, element, at(place, index(place.path, position))));
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) pruneMember(schema, value, { ...place, name });
  }
}

function pruneMember(schema: JsonSchema | undefined, object: Members, member: Place & { readonly name: string }): void {
  const { name, path, run } = member;
  if (schema?.embeddedResource === true && TYPE_AND_METADATA.has(name)) return;
  const place = { path: child(path, name), run };
  const property = schema?.properties.get(name);
  if (property !== undefined) prune(property, getMember(object, name), place);
  else if (schema?.additionalProperties !== undefined) {
    prune(additionalSchema(schema), getMember(object, name), place);
  } else {
    run.unknown.push(place.path);
    delete object[name];
  }
}

/** Where unknown members are kept, known ones are pruned all the same. */
function prunePreserved(schema: JsonSchema | undefined, value: unknown, place: Place): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    value.forEach((element, position) => {
      prunePreserved(schema.items, element, at(place, index(place.path, position)));
    });
    return;
  }
  if (!isObject(value)) return;
  for (const [name, member] of Object.entries(value)) {
    if (schema.embeddedResource && TYPE_AND_METADATA.has(name)) continue;
    const isKnown = schema.properties.has(name) || schema.additionalProperties !== undefined;
    if (isKnown) prune(memberSchema(schema, name), member, at(place, child(place.path, name)));
  }
}

function at(place: Place, path: string): Place {
  return { path, run: place.run };
}

function dropNulls(schema: JsonSchema | undefined, value: unknown): void {
  if (Array.isArray(value)) {
    for (const element of value) dropNulls(schema?.items, element);
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      const type = schema && memberSchema(schema, name);
      const isLost = member === null && type !== undefined && !type.nullable && type.default === undefined;
      if (isLost) delete value[name];
      else dropNulls(type, member);
    }
  }
}

function pruneEmbeddedMetadata(schema: JsonSchema | undefined, value: unknown, place: Place): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    value.forEach((element, position) => {
      pruneEmbeddedMetadata(schema.items, element, at(place, index(place.path, position)));
    });
  } else if (isObject(value)) {
    if (schema.embeddedResource) place.run.unknown.push(...pruneMetadata(value, place.path));
    for (const [name, member] of Object.entries(value)) {
      pruneEmbeddedMetadata(memberSchema(schema, name), member, at(place, child(place.path, name)));
    }
  }
}

/** `metadata` of a resource has the same members in every kind. */
function pruneMetadata(resource: Members, path: string): string[] {
  const metadata = getMember(resource, 'metadata');
  if (!isObject(metadata)) return [];
  const pruned = pruneUnknown({ schema: metadataSchema as Schema<never>, isCustom: false }, metadata);
  if (pruned.unknownFields.length > 0) resource['metadata'] = pruned.value;
  return pruned.unknownFields.map((field) => child(child(path, 'metadata'), field));
}
