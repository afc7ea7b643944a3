/**
 * A schema of a CustomResourceDefinition (JSONSchemaProps of apiextensions v1) as a typed tree, read once.
 *
 * Untrusted input: members of a wrong type count as absent (the decoder of CustomResourceDefinitions has refused them
 * before), names are kept in maps, so that `__proto__` and `constructor` are names like any other, and a schema that is
 * nested too deeply or has too many parts is refused as a whole.
 */
import { getMember, isObject, type JsonValue } from '#base/json.ts';
import { ParseError } from '#kube/parse-error.ts';

/** Levels of schemas within schemas. */
export const MAX_SCHEMA_DEPTH = 128;
/** Schemas in one version of a CustomResourceDefinition; the largest known ones have some 20,000. */
export const MAX_SCHEMA_PARTS = 100_000;

export type JsonObject = { readonly [name: string]: JsonValue };

export interface ValidationRule {
  readonly rule: string;
  readonly message: string;
  readonly messageExpression: string;
  readonly reason: string | undefined;
  readonly fieldPath: string;
  readonly optionalOldSelf: boolean | undefined;
}

export interface JsonSchema {
  /** As it was written, for those who must know which members were there. */
  readonly source: JsonObject;
  readonly type: string;
  readonly format: string;
  readonly title: string;
  readonly description: string;
  readonly nullable: boolean;
  /** Undefined when there is none; null is none as well. */
  readonly default: JsonValue | undefined;
  readonly enum: readonly JsonValue[];
  readonly required: readonly string[];
  readonly properties: ReadonlyMap<string, JsonSchema>;
  readonly additionalProperties: JsonSchema | boolean | undefined;
  readonly items: JsonSchema | undefined;
  /** Of `items` written as a list, which is forbidden. */
  readonly itemsList: readonly JsonSchema[];
  readonly allOf: readonly JsonSchema[];
  readonly anyOf: readonly JsonSchema[];
  readonly oneOf: readonly JsonSchema[];
  readonly not: JsonSchema | undefined;
  readonly maximum: number | undefined;
  readonly exclusiveMaximum: boolean;
  readonly minimum: number | undefined;
  readonly exclusiveMinimum: boolean;
  readonly multipleOf: number | undefined;
  readonly maxLength: number | undefined;
  readonly minLength: number | undefined;
  readonly pattern: string;
  readonly maxItems: number | undefined;
  readonly minItems: number | undefined;
  readonly uniqueItems: boolean;
  readonly maxProperties: number | undefined;
  readonly minProperties: number | undefined;
  /** x-kubernetes-preserve-unknown-fields; false is written by nobody and refused. */
  readonly preserveUnknown: boolean | undefined;
  readonly embeddedResource: boolean;
  readonly intOrString: boolean;
  readonly listType: string | undefined;
  readonly listMapKeys: readonly string[];
  readonly mapType: string | undefined;
  readonly rules: readonly ValidationRule[];
}

interface Reading {
  parts: number;
}

/** The tree, or an error when it is too large. */
export function readJsonSchema(source: JsonObject): JsonSchema | ParseError {
  try {
    return read(source, 0, { parts: 0 });
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
}

/** The schema of values under names that are not listed, where there is one. */
export function additionalSchema(schema: JsonSchema): JsonSchema | undefined {
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** The schema of one member; undefined where the schema says nothing of it. */
export function memberSchema(schema: JsonSchema, name: string): JsonSchema | undefined {
  return schema.properties.get(name) ?? additionalSchema(schema);
}

function read(source: JsonObject, depth: number, reading: Reading): JsonSchema {
  reading.parts += 1;
  if (depth > MAX_SCHEMA_DEPTH) throw new ParseError(`must not nest schemas more than ${MAX_SCHEMA_DEPTH} levels deep`);
  if (reading.parts > MAX_SCHEMA_PARTS) throw new ParseError(`must not have more than ${MAX_SCHEMA_PARTS} schemas`);
  const within = (value: JsonObject) => read(value, depth + 1, reading);
  return {
    source,
    type: text(source, 'type'),
    format: text(source, 'format'),
    title: text(source, 'title'),
    description: text(source, 'description'),
    nullable: flag(source, 'nullable'),
    default: getMember(source, 'default') ?? undefined,
    enum: list(source, 'enum'),
    required: texts(source, 'required'),
    ...readNested(source, within),
    ...readLimits(source),
    ...readExtensions(source),
  } as JsonSchema;
}

function readNested(source: JsonObject, within: (value: JsonObject) => JsonSchema): Partial<JsonSchema> {
  const schemas = (name: string) => list(source, name).filter(isJsonObject).map(within);
  const schema = (name: string) => {
    const value = getMember(source, name);
    return isJsonObject(value) ? within(value) : undefined;
  };
  const additional = getMember(source, 'additionalProperties');
  const properties = getMember(source, 'properties');
  const members = isJsonObject(properties) ? Object.entries(properties) : [];
  return {
    properties: new Map(members.flatMap(([name, value]) => (isJsonObject(value) ? [[name, within(value)]] : []))),
    additionalProperties: typeof additional === 'boolean' ? additional : schema('additionalProperties'),
    items: schema('items'),
    itemsList: schemas('items'),
    allOf: schemas('allOf'),
    anyOf: schemas('anyOf'),
    oneOf: schemas('oneOf'),
    not: schema('not'),
  };
}

function readLimits(source: JsonObject): Partial<JsonSchema> {
  return {
    maximum: number(source, 'maximum'),
    exclusiveMaximum: flag(source, 'exclusiveMaximum'),
    minimum: number(source, 'minimum'),
    exclusiveMinimum: flag(source, 'exclusiveMinimum'),
    multipleOf: number(source, 'multipleOf'),
    maxLength: number(source, 'maxLength'),
    minLength: number(source, 'minLength'),
    pattern: text(source, 'pattern'),
    maxItems: number(source, 'maxItems'),
    minItems: number(source, 'minItems'),
    uniqueItems: flag(source, 'uniqueItems'),
    maxProperties: number(source, 'maxProperties'),
    minProperties: number(source, 'minProperties'),
  };
}

function readExtensions(source: JsonObject): Partial<JsonSchema> {
  return {
    preserveUnknown: optionalFlag(source, 'x-kubernetes-preserve-unknown-fields'),
    embeddedResource: flag(source, 'x-kubernetes-embedded-resource'),
    intOrString: flag(source, 'x-kubernetes-int-or-string'),
    listType: optionalText(source, 'x-kubernetes-list-type'),
    listMapKeys: texts(source, 'x-kubernetes-list-map-keys'),
    mapType: optionalText(source, 'x-kubernetes-map-type'),
    rules: list(source, 'x-kubernetes-validations').filter(isJsonObject).map(readRule),
  };
}

function readRule(source: JsonObject): ValidationRule {
  return {
    rule: text(source, 'rule'),
    message: text(source, 'message'),
    messageExpression: text(source, 'messageExpression'),
    reason: optionalText(source, 'reason'),
    fieldPath: text(source, 'fieldPath'),
    optionalOldSelf: optionalFlag(source, 'optionalOldSelf'),
  };
}

function isJsonObject(value: unknown): value is JsonObject {
  return isObject(value);
}

function text(source: JsonObject, name: string): string {
  return optionalText(source, name) ?? '';
}

function optionalText(source: JsonObject, name: string): string | undefined {
  const value = getMember(source, name);
  return typeof value === 'string' ? value : undefined;
}

function flag(source: JsonObject, name: string): boolean {
  return getMember(source, name) === true;
}

function optionalFlag(source: JsonObject, name: string): boolean | undefined {
  const value = getMember(source, name);
  return typeof value === 'boolean' ? value : undefined;
}

function number(source: JsonObject, name: string): number | undefined {
  const value = getMember(source, name);
  return typeof value === 'number' ? value : undefined;
}

function list(source: JsonObject, name: string): readonly JsonValue[] {
  const value = getMember(source, name);
  return Array.isArray(value) ? (value as JsonValue[]) : [];
}

function texts(source: JsonObject, name: string): readonly string[] {
  return list(source, name).filter((value) => typeof value === 'string');
}
