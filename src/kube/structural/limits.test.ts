/** Hostile schemas, objects and patterns: refused or bounded, never slow, and names from JavaScript are just names. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { KubeObject } from '#kube/object.ts';
import { ParseError } from '#kube/parse-error.ts';
import { compilePattern, MatchTooCostly, MAX_MATCH_WORK, MAX_PATTERN_LENGTH, type Pattern } from '#kube/re2.ts';
import { compileStructural } from '#kube/structural/compile.ts';
import { crdErrors } from '#kube/structural/crd-errors.ts';
import { type JsonObject, MAX_SCHEMA_DEPTH, MAX_SCHEMA_PARTS } from '#kube/structural/json-schema.ts';

function definition(openAPIV3Schema: JsonObject): object {
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }];
  const names = { plural: 'things', kind: 'Thing' };
  return {
    metadata: { name: 'things.example.com' },
    spec: { group: 'example.com', scope: 'Cluster', names, versions },
  };
}

function resource(spec: unknown): KubeObject {
  return { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'x' }, spec } as unknown as KubeObject;
}

function withSpec(spec: JsonObject): JsonObject {
  return { type: 'object', properties: { spec } };
}

const messages = (schema: JsonObject, spec: unknown) =>
  compileStructural(withSpec(schema))
    .validate(resource(spec), undefined)
    .map(({ message }) => message);

suite('schemas', () => {
  test('nested too deeply', () => {
    let schema: JsonObject = { type: 'string' };
    for (let depth = 0; depth <= MAX_SCHEMA_DEPTH; depth += 1) schema = { type: 'object', properties: { a: schema } };
    assert.deepEqual(
      crdErrors(definition(schema)).map(({ field, message }) => `${field}: ${message}`),
      ['spec.validation.openAPIV3Schema: Forbidden: must not nest schemas more than 128 levels deep'],
    );
    assert.throws(() => compileStructural(schema), ParseError);
  });

  test('with too many parts', () => {
    const allOf = Array.from({ length: MAX_SCHEMA_PARTS }, () => ({ minLength: 1 }));
    assert.match(crdErrors(definition({ type: 'object', allOf }))[0]?.message ?? '', /must not have more than/);
  });

  test('members of a wrong type count as absent', () => {
    const schema = { type: 7, properties: [], required: 'x', items: 'x', enum: {}, 'x-kubernetes-validations': 'x' };
    assert.deepEqual(
      crdErrors(definition(schema)).map(({ message }) => message),
      ['Required value: must not be empty at the root'],
    );
  });

  test('nothing at all is a definition with much to say about', () => {
    assert.ok(crdErrors({}).length > 3);
    assert.ok(crdErrors({ spec: null, metadata: [] }).length > 3);
  });
});

suite('names from JavaScript', () => {
  const schema = JSON.parse(
    '{"type":"object","required":["constructor"],"properties":{"__proto__":{"type":"object","properties":{"a":{"type":"integer","default":1}}},"constructor":{"type":"string"},"toString":{"type":"string","default":"x"}}}',
  ) as JsonObject;
  const structural = compileStructural(withSpec(schema));

  test('are required, defaulted, pruned and typed like others', () => {
    const object = resource(JSON.parse('{"__proto__":{"b":2},"hasOwnProperty":1}'));
    assert.deepEqual(structural.prune(object), ['spec.__proto__.b', 'spec.hasOwnProperty']);
    structural.applyDefaults(object);
    assert.equal(JSON.stringify((object as unknown as { spec: unknown }).spec), '{"__proto__":{"a":1},"toString":"x"}');
    assert.deepEqual(
      structural.validate(object, undefined).map(({ field, message }) => `${field}: ${message}`),
      ['spec.constructor: Required value'],
    );
    assert.equal(({} as { a?: unknown }).a, undefined);
  });

  test('have no schema unless it says so', () => {
    const object = resource({ valueOf: 1 });
    assert.deepEqual(compileStructural(withSpec({ type: 'object' })).prune(object), ['spec.valueOf']);
  });
});

suite('values', () => {
  test('lengths count code points', () => {
    assert.deepEqual(messages({ type: 'string', maxLength: 2 }, '😀😀'), []);
    assert.deepEqual(messages({ type: 'string', minLength: 3 }, '😀😀'), [
      'Invalid value: "😀😀": spec in body should be at least 3 chars long',
    ]);
  });

  test('numbers beyond 64 bits are no integers', () => {
    assert.deepEqual(messages({ type: 'integer' }, 1e300), [
      'Invalid value: "number": spec in body must be of type integer: "number"',
    ]);
    assert.deepEqual(messages({ type: 'number', maximum: 1e21 }, 1e22), [
      'Invalid value: 1e+22: spec in body should be less than or equal to 1e+21',
    ]);
  });

  test('NaN is a number that nothing bounds', () => {
    assert.deepEqual(messages({ type: 'number', minimum: 0, multipleOf: 2 }, Number.NaN), [
      'Invalid value: NaN: spec in body should be a multiple of 2',
    ]);
  });

  test('allOf within allOf is checked once per part', () => {
    let nested: JsonObject = { minLength: 2 };
    for (let depth = 0; depth < 100; depth += 1) nested = { allOf: [nested, { maxLength: 9 }] };
    assert.equal(messages({ type: 'string', ...nested }, 'x').length, 2);
  });
});

suite('patterns', () => {
  const compiled = (text: string) => compilePattern(text) as Pattern;

  test('that make other engines hang do not', () => {
    assert.equal(compiled('^(a+)+$').occursIn(`${'a'.repeat(20_000)}b`), false);
    assert.deepEqual(messages({ type: 'string', pattern: '^(\\w+\\s?)*$' }, `${'a'.repeat(5_000)}!`).length, 1);
  });

  test('of too much work are given up on', () => {
    const costly = compiled('(a{1,30}){1,30}$');
    assert.throws(() => costly.occursIn('a'.repeat(MAX_MATCH_WORK / 1_000)), MatchTooCostly);
    const texts = Array.from({ length: 3_000 }, () => 'a'.repeat(100));
    const schema = { type: 'array', items: { type: 'string', pattern: '(a{1,30}){1,30}$' } };
    assert.match(messages(schema, texts).at(-1) ?? '', /too costly to match/);
  });

  test('that are too long or compile to too much are refused', () => {
    for (const text of ['a'.repeat(MAX_PATTERN_LENGTH + 1), '((a{1,30}){1,30}){1,1000}', '('.repeat(5_000)]) {
      assert.ok(compilePattern(text) instanceof ParseError);
    }
  });

  test('look-around, which RE2 does not have, is refused in its words', () => {
    const refused = compilePattern('(?=a)') as ParseError;
    assert.equal(refused.message, 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`');
  });
});
