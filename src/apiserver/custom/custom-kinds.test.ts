import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import type { Kind } from '#kube/kind.ts';
import type { KubeObject, Stored } from '#kube/object.ts';
import { isStatus } from '#kube/status.ts';
import { ApiServer } from '#apiserver/api-server.ts';
import { Store } from '#store/store.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';
import { definition, tokenOf, versionOf } from '#testing/definitions.ts';

type Widget = KubeObject & { spec?: Record<string, unknown>; status?: Record<string, unknown> };

const ref = { namespace: 'default', name: 'w' };
const widget = (version: string, spec: object = {}): Widget => ({
  apiVersion: `example.com/${version}`,
  kind: 'Widget',
  metadata: { ...ref },
  spec: { ...spec },
});

/** What the definition's controller does, without one. */
async function establish({ client }: TestApi, wanted: CustomResourceDefinition): Promise<void> {
  const { name = '' } = wanted.metadata;
  const known = await client.find(CustomResourceDefinition, { name });
  if (known) await client.update(CustomResourceDefinition, { ...known, spec: wanted.spec });
  else await client.create(CustomResourceDefinition, wanted);
  await client.modify(
    CustomResourceDefinition,
    { name },
    (current) => ({
      ...current,
      status: {
        storedVersions: current.status?.storedVersions ?? [],
        acceptedNames: current.spec.names,
        conditions: [{ type: 'Established', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
      },
    }),
    'status',
  );
}

const get = async ({ client }: TestApi, kind: Kind) => (await client.get(kind, ref)) as Stored<Widget>;

test('a kind is served from the moment its definition is established, and not after that is gone', async () => {
  await using api = await startTestApi();
  const kind = tokenOf(definition());
  await api.client.create(CustomResourceDefinition, definition());
  await assert.rejects(api.client.list(kind), (error) => isStatus(error, 'NotFound'));
  await establish(api, definition());
  assert.deepEqual((await api.client.list(kind)).items, []);
  // No finalizer of its own keeps this one: nobody has anything to do first.
  await api.client.delete(CustomResourceDefinition, { name: 'widgets.example.com' });
  const free = (current: CustomResourceDefinition) => ({
    ...current,
    metadata: { ...current.metadata, finalizers: [] },
  });
  await api.client.modify(CustomResourceDefinition, { name: 'widgets.example.com' }, free);
  await assert.rejects(api.client.list(kind), (error) => isStatus(error, 'NotFound'));
});

test('versions show the same objects, each by its own schema', async () => {
  await using api = await startTestApi();
  const wanted = definition({
    versions: [
      versionOf('v1', { storage: true, spec: { size: { type: 'integer' }, color: { type: 'string' } } }),
      versionOf('v2', { spec: { size: { type: 'integer', default: 7 } } }),
    ],
  });
  await establish(api, wanted);
  const [v1, v2] = [tokenOf(wanted, 'v1'), tokenOf(wanted, 'v2')];
  await api.client.create(v1, widget('v1', { color: 'red' }));
  const shown = await get(api, v2);
  assert.equal(shown.apiVersion, 'example.com/v2');
  assert.deepEqual(shown.spec, { size: 7 });
  assert.equal(await get(api, v2), shown, 'what is shown twice is one object');
  assert.deepEqual((await get(api, v1)).spec, { color: 'red' });
  const changed: Widget = { ...shown, spec: { size: 8 } };
  await api.client.update(v2, changed);
  assert.equal((await get(api, v1)).apiVersion, 'example.com/v1');
  assert.deepEqual((await get(api, v1)).spec, { size: 8 });
});

test('a version that is not served is there for our own controllers alone', async () => {
  await using api = await startTestApi();
  const wanted = definition({ versions: [versionOf('v1', { storage: true, served: false }), versionOf('v2', {})] });
  await establish(api, wanted);
  await api.client.create(tokenOf(wanted, 'v2'), widget('v2', { size: 1 }));
  assert.equal((await get(api, tokenOf(wanted, 'v1'))).apiVersion, 'example.com/v1');
  assert.equal(api.api.registry.find('example.com', 'v1', 'widgets'), undefined);
});

test('a new default is seen on old objects, and written by nobody', async () => {
  await using api = await startTestApi();
  await establish(api, definition());
  const kind = tokenOf(definition());
  const before = await api.client.create(kind, widget('v1'));
  await establish(
    api,
    definition({ versions: [versionOf('v1', { storage: true, spec: { size: { type: 'integer', default: 3 } } })] }),
  );
  const after = await get(api, kind);
  assert.deepEqual(after.spec, { size: 3 });
  assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
  await api.client.patch(kind, ref, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } });
  assert.equal((await get(api, kind)).metadata.generation, 1, 'a default is no change of the user');
});

test('a write of the definition that changes only its state leaves kinds and watches alone', async () => {
  await using api = await startTestApi();
  await establish(api, definition());
  const served = api.api.registry.find('example.com', 'v1', 'widgets');
  const touch = (current: CustomResourceDefinition) => ({
    ...current,
    metadata: { ...current.metadata, labels: { a: 'b' } },
  });
  await api.client.modify(CustomResourceDefinition, { name: 'widgets.example.com' }, touch);
  assert.equal(api.api.registry.find('example.com', 'v1', 'widgets'), served);
  assert.equal(served?.ended?.aborted, false);
  await establish(api, definition({ versions: [versionOf('v1', { storage: true, spec: {} })] }));
  assert.equal(served?.ended?.aborted, true, 'a new schema ends what was begun under the old one');
});

test('nothing new is made of a kind whose definition is going', async () => {
  await using api = await startTestApi();
  await establish(api, definition());
  await api.client.delete(CustomResourceDefinition, { name: 'widgets.example.com' });
  const attempt = api.client.create(tokenOf(definition()), widget('v1'));
  await assert.rejects(attempt, (error) => isStatus(error, 'MethodNotAllowed'));
});

test('webhooks that convert are not called: only the stored version can be had, and the author is told', async () => {
  await using api = await startTestApi();
  const wanted = definition({ versions: [versionOf('v1', { storage: true }), versionOf('v2', {})] });
  const clientConfig = { service: { namespace: 'default', name: 'converter' } };
  wanted.spec.conversion = { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } };
  await establish(api, wanted);
  await api.client.create(tokenOf(wanted, 'v1'), widget('v1', { size: 1 }));
  await assert.rejects(get(api, tokenOf(wanted, 'v2')), /conversion webhook/);
  assert.deepEqual((await get(api, tokenOf(wanted, 'v1'))).spec, { size: 1 });
  await establish(api, { ...wanted, spec: { ...wanted.spec, conversion: { strategy: 'None' } } });
  assert.deepEqual((await get(api, tokenOf(wanted, 'v2'))).spec, { size: 1 });
});

test('kinds of the program are not taken over by a definition of the same name', async () => {
  await using api = await startTestApi();
  const before = api.api.registry.find('coordination.k8s.io', 'v1', 'leases');
  const taker = definition({ group: 'coordination.k8s.io', names: { plural: 'leases', kind: 'Lease' } });
  taker.metadata.annotations = { 'api-approved.kubernetes.io': 'unapproved, a test' };
  await establish(api, taker);
  assert.equal(api.api.registry.find('coordination.k8s.io', 'v1', 'leases'), before);
});

test('after a restart the kinds are there with the first request', async () => {
  await using api = await startTestApi();
  await establish(api, definition());
  const kind = tokenOf(definition());
  await api.client.create(kind, widget('v1', { size: 2 }));
  await api.store.flush();
  const { clock, logger, log } = api;
  await using store = await Store.open({ log, clock, logger });
  const again = new ApiServer({ store, clock, logger, kinds: [CustomResourceDefinition] });
  const caller = { user: { name: 'test', groups: [] }, userAgent: 'test', warn: () => {} };
  const found = (await again.request({ verb: 'get', kind, ...ref }, caller)) as Widget;
  assert.deepEqual(found.spec, { size: 2 });
});
