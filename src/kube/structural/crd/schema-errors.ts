/**
 * What Kubernetes checks of every part of a schema beside its structure: types, words that it does not support, lists
 * and maps that merge, and the texts of rules. Rules themselves are compiled in `rule-errors.ts`, once all else is well.
 */
import {
  child,
  entry,
  type FieldError,
  forbiddenField,
  index,
  invalidField,
  notSupportedField,
} from '#kube/field-error.ts';
import { listErrors, mapErrors } from '#kube/structural/crd/merge-errors.ts';
import { ruleTextErrors } from '#kube/structural/crd/rule-text-errors.ts';
import { additionalSchema, type JsonSchema } from '#kube/structural/json-schema.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const META_FIELDS: ReadonlySet<string> = new Set(['metadata', 'kind', 'apiVersion']);

interface Context {
  readonly isRoot: boolean;
  /** Inside apiVersion, kind or metadata of a resource. */
  readonly isInMeta: boolean;
  /** Why defaults are forbidden here; undefined where they are not. */
  readonly noDefaults: string | undefined;
}

export function schemaPartErrors(schema: JsonSchema, path: string): FieldError[] {
  return partErrors(schema, path, { isRoot: true, isInMeta: false, noDefaults: undefined });
}

function partErrors(schema: JsonSchema, path: string, context: Context): FieldError[] {
  const within = { ...context, isRoot: false };
  return [
    ...wordErrors(schema, path, context),
    ...(schema.uniqueItems
      ? [
          forbiddenField(
            child(path, 'uniqueItems'),
            'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
          ),
        ]
      : []),
    ...additionalErrors(schema, path, within),
    ...propertyErrors(schema, path, context),
    ...junctorErrors(schema, path, within),
    ...itemErrors(schema, path, within),
    ...mapErrors(schema, path),
    ...listErrors(schema, path),
    ...ruleTextErrors(schema, path),
  ];
}

function wordErrors(schema: JsonSchema, path: string, context: Context): FieldError[] {
  const has = (name: string) => Object.hasOwn(schema.source, name);
  const forbid = (name: string) => forbiddenField(child(path, name), `${name} is not supported`);
  const errors: FieldError[] = [];
  if (schema.type !== '' && !TYPES.includes(schema.type)) {
    errors.push(notSupportedField(child(path, 'type'), schema.type, TYPES));
  }
  if (schema.default !== undefined && context.noDefaults !== undefined) {
    errors.push(forbiddenField(child(path, 'default'), `must not be set ${context.noDefaults}`));
  }
  const unsupported = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'];
  errors.push(...unsupported.filter(has).map(forbid));
  if (schema.type === 'null') {
    errors.push(forbiddenField(child(path, 'type'), 'type cannot be set to null, use nullable as an alternative'));
  }
  if (schema.itemsList.length > 0) {
    errors.push(forbiddenField(child(path, 'items'), 'items must be a schema object and not an array'));
  }
  if (context.isInMeta && schema.embeddedResource) {
    const field = child(path, 'x-kubernetes-embedded-resource');
    errors.push(forbiddenField(field, 'must not be used inside of resource meta'));
  }
  if (schema.preserveUnknown === false) {
    const field = child(path, 'x-kubernetes-preserve-unknown-fields');
    errors.push(invalidField(field, false, 'must be true or undefined'));
  }
  return errors;
}

function additionalErrors(schema: JsonSchema, path: string, context: Context): FieldError[] {
  const { additionalProperties: additional } = schema;
  if (additional === undefined) return [];
  const field = child(path, 'additionalProperties');
  const isExclusive = schema.properties.size > 0 && additional !== true;
  const ofSchema = additionalSchema(schema);
  const noDefaults = 'inside additionalProperties applying to object metadata';
  return [
    ...(isExclusive ? [forbiddenField(field, 'additionalProperties and properties are mutual exclusive')] : []),
    ...(ofSchema ? partErrors(ofSchema, field, context.isInMeta ? { ...context, noDefaults } : context) : []),
  ];
}

function propertyErrors(schema: JsonSchema, path: string, context: Context): FieldError[] {
  const { isRoot } = context;
  return [...schema.properties].flatMap(([name, member]) => {
    const isMeta = (isRoot || schema.embeddedResource) && META_FIELDS.has(name);
    return partErrors(member, entry(child(path, 'properties'), name), {
      isRoot: false,
      isInMeta: context.isInMeta || isMeta,
      noDefaults: isRoot && isMeta ? `in top-level ${name}` : context.noDefaults,
    });
  });
}

function junctorErrors(schema: JsonSchema, path: string, context: Context): FieldError[] {
  const each = (name: 'allOf' | 'oneOf' | 'anyOf') =>
    schema[name].flatMap((one, position) => partErrors(one, index(child(path, name), position), context));
  const ofNot = schema.not ? partErrors(schema.not, child(path, 'not'), context) : [];
  return [...ofNot, ...each('allOf'), ...each('oneOf'), ...each('anyOf')];
}

function itemErrors(schema: JsonSchema, path: string, context: Context): FieldError[] {
  const field = child(path, 'items');
  return [
    ...(schema.items ? partErrors(schema.items, field, context) : []),
    ...schema.itemsList.flatMap((one, position) => partErrors(one, index(field, position), context)),
  ];
}
