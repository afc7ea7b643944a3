/**
 * What the API knows about a kind: its names, where it lives, its schema, its subresources and the columns that
 * `kubectl get` shows. A `Kind<T>` is also the token by which the client, caches and controllers are typed.
 */
import type { FieldError } from '#kube/field-error.ts';
import { metadataSchema } from '#kube/metadata-schema.ts';
import type { KubeObject, ObjectMeta } from '#kube/object.ts';
import { embedded, type InferObject, object, type Schema, string } from '#kube/schema.ts';

export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** Kubernetes' JSONPath, such as `.status.url`. */
  readonly jsonPath: string;
  readonly description?: string;
  readonly format?: string;
  /** 0 (the default) is always shown; more only with `-o wide`. */
  readonly priority?: number;
}

/** Where `spec.replicas`, `status.replicas` and the selector are, as paths such as `.spec.replicas`. */
export interface ScaleSubresource {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

export interface KindNames {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

/** What is done to the objects of a kind that has no code; a compiled schema does it (`structural/compile.ts`). */
export interface ObjectRules {
  /** Drops what the schema does not have, in place, and answers with the paths. */
  prune(object: KubeObject): string[];
  /** In place. */
  applyDefaults(object: KubeObject): void;
  validate(object: KubeObject, old: KubeObject | undefined, options: RulesOptions): FieldError[];
}

export interface RulesOptions {
  readonly scale: ScaleSubresource | undefined;
  /** Set when only the status was written. */
  readonly subresource?: 'status' | undefined;
  /** Told of rules that fail for what did not change, which is no error: the client gets them as warnings. */
  readonly warn?: ((text: string) => void) | undefined;
}

/** What only a kind has that a CustomResourceDefinition defines (`defined-kind.ts`). */
export interface Definition {
  /** Its rules, in the place of `Kind.schema` wherever objects are decoded or checked. */
  readonly rules: ObjectRules;
  readonly listKind: string;
  /** As it was given, for OpenAPI. */
  readonly openAPIV3Schema: Readonly<Record<string, unknown>>;
  /** Paths such as `.spec.color` that field selectors may name. */
  readonly selectableFields: readonly string[];
  /** What whoever uses the version is told. */
  readonly deprecation: string | undefined;
}

export interface Kind<out T extends KubeObject = KubeObject> extends KindNames {
  readonly namespaced: boolean;
  readonly schema: Schema<T>;
  readonly hasStatus: boolean;
  readonly scale: ScaleSubresource | undefined;
  /** Columns by JSONPath; built-in kinds have none here, the API server computes theirs. */
  readonly columns: readonly PrinterColumn[];
  /** True for kinds that Kubernetes itself would serve from a CustomResourceDefinition: they take no strategic merge
   *  patch, and count generations for `spec` whenever they have a status. */
  readonly isCustom: boolean;
  readonly definition?: Definition | undefined;
}

export interface KindDefinition<P extends Record<string, Schema>> {
  /** `group/version`, or `v1` for the core group. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced?: boolean;
  readonly doc: string;
  /** The members beside apiVersion, kind and metadata. */
  readonly properties: P;
  readonly hasStatus?: boolean;
  readonly scale?: ScaleSubresource;
  readonly columns?: readonly PrinterColumn[];
  readonly isCustom?: boolean;
}

export type ObjectOfKind<P extends Record<string, Schema>> = {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
} & InferObject<P>;

const typeMeta = {
  apiVersion: string('Version of the schema that the object is written in.'),
  kind: string('Which kind of object this is.'),
};

export function defineKind<const P extends Record<string, Schema>>(
  definition: KindDefinition<P>,
): Kind<ObjectOfKind<P>> {
  const [group, version] = splitApiVersion(definition.apiVersion);
  const name = componentName({ group, version, kind: definition.kind });
  const schema = object(
    { ...typeMeta, metadata: embedded(metadataSchema), ...definition.properties },
    { doc: definition.doc, ...(definition.isCustom ? {} : { name }) },
  );
  return {
    group,
    version,
    kind: definition.kind,
    plural: definition.plural,
    singular: definition.singular ?? definition.kind.toLowerCase(),
    shortNames: definition.shortNames ?? [],
    categories: definition.categories ?? [],
    namespaced: definition.namespaced ?? true,
    schema: schema as unknown as Schema<ObjectOfKind<P>>,
    hasStatus: definition.hasStatus ?? 'status' in definition.properties,
    scale: definition.scale,
    columns: definition.columns ?? [],
    isCustom: definition.isCustom ?? false,
  };
}

/** The kind's name among the components of OpenAPI. */
export function componentName({ group, version, kind }: Pick<KindNames, 'group' | 'version' | 'kind'>): string {
  const [first = '', ...rest] = group.split('.');
  if (first === 'apiextensions') return `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.${version}.${kind}`;
  const isBuiltin = rest.length === 0 || group.endsWith('.k8s.io');
  if (isBuiltin) return `io.k8s.api.${first || 'core'}.${version}.${kind}`;
  return [...group.split('.').reverse(), version, kind].join('.');
}

/** The object type of a kind token: `type Pod = ObjectOf<typeof Pod>`. */
export type ObjectOf<K> = K extends Kind<infer T> ? T : never;

/** `apps/v1` → ['apps', 'v1']; `v1` → ['', 'v1']. */
export function splitApiVersion(apiVersion: string): [group: string, version: string] {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

export function apiVersionOf(kind: Pick<KindNames, 'group' | 'version'>): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** What a list of the kind is called. */
export function listKindOf({ kind, definition }: Pick<Kind, 'kind' | 'definition'>): string {
  return definition?.listKind ?? `${kind}List`;
}

/** `services.serving.knative.dev`, or `pods` for the core group: how errors and the store name a resource. */
export function resourceOf(kind: Pick<KindNames, 'group' | 'plural'>): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
}

/** An object with its apiVersion and kind filled in. */
export function typed<T extends KubeObject>(kind: Kind<T>, rest: Omit<T, 'apiVersion' | 'kind'>): T {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...rest } as T;
}
