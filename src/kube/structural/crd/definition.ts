/**
 * A CustomResourceDefinition as its checks see it: defaults filled in, schemas read, and what all versions have alike
 * moved up to the whole, which is where Kubernetes, internally, keeps it and reports it (`spec.validation`).
 *
 * Untrusted input: members of a wrong type count as absent.
 */
import { deepEqual, getMember, isObject } from '#base/json.ts';
import type { ParseError } from '#kube/parse-error.ts';
import { type JsonObject, type JsonSchema, readJsonSchema } from '#kube/structural/json-schema.ts';

export type Members = Readonly<Record<string, unknown>>;

export interface Names {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

/** What a version says, or what all of them say alike. */
export interface Shared {
  /** Undefined when there is no `schema` at all. */
  readonly schema: Members | undefined;
  readonly subresources: Members | undefined;
  readonly columns: readonly Members[];
  readonly selectableFields: readonly Members[];
}

export interface Version extends Shared {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated: boolean;
  readonly deprecationWarning: string | undefined;
}

export interface Definition {
  readonly name: string;
  readonly annotations: Members;
  readonly group: string;
  readonly scope: string;
  readonly names: Names;
  readonly acceptedNames: Names;
  /** Without what is in `common`. */
  readonly versions: readonly Version[];
  readonly common: Shared;
  readonly preservesUnknownFields: boolean;
  readonly conversion: Members;
  readonly storedVersions: readonly string[];
  readonly isEstablished: boolean;
}

const NOTHING: Shared = { schema: undefined, subresources: undefined, columns: [], selectableFields: [] };

export function readDefinition(crd: object): Definition {
  const metadata = objectAt(crd as Members, 'metadata');
  const spec = objectAt(crd as Members, 'spec');
  const status = objectAt(crd as Members, 'status');
  const written = objectsAt(spec, 'versions').map(readVersion);
  const { versions, common } = hoist(written);
  const stored = textsAt(status, 'storedVersions');
  const storage = written.filter((version) => version.storage).slice(0, 1);
  return {
    name: textAt(metadata, 'name'),
    annotations: objectAt(metadata, 'annotations'),
    group: textAt(spec, 'group'),
    scope: textAt(spec, 'scope'),
    names: withDefaults(readNames(objectAt(spec, 'names'))),
    acceptedNames: readNames(objectAt(status, 'acceptedNames')),
    versions,
    common,
    preservesUnknownFields: getMember(spec, 'preserveUnknownFields') === true,
    conversion: optionalObjectAt(spec, 'conversion') ?? { strategy: 'None' },
    storedVersions: stored.length > 0 ? stored : storage.map((version) => version.name),
    isEstablished: objectsAt(status, 'conditions').some(
      (condition) => condition['type'] === 'Established' && condition['status'] === 'True',
    ),
  };
}

function readVersion(version: Members): Version {
  return {
    name: textAt(version, 'name'),
    served: getMember(version, 'served') === true,
    storage: getMember(version, 'storage') === true,
    deprecated: getMember(version, 'deprecated') === true,
    deprecationWarning: optionalTextAt(version, 'deprecationWarning'),
    schema: optionalObjectAt(version, 'schema'),
    subresources: optionalObjectAt(version, 'subresources'),
    columns: objectsAt(version, 'additionalPrinterColumns'),
    selectableFields: objectsAt(version, 'selectableFields'),
  };
}

/** Each of the shared members on its own: one that all versions have alike is that of the whole. */
function hoist(written: readonly Version[]): { versions: readonly Version[]; common: Shared } {
  const [first] = written;
  if (first === undefined) return { versions: [], common: NOTHING };
  const names = ['schema', 'subresources', 'columns', 'selectableFields'] as const;
  const alike = names.filter((name) => written.every((version) => deepEqual(version[name], first[name])));
  const pick = (from: Shared) => Object.fromEntries(alike.map((name) => [name, from[name]])) as Partial<Shared>;
  return {
    versions: written.map((version) => ({ ...version, ...pick(NOTHING) })),
    common: { ...NOTHING, ...pick(first) },
  };
}

function readNames(names: Members): Names {
  return {
    plural: textAt(names, 'plural'),
    singular: textAt(names, 'singular'),
    kind: textAt(names, 'kind'),
    listKind: textAt(names, 'listKind'),
    shortNames: textsAt(names, 'shortNames'),
    categories: textsAt(names, 'categories'),
  };
}

function withDefaults(names: Names): Names {
  const listKind = names.kind === '' ? '' : `${names.kind}List`;
  return {
    ...names,
    singular: names.singular || names.kind.toLowerCase(),
    listKind: names.listKind || listKind,
  };
}

/** The schema within `schema`; undefined when there is none. */
export function openApiSchema(schema: Members | undefined): JsonObject | undefined {
  return schema && (optionalObjectAt(schema, 'openAPIV3Schema') as JsonObject | undefined);
}

export function readSchema(schema: Members | undefined): JsonSchema | ParseError | undefined {
  const source = openApiSchema(schema);
  return source && readJsonSchema(source);
}

export function textAt(members: Members, name: string): string {
  return optionalTextAt(members, name) ?? '';
}

export function optionalTextAt(members: Members, name: string): string | undefined {
  const value = getMember(members, name);
  return typeof value === 'string' ? value : undefined;
}

function textsAt(members: Members, name: string): readonly string[] {
  return listAt(members, name).filter((value) => typeof value === 'string');
}

export function optionalObjectAt(members: Members, name: string): Members | undefined {
  const value = getMember(members, name);
  return isObject(value) ? value : undefined;
}

function objectAt(members: Members, name: string): Members {
  return optionalObjectAt(members, name) ?? {};
}

function objectsAt(members: Members, name: string): readonly Members[] {
  return listAt(members, name).filter(isObject);
}

function listAt(members: Members, name: string): readonly unknown[] {
  const value = getMember(members, name);
  return Array.isArray(value) ? (value as unknown[]) : [];
}
