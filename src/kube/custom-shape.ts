/**
 * From a document to an object of a custom kind: fields that the kind does not have are found and dropped, nulls that
 * mean nothing go, defaults come. Kinds of our own do it by their `schema`, defined ones by their definition.
 */
import { clone, isObject } from '#base/json.ts';
import { canonicalValue } from '#kube/canonical.ts';
import { fillDefaults } from '#kube/defaults.ts';
import type { Kind } from '#kube/kind.ts';
import { metadataSchema } from '#kube/metadata-schema.ts';
import type { KubeObject, ObjectMeta } from '#kube/object.ts';
import { pruneUnknown } from '#kube/prune.ts';

type Document = Record<string, unknown>;

/** Paths of the fields that the kind does not have, in the order in which Kubernetes names them. */
export function unknownFields(kind: Kind, document: Document): readonly string[] {
  if (!kind.definition) return pruneUnknown(kind, document).unknownFields;
  return isOf(kind, document) ? kind.definition.rules.prune(clone(document) as unknown as KubeObject) : [];
}

/** An object of our own. */
export function shapeCustom(kind: Kind, document: Document): KubeObject {
  const value = kind.definition ? document : pruneUnknown(kind, document).value;
  const object = clone(value) as unknown as KubeObject;
  if (isOf(kind, object)) kind.definition?.rules.prune(object);
  object.metadata = canonicalMetadata(object.metadata);
  if (isOf(kind, object)) fillIn(kind, object);
  return object;
}

/** What calls itself otherwise is of no schema; it is refused once admission has seen it. */
function isOf({ definition, kind }: Kind, object: { readonly kind?: unknown }): boolean {
  return !definition || object.kind === kind;
}

/** The one part that Kubernetes reads into a struct: what is empty there is lost. */
function canonicalMetadata(metadata: unknown): ObjectMeta {
  if (!isObject(metadata)) return {};
  const canonical = canonicalValue(metadataSchema, metadata) as ObjectMeta;
  if (canonical.creationTimestamp === null) delete canonical.creationTimestamp;
  return canonical;
}

/** Fills in the defaults of the kind. */
export function fillIn({ definition, schema }: Kind, object: KubeObject): void {
  if (definition) definition.rules.applyDefaults(object);
  else fillDefaults(schema, object);
}
