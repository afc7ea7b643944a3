/**
 * Whether a schema is structural: every part of it has a type, and what is said inside anyOf, allOf, oneOf and not only
 * narrows values whose shape is given outside. Pruning and defaulting rest on it.
 */
import { deepEqual } from '#base/json.ts';
import {
  child,
  entry,
  type FieldError,
  forbiddenField,
  index,
  invalidField,
  requiredField,
} from '#kube/field-error.ts';
import { ParseError } from '#kube/parse-error.ts';
import { compilePattern } from '#kube/re2.ts';
import { completenessErrors } from '#kube/structural/crd/completeness-errors.ts';
import { additionalSchema, type JsonSchema } from '#kube/structural/json-schema.ts';

type Level = 'root' | 'item' | 'field';

interface Place {
  readonly path: string;
  readonly level: Level;
}

/** Sorted by their texts, as Kubernetes sorts them. */
export function structuralErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors = [...invariantErrors(schema, { path, level: 'root' }), ...completenessErrors(schema, path)];
  const textOf = ({ field, message }: FieldError) => `${field}: ${message}`;
  return errors.sort((left, right) => (textOf(left) < textOf(right) ? -1 : 1));
}

function invariantErrors(schema: JsonSchema, place: Place): FieldError[] {
  const { path } = place;
  const lacksItems = schema.type === 'array' && schema.items === undefined;
  return [
    ...(lacksItems ? [requiredField(child(path, 'items'), 'must be specified')] : []),
    ...nestedErrors(schema, place),
    ...extensionErrors(schema, path),
    ...valueErrors(schema, path, exemptionsOf(schema)),
    ...typeErrors(schema, place),
    ...metadataErrors(schema, place),
  ];
}

function nestedErrors(schema: JsonSchema, { path, level }: Place): FieldError[] {
  const { items, additionalProperties: additional } = schema;
  const additionalPath = child(path, 'additionalProperties');
  const ofAdditional = additionalSchema(schema);
  return [
    ...(items ? invariantErrors(items, { path: child(path, 'items'), level: 'item' }) : []),
    ...[...schema.properties].flatMap(([name, member]) => {
      return invariantErrors(member, { path: entry(child(path, 'properties'), name), level: 'field' });
    }),
    ...(additional !== undefined && level === 'root'
      ? [forbiddenField(additionalPath, 'must not be used at the root')]
      : []),
    ...(ofAdditional ? invariantErrors(ofAdditional, { path: additionalPath, level: 'field' }) : []),
  ];
}

function extensionErrors(schema: JsonSchema, path: string): FieldError[] {
  const rule = 'must be false if x-kubernetes-int-or-string is true';
  if (!schema.intOrString) return [];
  const names = [
    ...(schema.preserveUnknown === true ? ['x-kubernetes-preserve-unknown-fields'] : []),
    ...(schema.embeddedResource ? ['x-kubernetes-embedded-resource'] : []),
  ];
  return names.map((name) => invalidField(child(path, name), true, rule));
}

function typeErrors(schema: JsonSchema, { path, level }: Place): FieldError[] {
  const field = child(path, 'type');
  const errors = missingTypeErrors(schema, field, level);
  if (schema.embeddedResource && schema.additionalProperties !== undefined) {
    const rule = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(forbiddenField(child(path, 'additionalProperties'), rule));
  }
  if (level === 'root' && schema.type !== '' && schema.type !== 'object') {
    errors.push(invalidField(field, schema.type, 'must be object at the root'));
  }
  return errors;
}

const MISSING_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function missingTypeErrors(schema: JsonSchema, field: string, level: Level): FieldError[] {
  if (schema.embeddedResource && schema.type !== 'object') {
    const rule = 'must be object if x-kubernetes-embedded-resource is true';
    return [schema.type === '' ? requiredField(field, rule) : invalidField(field, schema.type, rule)];
  }
  const mayLackType = schema.intOrString || schema.preserveUnknown === true;
  return schema.type === '' && !mayLackType ? [requiredField(field, MISSING_TYPE[level])] : [];
}

function metadataErrors(schema: JsonSchema, { path, level }: Place): FieldError[] {
  const isResource = level === 'root' || schema.embeddedResource;
  const properties = child(path, 'properties');
  const errors: FieldError[] = [];
  for (const name of isResource ? ['kind', 'apiVersion'] : []) {
    const type = schema.properties.get(name)?.type ?? 'string';
    if (type !== 'string') errors.push(invalidField(child(entry(properties, name), 'type'), type, 'must be string'));
  }
  const metadata = schema.properties.get('metadata');
  const field = entry(properties, 'metadata');
  if (metadata && isResource && metadata.type !== 'object') {
    errors.push(invalidField(child(field, 'type'), metadata.type, 'must be object'));
  }
  if (metadata && level === 'root' && !narrowsNamesOnly(metadata)) {
    const rule = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbiddenField(field, rule));
  }
  if (schema.embeddedResource && schema.preserveUnknown !== true && schema.properties.size === 0) {
    const rule =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(requiredField(properties, rule));
  }
  return errors;
}

/** Whether the schema of the root's metadata says nothing but what names look like. */
function narrowsNamesOnly(metadata: JsonSchema): boolean {
  const isOfName = [...metadata.properties.keys()].every((name) => name === 'name' || name === 'generateName');
  const allowed = new Set(['type', 'default', 'properties']);
  return isOfName && Object.keys(metadata.source).every((name) => allowed.has(name));
}

interface Exemptions {
  /** `anyOf` spells out integer or string, which int-or-string may. */
  readonly anyOf: boolean;
  /** So does the `anyOf` of the first of `allOf`. */
  readonly firstAllOf: boolean;
}

const NONE: Exemptions = { anyOf: false, firstAllOf: false };

function exemptionsOf(schema: JsonSchema): Exemptions {
  const [first] = schema.allOf;
  return { anyOf: isIntegerOrString(schema), firstAllOf: first !== undefined && isIntegerOrString(first) };
}

function isIntegerOrString(schema: JsonSchema): boolean {
  const written = schema.anyOf.map((one) => one.source);
  return deepEqual(written, [{ type: 'integer' }, { type: 'string' }]);
}

function valueErrors(schema: JsonSchema, path: string, exemptions: Exemptions): FieldError[] {
  const each = (name: 'anyOf' | 'oneOf') =>
    schema[name].flatMap((one, position) => junctorErrors(one, index(child(path, name), position), NONE));
  return [
    ...(exemptions.anyOf ? [] : each('anyOf')),
    ...schema.allOf.flatMap((one, position) => {
      const exempt = { anyOf: exemptions.firstAllOf && position === 0, firstAllOf: false };
      return junctorErrors(one, index(child(path, 'allOf'), position), exempt);
    }),
    ...each('oneOf'),
    ...(schema.not ? junctorErrors(schema.not, child(path, 'not'), NONE) : []),
    ...patternErrors(schema, path),
  ];
}

function patternErrors({ pattern }: JsonSchema, path: string): FieldError[] {
  const compiled = pattern === '' ? undefined : compilePattern(pattern);
  if (!(compiled instanceof ParseError)) return [];
  const problem = `must be a valid regular expression, but isn't: ${compiled.message}`;
  return [invalidField(child(path, 'pattern'), pattern, problem)];
}

/** What may not be said inside a logical junctor. */
function junctorErrors(schema: JsonSchema, path: string, exemptions: Exemptions): FieldError[] {
  const hasAdditional = schema.additionalProperties !== undefined && schema.additionalProperties !== false;
  const forbidden: readonly (readonly [isSaid: boolean, name: string, rule: string])[] = [
    [schema.type !== '', 'type', 'must be empty to be structural'],
    [hasAdditional, 'additionalProperties', 'must be undefined to be structural'],
    [schema.default !== undefined, 'default', 'must be undefined to be structural'],
    [schema.title !== '', 'title', 'must be empty to be structural'],
    [schema.description !== '', 'description', 'must be empty to be structural'],
    [schema.nullable, 'nullable', 'must be false to be structural'],
    [schema.preserveUnknown === true, 'x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
    [schema.embeddedResource, 'x-kubernetes-embedded-resource', 'must be false to be structural'],
    [schema.intOrString, 'x-kubernetes-int-or-string', 'must be false to be structural'],
    [schema.listMapKeys.length > 0, 'x-kubernetes-list-map-keys', 'must be empty to be structural'],
    [schema.listType !== undefined, 'x-kubernetes-list-type', 'must be undefined to be structural'],
    [schema.mapType !== undefined, 'x-kubernetes-map-type', 'must be undefined to be structural'],
    [schema.rules.length > 0, 'x-kubernetes-validations', 'must be empty to be structural'],
  ];
  const said = forbidden.filter(([isSaid]) => isSaid);
  const properties = child(path, 'properties');
  return [
    ...valueErrors(schema, path, exemptions),
    ...(schema.items ? junctorErrors(schema.items, child(path, 'items'), NONE) : []),
    ...[...schema.properties].flatMap(([name, member]) => junctorErrors(member, entry(properties, name), NONE)),
    ...said.map(([, name, rule]) => forbiddenField(child(path, name), rule)),
    ...(schema.properties.has('metadata')
      ? [forbiddenField(entry(properties, 'metadata'), 'must not be specified in a nested context')]
      : []),
  ];
}
