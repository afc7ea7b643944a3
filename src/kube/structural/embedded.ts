/**
 * Resources within a resource (x-kubernetes-embedded-resource): each has apiVersion and kind, and metadata of the
 * usual form.
 */
import { getMember, isObject } from '#base/json.ts';
import { decodeError } from '#kube/decode-errors.ts';
import { child, entry, type FieldError, index, invalidField, requiredField } from '#kube/field-error.ts';
import { metadataSchema } from '#kube/metadata-schema.ts';
import {
  dns1035LabelProblems,
  dnsLabelProblems,
  labelValueProblems,
  pathSegmentProblems,
  qualifiedNameProblems,
} from '#kube/names.ts';
import { additionalSchema, type JsonSchema } from '#kube/structural/json-schema.ts';

type Members = Readonly<Record<string, unknown>>;

export function embeddedErrors(schema: JsonSchema | undefined, value: unknown, path: string): FieldError[] {
  if (schema === undefined) return [];
  if (Array.isArray(value)) {
    return value.flatMap((element, position) => embeddedErrors(schema.items, element, index(path, position)));
  }
  if (!isObject(value)) return [];
  const own = schema.embeddedResource ? resourceErrors(value, path) : [];
  const additional = additionalSchema(schema);
  const below = Object.entries(value).flatMap(([name, member]) => {
    const known = schema.properties.get(name);
    return known
      ? embeddedErrors(known, member, child(path, name))
      : embeddedErrors(additional, member, entry(path, name));
  });
  return [...own, ...below];
}

function resourceErrors(resource: Members, path: string): FieldError[] {
  const missing = ['apiVersion', 'kind'].filter((name) => !Object.hasOwn(resource, name));
  const metadata = getMember(resource, 'metadata');
  return [
    ...missing.map((name) => requiredField(child(path, name), 'must not be empty')),
    ...typeErrors(resource, 'apiVersion', path),
    ...typeErrors(resource, 'kind', path),
    ...(metadata === undefined ? [] : metadataErrors(metadata, child(path, 'metadata'))),
  ];
}

function typeErrors(resource: Members, name: 'apiVersion' | 'kind', path: string): FieldError[] {
  if (!Object.hasOwn(resource, name)) return [];
  const value = resource[name];
  const field = child(path, name);
  if (typeof value !== 'string') return [invalidField(field, value, 'must be a string')];
  if (value === '') return [invalidField(field, value, 'must not be empty')];
  if (name === 'apiVersion') {
    const isWrong = value.split('/').length > 2;
    return isWrong ? [invalidField(field, value, `unexpected GroupVersion string: ${value}`)] : [];
  }
  const problems = dns1035LabelProblems(value.toLowerCase());
  if (problems.length === 0) return [];
  return [invalidField(field, value, `may have mixed case, but should otherwise match: ${problems.join(',')}`)];
}

function metadataErrors(metadata: unknown, path: string): FieldError[] {
  if (!isObject(metadata)) return [invalidField(path, metadata, 'must be an object')];
  const undecodable = decodeError(metadataSchema, metadata);
  if (undecodable !== undefined) return [invalidField(path, metadata, undecodable)];
  return [
    ...nameErrors(metadata, 'generateName', path),
    ...nameErrors(metadata, 'name', path),
    ...namespaceErrors(metadata, path),
    ...keyErrors(metadata, 'labels', path),
    ...keyErrors(metadata, 'annotations', path),
  ];
}

function nameErrors(metadata: Members, member: 'name' | 'generateName', path: string): FieldError[] {
  const name = metadata[member];
  if (typeof name !== 'string' || name === '') return [];
  return pathSegmentProblems(name).map((problem) => invalidField(child(path, member), name, problem));
}

function namespaceErrors({ namespace }: Members, path: string): FieldError[] {
  if (typeof namespace !== 'string' || namespace === '') return [];
  return dnsLabelProblems(namespace).map((problem) => invalidField(child(path, 'namespace'), namespace, problem));
}

function keyErrors(metadata: Members, member: 'labels' | 'annotations', path: string): FieldError[] {
  const entries = metadata[member];
  if (!isObject(entries)) return [];
  const field = child(path, member);
  return Object.entries(entries).flatMap(([key, value]) => {
    const ofKey = member === 'labels' ? key : key.toLowerCase();
    const problems = qualifiedNameProblems(ofKey).map((problem) => invalidField(field, key, problem));
    const ofValue = member === 'labels' ? labelValueProblems(String(value)) : [];
    return [...problems, ...ofValue.map((problem) => invalidField(field, value, problem))];
  });
}
