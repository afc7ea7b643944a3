/** The rules for custom resources against what kube-apiserver 1.33 was recorded to answer (`test/oracle/kube`). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { clone } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';
import type { ScaleSubresource } from '#kube/kind.ts';
import { compileStructural, type StructuralSchema } from '#kube/structural/compile.ts';
import type { JsonObject } from '#kube/structural/json-schema.ts';
import { type RecordedWrite, recordedWrites } from '#testing/recorded-crd.ts';

interface Version {
  readonly schema: { readonly openAPIV3Schema: JsonObject };
  readonly subresources: { readonly scale: ScaleSubresource };
}

interface Recorded {
  readonly structural: StructuralSchema;
  readonly scale: ScaleSubresource;
  readonly writes: readonly RecordedWrite[];
}

/** The CustomResourceDefinition that a case begins with, and the objects that are then written. */
function recorded(name: string): Recorded {
  const [definition, ...writes] = recordedWrites(name);
  assert.ok(definition);
  const [version] = (definition.body as { spec: { versions: Version[] } }).spec.versions;
  assert.ok(version);
  const structural = compileStructural(version.schema.openAPIV3Schema);
  return { structural, scale: version.subresources.scale, writes };
}

const byField = (left: { field?: string | undefined }, right: { field?: string | undefined }) =>
  (left.field ?? '') < (right.field ?? '') ? -1 : 1;

suite('crd-validation', () => {
  const { structural, scale, writes } = recorded('crd-validation');
  const refused = writes.filter(({ status, answer }) => {
    return status === 422 && !String(answer?.['message']).includes('must be Launch');
  });
  assert.ok(refused.length > 10);
  for (const { body, causes } of refused) {
    test(JSON.stringify((body as { spec?: unknown }).spec), () => {
      const object = clone(body) as unknown as KubeObject;
      structural.prune(object);
      structural.applyDefaults(object);
      const errors = structural.validate(object, undefined, { scale });
      assert.deepEqual([...errors].sort(byField), [...causes].sort(byField));
    });
  }
});

suite('crd-defaulting and crd-pruning', () => {
  for (const name of ['crd-defaulting', 'crd-pruning']) {
    const { structural, writes } = recorded(name);
    for (const { body, answer, warning } of writes.filter(({ method }) => method === 'POST')) {
      test(JSON.stringify(body?.['spec']), () => {
        const object = clone(body) as unknown as KubeObject;
        const unknown = structural.prune(object);
        structural.applyDefaults(object);
        assert.deepEqual((object as unknown as { spec: unknown }).spec, answer?.['spec']);
        const warnings = unknown.map((field) => `299 - "unknown field \\"${field}\\""`).join(', ');
        assert.equal(warnings, warning ?? '');
      });
    }
  }
});

suite('fieldvalidation-cr', () => {
  const { structural, writes } = recorded('fieldvalidation-cr');
  const strict = writes.filter(({ body, path, status }) => body && path.includes('Strict') && status === 400);
  assert.ok(strict.length > 0);
  for (const { body, answer } of strict) {
    test(JSON.stringify(body), () => {
      const unknown = structural.prune(clone(body) as unknown as KubeObject);
      const listed = unknown.map((field) => `unknown field "${field}"`).join(', ');
      assert.ok(String(answer?.['message']).endsWith(listed), `${String(answer?.['message'])} ≠ ${listed}`);
    });
  }
});

suite('crd-cel', () => {
  const { structural, scale, writes } = recorded('crd-cel');
  const stored = writes.find(({ body, status }) => status === 201 && body?.['kind'] === 'Launch');
  const written = writes.filter(({ status, method }) => status === 422 && method !== 'GET');
  assert.equal(written.length, 4);
  for (const { method, body, causes } of written) {
    test(JSON.stringify((body as { spec?: unknown }).spec), () => {
      const old = method === 'PATCH' ? prepared(structural, stored?.body) : undefined;
      const base = clone(old ?? body) as unknown as { spec: Record<string, unknown> };
      Object.assign(base.spec, (body as { spec: Record<string, unknown> }).spec);
      const object = prepared(structural, base);
      const errors = structural.validate(object, old, { scale });
      assert.deepEqual([...errors].sort(byField), [...causes].sort(byField));
    });
  }
});

function prepared(structural: StructuralSchema, body: unknown): KubeObject {
  const object = clone(body) as KubeObject;
  structural.prune(object);
  structural.applyDefaults(object);
  return object;
}
