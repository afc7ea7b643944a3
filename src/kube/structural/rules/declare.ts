/**
 * Structural schemas as types of CEL. What a schema says nothing of cannot be named in a rule: unknown members, and
 * lists and maps of such values. Sizes that a schema does not limit are those of the largest request.
 */
import {
  BOOL_DECL,
  type DeclType,
  DOUBLE_DECL,
  DYN_DECL,
  INT_DECL,
  listDecl,
  mapDecl,
  MAX_REQUEST_BYTES,
  objectDecl,
  simpleDecl,
  STRING_DECL,
} from '#kube/cel/decl-type.ts';
import { BYTES, DURATION, STRING, TIMESTAMP } from '#kube/cel/types.ts';
import { additionalSchema, type JsonSchema } from '#kube/structural/json-schema.ts';
import { escapeName } from '#kube/structural/rules/escape.ts';

const LARGEST_TEXT = MAX_REQUEST_BYTES - 2;
/** Bytes of times in JSON. */
const DATE_BYTES = 12;
const [LEAST_TIME_BYTES, MOST_TIME_BYTES] = [21, 32];
const [LEAST_DURATION_BYTES, MOST_DURATION_BYTES] = [3, 32];
const BYTES_PER_RUNE = 4;

export interface DeclareOptions {
  /** A whole resource: its type and its names can always be named. */
  readonly isResource: boolean;
}

/** Undefined for what rules cannot see. `name` is what errors call the type. */
export function declare(schema: JsonSchema, name: string, options: DeclareOptions): DeclType | undefined {
  if (schema.intOrString) return DYN_DECL;
  switch (schema.type) {
    case 'array':
      return declareList(schema, name);
    case 'object':
      return declareObject(schema, name, options);
    case 'string':
      return declareText(schema);
    case 'boolean':
      return BOOL_DECL;
    case 'number':
      return DOUBLE_DECL;
    case 'integer':
      return INT_DECL;
    default:
      return undefined;
  }
}

function declareMember(schema: JsonSchema, name: string): DeclType | undefined {
  return declare(schema, name, { isResource: schema.embeddedResource });
}

function declareList(schema: JsonSchema, name: string): DeclType | undefined {
  const item = schema.items && declareMember(schema.items, `${name}.@idx`);
  return item && listDecl(item, atLeastZero(schema.maxItems));
}

function atLeastZero(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.max(0, value);
}

function declareObject(schema: JsonSchema, name: string, { isResource }: DeclareOptions): DeclType | undefined {
  const additional = isResource ? undefined : additionalSchema(schema);
  if (additional) {
    const value = declareMember(additional, `${name}.@elem`);
    return value && mapDecl(value, atLeastZero(schema.maxProperties));
  }
  const fields = new Map<string, DeclType>();
  let minBytes = 2;
  for (const [member, memberSchema] of schema.properties) {
    const decl = declareMember(memberSchema, `${name}.${member}`);
    if (decl === undefined) continue;
    const escaped = escapeName(member);
    if (escaped !== undefined) fields.set(escaped, decl);
    const isAlwaysSent = schema.required.includes(member) && memberSchema.default === undefined;
    if (isAlwaysSent) minBytes += Buffer.byteLength(member) + decl.minBytes + 4;
  }
  if (isResource) addResourceFields(fields, name);
  return objectDecl(name, fields, minBytes);
}

function addResourceFields(fields: Map<string, DeclType>, name: string): void {
  const names = new Map([
    ['name', STRING_DECL],
    ['generateName', STRING_DECL],
  ]);
  fields.set('apiVersion', STRING_DECL);
  fields.set('kind', STRING_DECL);
  fields.set('metadata', objectDecl(`${name}.metadata`, names));
}

function declareText(schema: JsonSchema): DeclType {
  const maxLength = atLeastZero(schema.maxLength);
  switch (schema.format) {
    case 'byte':
      return simpleDecl(BYTES, 2, maxLength ?? LARGEST_TEXT);
    case 'duration':
      return simpleDecl(DURATION, LEAST_DURATION_BYTES, MOST_DURATION_BYTES);
    case 'date':
      return simpleDecl(TIMESTAMP, DATE_BYTES, DATE_BYTES);
    case 'date-time':
      return simpleDecl(TIMESTAMP, LEAST_TIME_BYTES, MOST_TIME_BYTES);
    default:
      return simpleDecl(STRING, 2, maxLength === undefined ? longestText(schema) : maxLength * BYTES_PER_RUNE);
  }
}

function longestText(schema: JsonSchema): number {
  if (schema.enum.length === 0) return LARGEST_TEXT;
  const lengths = schema.enum.map((value) => (typeof value === 'string' ? Buffer.byteLength(value) : 0));
  return Math.max(...lengths);
}
