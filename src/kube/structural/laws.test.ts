/**
 * What holds for any schema and any object: pruning and defaulting twice changes nothing more, what was pruned and
 * defaulted is judged the same each time, an update that changes nothing is not judged harder. The seed is printed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clone } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';
import { compileStructural } from '#kube/structural/compile.ts';
import { crdErrors } from '#kube/structural/crd-errors.ts';
import type { JsonObject } from '#kube/structural/json-schema.ts';

const SEED = Number(process.hrtime.bigint() % 1_000_000_000n);

const names = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', 'toString', 'ü-1');

/** Schemas that a definition may have, with a default here and there. */
const { schema } = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record(
      { type: fc.constant('string'), maxLength: fc.nat(5), default: fc.string({ maxLength: 3 }) },
      { requiredKeys: ['type'] },
    ),
    fc.record(
      { type: fc.constant('integer'), minimum: fc.integer({ min: -3, max: 3 }), nullable: fc.boolean() },
      { requiredKeys: ['type'] },
    ),
    fc.record({ 'x-kubernetes-int-or-string': fc.constant(true) }),
    fc.record({ type: fc.constant('object'), 'x-kubernetes-preserve-unknown-fields': fc.constant(true) }),
    fc.record(
      { type: fc.constant('array'), items: tie('schema'), maxItems: fc.nat(3) },
      { requiredKeys: ['type', 'items'] },
    ),
    fc.record({ type: fc.constant('object'), additionalProperties: tie('schema') }),
    fc.record(
      {
        type: fc.constant('object'),
        properties: properties(tie('schema')),
        required: fc.array(names, { maxLength: 2 }),
      },
      { requiredKeys: ['type', 'properties'] },
    ),
  ) as fc.Arbitrary<JsonObject>,
}));

/** `__proto__` must be a member, not the prototype. */
function properties(member: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> {
  return fc.array(fc.tuple(names, member), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
}

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 0, 1, -2, 1.5, '', 'ab', '😀😀'),
    fc.array(tie('value'), { maxLength: 3 }),
    properties(tie('value')),
  ),
})).value;

function resource(spec: unknown): KubeObject {
  return { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'x' }, spec } as unknown as KubeObject;
}

function definition(openAPIV3Schema: JsonObject): object {
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }];
  return {
    metadata: { name: 'things.example.com' },
    spec: { group: 'example.com', scope: 'Cluster', names: { plural: 'things', kind: 'Thing' }, versions },
  };
}

function check(property: (schema: JsonObject, object: KubeObject) => void): void {
  const whole = schema.map((spec): JsonObject => ({ type: 'object', properties: { spec } }));
  fc.assert(
    fc.property(whole, value, (written, spec) => property(written, resource(clone(spec)))),
    { seed: SEED, numRuns: 300 },
  );
}

test(`pruning twice drops nothing more (seed ${SEED})`, () => {
  check((schema, object) => {
    const structural = compileStructural(schema);
    structural.prune(object);
    const once = JSON.stringify(object);
    assert.deepEqual(structural.prune(object), []);
    assert.equal(JSON.stringify(object), once);
  });
});

test(`defaulting twice fills in nothing more (seed ${SEED})`, () => {
  check((schema, object) => {
    const structural = compileStructural(schema);
    structural.prune(object);
    structural.applyDefaults(object);
    const once = JSON.stringify(object);
    structural.applyDefaults(object);
    assert.equal(JSON.stringify(object), once);
  });
});

test(`what was pruned and defaulted is judged the same each time, and no harder when it stays (seed ${SEED})`, () => {
  check((schema, object) => {
    const structural = compileStructural(schema);
    structural.prune(object);
    structural.applyDefaults(object);
    const errors = structural.validate(object, undefined);
    assert.deepEqual(structural.validate(clone(object), undefined), errors);
    // Not always less hard: an object with members that its schema does not name counts as changed.
    const said = new Set(errors.map(({ field, message }) => `${field}: ${message}`));
    const ofUpdate = structural.validate(clone(object), object);
    assert.deepEqual(
      ofUpdate.filter(({ field, message }) => !said.has(`${field}: ${message}`)),
      [],
    );
  });
});

test(`definitions with such schemas are judged without failing (seed ${SEED})`, () => {
  check((schema) => {
    assert.ok(crdErrors(definition(schema)).every(({ message }) => message !== ''));
  });
});
