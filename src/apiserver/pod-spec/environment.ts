/** Environment variables: their names, and the places that their values come from. */
import { child, type FieldError, index, invalidField, notSupportedField, requiredField } from '#kube/field-error.ts';
import type { EnvFromSource, EnvVar, ObjectFieldSelector, ResourceFieldSelector } from '#kube/kinds/core/env.ts';
import { configKeyProblems, dnsSubdomainProblems, envVarNameProblems, qualifiedNameProblems } from '#kube/names.ts';
import { problemsAt } from '#apiserver/pod-spec/checks.ts';

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** Labels that can be converted at all; others are refused with another text. */
const KNOWN_FIELDS = [...ENV_FIELDS, 'metadata.labels', 'metadata.annotations', 'spec.restartPolicy'];

export function envErrors(variables: readonly EnvVar[], path: string): FieldError[] {
  return variables.flatMap((variable, position) => {
    const here = index(path, position);
    const name = child(here, 'name');
    return [
      ...(variable.name ? problemsAt(name, variable.name, envVarNameProblems(variable.name)) : [requiredField(name)]),
      ...valueFromErrors(variable, child(here, 'valueFrom')),
    ];
  });
}

function valueFromErrors({ value, valueFrom }: EnvVar, path: string): FieldError[] {
  if (!valueFrom) return [];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef].filter((one) => one !== undefined).length;
  return [
    ...(fieldRef ? fieldRefErrors(fieldRef, ENV_FIELDS, child(path, 'fieldRef')) : []),
    ...(resourceFieldRef ? resourceFieldErrors(resourceFieldRef, child(path, 'resourceFieldRef'), 'container') : []),
    ...(configMapKeyRef ? keyRefErrors(configMapKeyRef, child(path, 'configMapKeyRef')) : []),
    ...(secretKeyRef ? keyRefErrors(secretKeyRef, child(path, 'secretKeyRef')) : []),
    ...sourceCountErrors(count, Boolean(value), path),
  ];
}

function sourceCountErrors(count: number, hasValue: boolean, path: string): FieldError[] {
  const refused = (detail: string) => [invalidField(path, '', detail)];
  if (count === 0)
    return refused('must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`');
  if (hasValue) return refused('may not be specified when `value` is not empty');
  return count > 1 ? refused('may not have more than one field specified at a time') : [];
}

/** A field of the pod; `allowed` differs between environment and volumes. */
export function fieldRefErrors(
  { apiVersion, fieldPath }: ObjectFieldSelector,
  allowed: readonly string[],
  path: string,
): FieldError[] {
  if (!apiVersion) return [requiredField(child(path, 'apiVersion'))];
  if (!fieldPath) return [requiredField(child(path, 'fieldPath'))];
  const [, field = fieldPath, key] = /^(.+)\['(.*)'\]$/.exec(fieldPath) ?? [];
  if (!KNOWN_FIELDS.includes(field)) {
    const detail = `error converting fieldPath: field label not supported: ${fieldPath}`;
    return [invalidField(child(path, 'fieldPath'), fieldPath, detail)];
  }
  if (key !== undefined) return subscriptErrors(field, key, path);
  return allowed.includes(field) ? [] : [notSupportedField(child(path, 'fieldPath'), field, allowed)];
}

function subscriptErrors(field: string, key: string, path: string): FieldError[] {
  if (field === 'metadata.annotations')
    return problemsAt(path, key.toLowerCase(), qualifiedNameProblems(key.toLowerCase()));
  if (field === 'metadata.labels') return problemsAt(path, key, qualifiedNameProblems(key));
  return [invalidField(path, field, 'does not support subscript')];
}

export function resourceFieldErrors(
  { containerName, resource }: ResourceFieldSelector,
  path: string,
  user: 'container' | 'volume',
): FieldError[] {
  if (user === 'volume' && !containerName) return [requiredField(child(path, 'containerName'))];
  if (!resource) return [requiredField(child(path, 'resource'))];
  const isKnown = RESOURCE_FIELDS.includes(resource) || /^(?:limits|requests)\.hugepages-/.test(resource);
  return isKnown ? [] : [notSupportedField(child(path, 'resource'), resource, RESOURCE_FIELDS)];
}

function keyRefErrors({ name = '', key }: { name?: string | undefined; key: string }, path: string): FieldError[] {
  return [
    ...problemsAt(child(path, 'name'), name, dnsSubdomainProblems(name)),
    ...(key ? problemsAt(child(path, 'key'), key, configKeyProblems(key)) : [requiredField(child(path, 'key'))]),
  ];
}

export function envFromErrors(sources: readonly EnvFromSource[], path: string): FieldError[] {
  return sources.flatMap(({ prefix, configMapRef, secretRef }, position) => {
    const here = index(path, position);
    const count = [configMapRef, secretRef].filter((one) => one !== undefined).length;
    return [
      ...(prefix ? problemsAt(child(here, 'prefix'), prefix, envVarNameProblems(prefix)) : []),
      ...(configMapRef ? sourceNameErrors(configMapRef.name, child(here, 'configMapRef')) : []),
      ...(secretRef ? sourceNameErrors(secretRef.name, child(here, 'secretRef')) : []),
      ...(count === 0 ? [invalidField(path, '', 'must specify one of: `configMapRef` or `secretRef`')] : []),
      ...(count > 1 ? [invalidField(path, '', 'may not have more than one field specified at a time')] : []),
    ];
  });
}

function sourceNameErrors(name: string | undefined, path: string): FieldError[] {
  if (!name) return [requiredField(child(path, 'name'))];
  return problemsAt(child(path, 'name'), name, dnsSubdomainProblems(name));
}
