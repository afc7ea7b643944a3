/** The schema of a version as a whole, and each of its parts, in the order in which Kubernetes looks at them. */
import { child, type FieldError, forbiddenField, invalidField } from '#kube/field-error.ts';
import { ParseError } from '#kube/parse-error.ts';
import { defaultErrors } from '#kube/structural/crd/default-errors.ts';
import { ruleErrors } from '#kube/structural/crd/rule-errors.ts';
import { schemaPartErrors } from '#kube/structural/crd/schema-errors.ts';
import { structuralErrors } from '#kube/structural/crd/structural-errors.ts';
import { additionalSchema, type JsonSchema } from '#kube/structural/json-schema.ts';

export interface SchemaPlace {
  readonly path: string;
  /** Whether the version has the status subresource. */
  readonly hasStatus: boolean;
  /** Whether the schema was accepted before. */
  readonly isKnown: boolean;
}

/** Members that a root may have beside `properties`, so that the schema of `status` can be taken out of it. */
const ROOT_MEMBERS = [
  'description',
  'type',
  'format',
  'title',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'multipleOf',
  'required',
  'items',
  'properties',
  'externalDocs',
  'example',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
];

const UNSUPPORTED = ['id', '$schema', '$ref', 'patternProperties', 'dependencies', 'additionalItems', 'definitions'];

export function versionSchemaErrors(schema: JsonSchema | ParseError | undefined, place: SchemaPlace): FieldError[] {
  const { path } = place;
  if (schema === undefined) return [];
  if (schema instanceof ParseError) return [forbiddenField(path, schema.message)];
  const isReadable = !hasUnsupported(schema);
  const ofStructure = isReadable ? structuralErrors(schema, path) : [];
  const isStructural = isReadable && ofStructure.length === 0;
  const ofDefaults = isStructural ? defaultErrors({ ...schema, embeddedResource: true }, path) : [];
  const ofParts = schemaPartErrors(schema, path);
  const isSound = isStructural && ofDefaults.length === 0;
  return [
    ...(place.hasStatus ? rootErrors(schema, path) : []),
    ...(schema.nullable ? [forbiddenField(child(path, 'nullable'), 'nullable cannot be true at the root')] : []),
    ...ofStructure,
    ...ofDefaults,
    ...ofParts,
    ...(isSound ? ruleErrors(schema, path, { schemaErrors: ofParts, isKnown: place.isKnown }) : []),
  ];
}

/** Words that no structural schema has; with them its structure is not looked at. They are errors of their own. */
function hasUnsupported(schema: JsonSchema): boolean {
  const { source, items, not } = schema;
  const additional = additionalSchema(schema);
  const isSaid = UNSUPPORTED.some((name) => !isZero(source[name])) || schema.itemsList.length > 0;
  const parts = [...schema.properties.values(), ...schema.allOf, ...schema.anyOf, ...schema.oneOf];
  const single = [items, not, additional].filter((part) => part !== undefined);
  return isSaid || [...parts, ...single].some(hasUnsupported);
}

function rootErrors(schema: JsonSchema, path: string): FieldError[] {
  if (schema.type !== '' && schema.type !== 'object') {
    const rule = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    return [invalidField(child(path, 'type'), schema.type, rule)];
  }
  const isForeign = (name: string) => !ROOT_MEMBERS.includes(name) && !isZero(schema.source[name]);
  if (!Object.keys(schema.source).some(isForeign)) return [];
  const allowed = ROOT_MEMBERS.map(goName).join(' ');
  const rule = `only [${allowed}] fields are allowed at the root of the schema if the status subresource is enabled`;
  // Kubernetes prints the whole Go struct here, with addresses in it.
  return [
    { field: path, reason: 'FieldValueInvalid', message: `Invalid value: apiextensions.JSONSchemaProps{…}: ${rule}` },
  ];
}

function isZero(value: unknown): boolean {
  return value === null || value === undefined || value === false || value === '' || value === 0;
}

/** `x-kubernetes-preserve-unknown-fields` is XPreserveUnknownFields in Go. */
function goName(name: string): string {
  const words = name.replace(/^x-kubernetes-/, 'X-').split('-');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
