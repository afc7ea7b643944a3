import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenApiSchema } from '#kube/openapi.ts';
import { swaggerSchema } from '#apiserver/openapi/swagger-schema.ts';

const rows: readonly (readonly [what: string, given: OpenApiSchema, wanted: OpenApiSchema])[] = [
  ['a plain field stays', { type: 'string', description: 'a' }, { type: 'string', description: 'a' }],
  ['defaults go', { type: 'string', default: 'a' }, { type: 'string' }],
  [
    'unions go, at every depth',
    { type: 'object', not: {}, properties: { a: { type: 'integer', anyOf: [{ minimum: 1 }] } } },
    { type: 'object', properties: { a: { type: 'integer' } } },
  ],
  ['what has only a union is a text', { oneOf: [{ type: 'string' }, { type: 'number' }] }, { type: 'string' }],
  ['what has a type as well keeps it', { type: 'object', oneOf: [{ required: ['a'] }] }, { type: 'object' }],
  ['what may be null may be anything', { type: 'object', nullable: true, properties: { a: { type: 'string' } } }, {}],
  [
    'so may what keeps unknown members',
    { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: {} },
    { 'x-kubernetes-preserve-unknown-fields': true },
  ],
  ['a wrapped reference is unwrapped', { allOf: [{ $ref: '#/components/schemas/a' }] }, { $ref: '#/definitions/a' }],
  ['conditions that are no references go', { type: 'object', allOf: [{ required: ['a'] }] }, { type: 'object' }],
  ['what nobody knows goes', { type: 'string', example: 'a', externalDocs: {} }, { type: 'string' }],
  [
    'elements and values',
    { type: 'array', items: { type: 'object', additionalProperties: { type: 'string', nullable: true } } },
    { type: 'array', items: { type: 'object', additionalProperties: {} } },
  ],
];

for (const [what, given, wanted] of rows) {
  test(what, () => {
    assert.deepEqual(swaggerSchema(given), wanted);
  });
}
