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
