/**
 * A structural schema in our own language (`#kube/schema.ts`): what server-side apply, patches and `kubectl explain`
 * need to know. Rules on values stay behind: they are checked by `validate-schema.ts`.
 */
import { setMember } from '#base/json.ts';
import { metadataSchema } from '#kube/metadata-schema.ts';
import { any, embedded, type ListType, required, type Schema, string } from '#kube/schema.ts';
import { additionalSchema, type JsonSchema } from '#kube/structural/json-schema.ts';

const TYPE_META = {
  apiVersion: string('Version of the schema that the object is written in.'),
  kind: string('Which kind of object this is.'),
};

/** The schema of a whole resource: `apiVersion`, `kind` and `metadata` are those that every kind has. */
export function resourceSchema(schema: JsonSchema): Schema {
  const own = objectSchema(schema);
  const meta = { ...TYPE_META, metadata: embedded(metadataSchema) };
  return { ...own, properties: members([...Object.entries(meta), ...ownMembers(schema)]) };
}

function ownMembers(schema: JsonSchema): [string, Schema][] {
  const isMeta = (name: string) => name === 'apiVersion' || name === 'kind' || name === 'metadata';
  return memberSchemas(schema).filter(([name]) => !isMeta(name));
}

/** Any name may be a member's, `__proto__` too. */
function members(entries: readonly (readonly [string, Schema])[]): Record<string, Schema> {
  const properties: Record<string, Schema> = {};
  for (const [name, schema] of entries) setMember(properties, name, schema);
  return properties;
}

function memberSchemas(schema: JsonSchema): [string, Schema][] {
  return [...schema.properties].map(([name, member]) => {
    const converted = toSchema(member);
    return [name, schema.required.includes(name) ? required(converted) : converted];
  });
}

function toSchema(schema: JsonSchema): Schema {
  return {
    ...shapeOf(schema),
    doc: schema.description,
    ...(schema.nullable ? { nullable: true } : {}),
    ...scalarDefault(schema),
  };
}

function shapeOf(schema: JsonSchema): Schema {
  if (schema.intOrString) return { type: 'int-or-string', doc: '' };
  switch (schema.type) {
    case 'object':
      return containerSchema(schema);
    case 'array':
      return listSchema(schema);
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return scalarSchema(schema, schema.type);
    default:
      return any();
  }
}

function scalarSchema(schema: JsonSchema, type: 'string' | 'integer' | 'number' | 'boolean'): Schema {
  const texts = schema.enum.filter((value) => typeof value === 'string');
  const isEnum = type === 'string' && texts.length > 0 && texts.length === schema.enum.length;
  return {
    type,
    doc: '',
    ...(schema.format === '' ? {} : { format: schema.format }),
    ...(isEnum ? { enum: texts } : {}),
  };
}

function containerSchema(schema: JsonSchema): Schema {
  const isAtomic = schema.mapType === 'atomic' ? { atomic: true } : {};
  const isMap = schema.properties.size === 0 && schema.additionalProperties !== undefined;
  if (!isMap) return { ...objectSchema(schema), ...isAtomic };
  const additional = additionalSchema(schema);
  return { type: 'map', doc: '', items: additional ? toSchema(additional) : any(), ...isAtomic };
}

function objectSchema(schema: JsonSchema): Schema {
  const own = memberSchemas(schema);
  const names = new Set(own.map(([name]) => name));
  const implied = Object.entries({ ...TYPE_META, metadata: metadataSchema }).filter(([name]) => !names.has(name));
  const all = schema.embeddedResource ? [...implied, ...own] : own;
  return {
    type: 'object',
    doc: schema.description,
    properties: members(all),
    required: schema.required,
    ...(schema.preserveUnknown === true ? { preserveUnknown: true } : {}),
  };
}

function listSchema(schema: JsonSchema): Schema {
  const items = schema.items ? toSchema(schema.items) : any();
  const listType = (schema.listType ?? 'atomic') as ListType;
  return { type: 'list', doc: '', items, listType, ...(listType === 'map' ? { listMapKeys: schema.listMapKeys } : {}) };
}

/** Defaults that are whole objects or lists are filled in by `defaults.ts`; only scalars count as keys of elements. */
function scalarDefault(schema: JsonSchema): Partial<Schema> {
  const value = schema.default;
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isScalar ? { default: value } : {};
}
