/** The rules for CustomResourceDefinitions against what kube-apiserver 1.33 was recorded to answer. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { crdErrors } from '#kube/structural/crd-errors.ts';
import { recordedWrites } from '#testing/recorded-crd.ts';

for (const name of ['crd-invalid-spec', 'crd-invalid-schema']) {
  suite(name, () => {
    const writes = recordedWrites(name).filter(({ body }) => body !== undefined);
    assert.ok(writes.length > 10);
    for (const [position, { body, causes }] of writes.entries()) {
      const said = causes.map(({ field, message }) => `${field}: ${message}`.slice(0, 80)).join(' | ');
      test(`${position} ${said}`, () => {
        const errors = crdErrors(body as object);
        assert.deepEqual(errors, causes);
      });
    }
  });
}

test('definitions that were accepted have no errors', () => {
  for (const name of [
    'crd-validation',
    'crd-cel',
    'crd-defaulting',
    'crd-pruning',
    'crd-life',
    'tables-cr',
    'scale-cr',
  ]) {
    const [first] = recordedWrites(name);
    assert.equal(first?.status, 201);
    assert.deepEqual(crdErrors(first.body as object), []);
  }
});
