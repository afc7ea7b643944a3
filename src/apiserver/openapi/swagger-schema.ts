/**
 * Schemas in the older form of OpenAPI (v2), which clients read that look for a kind in one document of all: without
 * what that form does not know (unions, nullability, wrapped references, defaults), and without what its readers stumble
 * over: members, elements and even the type of a field that may be null or hold anything. Pure; schemas may be a user's.
 */
import { isObject } from '#base/json.ts';
import type { OpenApiSchema } from '#kube/openapi.ts';

/** Beside extensions, whose names begin with `x-`. */
const MEMBERS: ReadonlySet<string> = new Set([
  'additionalProperties',
  'description',
  'enum',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'format',
  'items',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'multipleOf',
  'pattern',
  'properties',
  'required',
  'title',
  'type',
  'uniqueItems',
]);

export function swaggerSchemas(schemas: Readonly<Record<string, OpenApiSchema>>): Record<string, OpenApiSchema> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, swaggerSchema(schema)]));
}

export function swaggerSchema(schema: OpenApiSchema): OpenApiSchema {
  const { oneOf, type, properties, items, additionalProperties } = schema;
  const kept = Object.fromEntries(
    Object.entries(schema).filter(([name]) => MEMBERS.has(name) || name.startsWith('x-')),
  );
  const target = targetOf(schema);
  if (isOpen(schema)) return without(kept, ['type', 'properties', 'items']);
  return {
    ...kept,
    ...(oneOf !== undefined && type === undefined ? { type: 'string' } : {}),
    ...(target === '' ? {} : { $ref: target }),
    ...(isObject(properties) ? { properties: swaggerSchemas(properties as Record<string, OpenApiSchema>) } : {}),
    ...(isObject(items) ? { items: swaggerSchema(items) } : {}),
    ...(isObject(additionalProperties) ? { additionalProperties: swaggerSchema(additionalProperties) } : {}),
  };
}

/** Whether a value may be something else than its schema describes. */
function isOpen(schema: OpenApiSchema): boolean {
  return schema['nullable'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
}

function without(schema: OpenApiSchema, names: readonly string[]): OpenApiSchema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !names.includes(name)));
}

function targetOf({ $ref, allOf }: OpenApiSchema): string {
  const [wrapped] = (allOf as readonly OpenApiSchema[] | undefined) ?? [];
  return ((($ref ?? wrapped?.['$ref']) as string | undefined) ?? '').replace('#/components/schemas/', '#/definitions/');
}
