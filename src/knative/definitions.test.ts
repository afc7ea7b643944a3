import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourceOf } from '#kube/kind.ts';
import { crdErrors } from '#kube/structural/crd-errors.ts';
import { knativeDefinitions } from '#knative/definitions.ts';
import { knativeKinds } from '#knative/kinds/all.ts';

const definitions = knativeDefinitions('1.0.0');
const named = (name: string) => definitions.find(({ metadata }) => metadata.name === name);

test('there is one for every kind, and each is one that anybody could apply', () => {
  assert.deepEqual(
    definitions.map(({ metadata }) => metadata.name),
    knativeKinds.map(resourceOf),
  );
  for (const definition of definitions) assert.deepEqual(crdErrors(definition), []);
});

test('labels say what other tools may do with objects', () => {
  assert.equal(named('services.serving.knative.dev')?.metadata.labels?.['duck.knative.dev/addressable'], 'true');
  assert.equal(named('routes.serving.knative.dev')?.metadata.labels?.['duck.knative.dev/podspecable'], undefined);
});

test('the old version of a kind is one of its versions', () => {
  const versions = named('services.serving.knative.dev')?.spec.versions ?? [];
  assert.deepEqual(
    versions.map(({ name, storage }) => ({ name, storage })),
    [
      { name: 'v1', storage: true },
      { name: 'v1alpha1', storage: false },
    ],
  );
});
