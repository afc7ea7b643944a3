/**
 * Formats, objects and definitions against what Kubernetes 1.33 itself made of them (`fixtures/`). Errors are compared
 * sorted: Kubernetes goes through maps in random order. The number that it gives the type of `self` and the addresses
 * that it prints differ from run to run.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import type { FieldError } from '#kube/field-error.ts';
import { checkFormat } from '#kube/formats.ts';
import type { KubeObject } from '#kube/object.ts';
import { compileStructural } from '#kube/structural/compile.ts';
import { crdErrors } from '#kube/structural/crd-errors.ts';
import type { JsonObject } from '#kube/structural/json-schema.ts';

interface Recorded {
  readonly formats: readonly (readonly [format: string, text: string, isValid: boolean])[];
  readonly objects: readonly RecordedObject[];
  readonly definitions: readonly RecordedDefinition[];
}

function recorded<N extends keyof Recorded>(name: N): Recorded[N] {
  const text = readFileSync(path.join(import.meta.dirname, `fixtures/recorded-${name}.json`), 'utf8');
  const fixture = JSON.parse(text.replaceAll(/selfType[0-9]+/g, 'self')) as Recorded;
  assert.ok(fixture[name].length > 100);
  return fixture[name];
}

function sorted(errors: readonly FieldError[]): string[] {
  const lines = errors.map(({ field, reason, message }) => `${field} (${reason}): ${message}`);
  return lines.map((line) => line.replaceAll(/0xc[0-9a-f]+/g, '0xc…')).sort();
}

suite('formats as Kubernetes checks them', () => {
  for (const [format, text, isValid] of recorded('formats')) {
    test(`${format}: ${JSON.stringify(text)}`, () => assert.equal(checkFormat(format, text), isValid));
  }
});

interface RecordedObject {
  readonly schema: JsonObject;
  readonly spec: unknown;
  readonly old?: unknown;
  readonly expect: {
    readonly errors: readonly FieldError[];
    readonly unknown?: readonly string[];
    readonly spec: unknown;
  };
}

function resource(spec: unknown): KubeObject & { spec?: unknown } {
  return { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'x' }, spec };
}

suite('objects as Kubernetes prunes, defaults and validates them', () => {
  for (const { schema, spec, old, expect } of recorded('objects')) {
    const change = old === undefined ? '' : ` was ${JSON.stringify(old)}`;
    test(`${JSON.stringify(spec)}${change} in ${JSON.stringify(schema)}`, () => {
      const structural = compileStructural({ type: 'object', properties: { spec: schema } });
      const object = resource(structuredClone(spec));
      const unknown = structural.prune(object);
      structural.applyDefaults(object);
      const errors = structural.validate(object, old === undefined ? undefined : resource(old));
      // The recorder ran the rules whatever was wrong before them.
      const ofValues = errors.filter(({ message }) => !message.includes('some validation rules were not checked'));
      assert.deepEqual(
        { unknown, spec: object.spec ?? null, errors: sorted(ofValues) },
        { unknown: expect.unknown ?? [], spec: expect.spec, errors: sorted(expect.errors) },
      );
    });
  }
});

interface RecordedDefinition {
  readonly crd: object;
  readonly oldCrd?: object;
  readonly expect: readonly FieldError[];
}

suite('definitions as Kubernetes judges them', () => {
  for (const [position, { crd, oldCrd, expect }] of recorded('definitions').entries()) {
    const [first] = expect;
    test(`${position} ${first ? `${first.field}: ${first.message.slice(0, 60)}` : 'is accepted'}`, () => {
      assert.deepEqual(sorted(crdErrors(crd, oldCrd)), sorted(expect));
    });
  }
});
