/**
 * Everything that kube-apiserver 1.33 says about a CustomResourceDefinition before it is stored, in its words and
 * order: names, versions, schemas, rules, columns, scale, conversion, and what an update may not change. Its own name
 * is checked as far as it must be made of the plural and the group; the form of metadata is the caller's to check.
 *
 * Untrusted input: schemas are limited in depth and size (`json-schema.ts`), patterns in length and work (`re2.ts`),
 * rules in length and cost (`#kube/cel`).
 */
import { deepEqual, getMember } from '#base/json.ts';
import {
  child,
  entry,
  type FieldError,
  index,
  invalidField,
  notSupportedField,
  requiredField,
} from '#kube/field-error.ts';
import { parseRequestUrl } from '#kube/go-url.ts';
import { dnsSubdomainProblems } from '#kube/names.ts';
import { ParseError } from '#kube/parse-error.ts';
import { conversionErrors } from '#kube/structural/crd/conversion-errors.ts';
import {
  type Definition,
  openApiSchema,
  readDefinition,
  readSchema,
  type Shared,
} from '#kube/structural/crd/definition.ts';
import { printTexts, printVersions } from '#kube/structural/crd/go-print.ts';
import { eachLabelErrors, missingNames, namesErrors } from '#kube/structural/crd/names-errors.ts';
import { versionSchemaErrors } from '#kube/structural/crd/version-schema-errors.ts';
import {
  columnErrors,
  deprecationErrors,
  selectableFieldErrors,
  subresourceErrors,
} from '#kube/structural/crd/version-errors.ts';

const SCOPES = ['Cluster', 'Namespaced'];
const APPROVAL = 'api-approved.kubernetes.io';
const APPROVAL_RULE = 'https://github.com/kubernetes/enhancements/pull/1111';

/** Errors of a new definition, or of an update when `old` is there. Defaults need not be filled in. */
export function crdErrors(crd: object, old?: object): FieldError[] {
  const definition = readDefinition(crd);
  const before = old && readDefinition(old);
  return [
    ...(before ? [] : ownNameErrors(definition)),
    ...specErrors(definition, before),
    ...(before ? immutableErrors(definition, before) : []),
    ...namesErrors(definition.acceptedNames, 'status.acceptedNames'),
    ...storedVersionErrors(definition, 'status.storedVersions'),
    ...approvalErrors(definition, before),
    ...preserveErrors(definition, before),
  ];
}

function ownNameErrors({ name, names, group }: Definition): FieldError[] {
  if (name === `${names.plural}.${group}`) return [];
  return [invalidField('metadata.name', name, 'must be spec.names.plural+"."+spec.group')];
}

function specErrors(definition: Definition, before: Definition | undefined): FieldError[] {
  const { versions, names, common } = definition;
  return [
    ...groupErrors(definition.group),
    ...scopeErrors(definition.scope),
    ...missingSchemaErrors(definition),
    ...versions.flatMap((version, position) => {
      const at = index('spec.versions', position);
      return [
        ...eachLabelErrors(version.name, child(at, 'name')),
        ...deprecationErrors(version, at),
        ...sharedErrors(version, { at, schemaAt: child(at, 'schema'), definition, before, version: version.name }),
      ];
    }),
    ...versionListErrors(definition),
    ...missingNames(names, 'spec.names'),
    ...namesErrors(names, 'spec.names'),
    ...sharedErrors(common, { at: 'spec', schemaAt: 'spec.validation', definition, before, version: undefined }),
    ...conversionErrors(definition, 'spec.conversion'),
  ];
}

function groupErrors(group: string): FieldError[] {
  const field = 'spec.group';
  if (group === '') return [requiredField(field)];
  const problems = dnsSubdomainProblems(group);
  if (problems.length > 0) return [invalidField(field, group, problems.join(','))];
  return group.includes('.') ? [] : [invalidField(field, group, 'should be a domain with at least one dot')];
}

function scopeErrors(scope: string): FieldError[] {
  if (scope === '') return [requiredField('spec.scope')];
  return SCOPES.includes(scope) ? [] : [notSupportedField('spec.scope', scope, SCOPES)];
}

function missingSchemaErrors({ versions, common }: Definition): FieldError[] {
  if (openApiSchema(common.schema) !== undefined) return [];
  const isMissing = (shared: Shared) => openApiSchema(shared.schema) === undefined;
  return versions.flatMap((version, position) => {
    const field = `${index('spec.versions', position)}.schema.openAPIV3Schema`;
    return isMissing(version) ? [requiredField(field, 'schemas are required')] : [];
  });
}

interface SharedPlace {
  readonly at: string;
  readonly schemaAt: string;
  readonly definition: Definition;
  readonly before: Definition | undefined;
  /** Undefined for what all versions have alike. */
  readonly version: string | undefined;
}

function sharedErrors(shared: Shared, place: SharedPlace): FieldError[] {
  const { at, definition } = place;
  const schema = readSchema(shared.schema);
  const usable = schema instanceof ParseError ? undefined : schema;
  const hasStatus = [definition.common, ...definition.versions].some((one) => {
    return one.subresources !== undefined && getMember(one.subresources, 'status') !== undefined;
  });
  const isKnown = place.before !== undefined && isUnchanged(shared, place);
  return [
    ...versionSchemaErrors(schema, { path: child(place.schemaAt, 'openAPIV3Schema'), hasStatus, isKnown }),
    ...subresourceErrors(shared.subresources, child(at, 'subresources')),
    ...shared.columns.flatMap((column, position) => {
      return columnErrors(column, index(child(at, 'additionalPrinterColumns'), position));
    }),
    ...selectableFieldErrors(shared, usable ?? commonSchema(definition), child(at, 'selectableFields')),
  ];
}

function commonSchema({ common }: Definition) {
  const schema = readSchema(common.schema);
  return schema instanceof ParseError ? undefined : schema;
}

/** Whether the schema was accepted before: its rules are then not held to limits of cost once more. */
function isUnchanged(shared: Shared, { before, version }: SharedPlace): boolean {
  const [first] = before?.versions ?? [];
  const old = version === undefined ? first : before?.versions.find(({ name }) => name === version);
  return deepEqual(old?.schema ?? before?.common.schema, shared.schema);
}

function versionListErrors({ versions }: Definition): FieldError[] {
  const field = 'spec.versions';
  const said = (rule: string): FieldError => {
    return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${printVersions(versions)}: ${rule}` };
  };
  const names = versions.map(({ name }) => name);
  const hasOneStorage = versions.filter(({ storage }) => storage).length === 1;
  const [first = ''] = names;
  return [
    ...(new Set(names).size < names.length ? [said('must contain unique version names')] : []),
    ...(hasOneStorage ? [] : [said('must have exactly one version marked as storage version')]),
    ...(first === '' ? [] : eachLabelErrors(first, 'spec.version')),
  ];
}

function immutableErrors(definition: Definition, before: Definition): FieldError[] {
  const fixed: readonly (readonly [field: string, now: string, then: string])[] = [
    ...(before.isEstablished
      ? ([
          ['spec.scope', definition.scope, before.scope],
          ['spec.names.kind', definition.names.kind, before.names.kind],
        ] as const)
      : []),
    ['spec.group', definition.group, before.group],
    ['spec.names.plural', definition.names.plural, before.names.plural],
  ];
  return fixed
    .filter(([, now, then]) => now !== then)
    .map(([field, now]) => invalidField(field, now, 'field is immutable'));
}

function storedVersionErrors({ storedVersions, versions }: Definition, path: string): FieldError[] {
  const said = (rule: string): FieldError => {
    return {
      field: path,
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${printTexts(storedVersions)}: ${rule}`,
    };
  };
  if (storedVersions.length === 0) return [said('must have at least one stored version')];
  const open = new Set(storedVersions);
  // A name that is there twice is found once, as in Kubernetes.
  const missing = versions.filter(({ name, storage }) => {
    const isFound = open.delete(name);
    return storage && !isFound;
  });
  const known = new Set(versions.map(({ name }) => name));
  return [
    ...missing.map(({ name }) => said(`must have the storage version ${name}`)),
    ...storedVersions.flatMap((name, position) => {
      return known.has(name) ? [] : [invalidField(index(path, position), name, lostVersionRule(name))];
    }),
  ];
}

function lostVersionRule(name: string): string {
  const rest = `must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
  return `missing from spec.versions; ${name} was previously a storage version, and ${rest}`;
}

/** Groups of the Kubernetes community need a word that they are approved. */
function approvalErrors({ group, annotations }: Definition, before: Definition | undefined): FieldError[] {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return [];
  const state = approvalState(annotations[APPROVAL]);
  if (state === 'approved' || (before && approvalState(before.annotations[APPROVAL]) === state)) return [];
  const field = entry('metadata.annotations', APPROVAL);
  const needs = `protected groups must have approval annotation "${APPROVAL}"`;
  if (state === 'missing') return [requiredField(field, `${needs}, see ${APPROVAL_RULE}`)];
  const form = 'with either a URL or a reason starting with "unapproved"';
  return [invalidField(field, annotations[APPROVAL], `${needs} ${form}, see ${APPROVAL_RULE}`)];
}

function approvalState(annotation: unknown): 'missing' | 'approved' | 'invalid' {
  if (typeof annotation !== 'string' || annotation === '') return 'missing';
  const url = parseRequestUrl(annotation);
  const isUrl = url !== undefined && url.host !== '' && url.scheme !== '';
  return isUrl || annotation.startsWith('unapproved') ? 'approved' : 'invalid';
}

function preserveErrors(definition: Definition, before: Definition | undefined): FieldError[] {
  if (!definition.preservesUnknownFields || before?.preservesUnknownFields === true) return [];
  const rule =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return [invalidField('spec.preserveUnknownFields', true, rule)];
}
