/** Kinds that come and go, with the controllers that look after their objects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { Lease } from '#kube/kinds/coordination/lease.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { apiVersionOf, type Kind, typed } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';
import { definition, tokenOf, versionOf } from '#testing/definitions.ts';
import { createWorkloads } from '#workloads/create-workloads.ts';

const kinds = builtinKinds.filter(({ kind }) => kind !== 'Event');
const NAME = { name: 'widgets.example.com' };
const ref = { namespace: 'default', name: 'w' };

interface World extends AsyncDisposable {
  readonly api: TestApi;
  settled(): Promise<void>;
}

async function world(): Promise<World> {
  const api = await startTestApi();
  const { client, caches, clock, logger, metrics } = api;
  const eventsOf = (component: string) => createEventRecorder({ client, clock, logger, component });
  const controllers = createWorkloads({ client, caches, clock, logger, metrics, eventsOf, kinds, rootCa: 'CA' });
  await caches.start();
  for (const controller of controllers) controller.start();
  return {
    api,
    settled: () => api.settled(...controllers),
    async [Symbol.asyncDispose]() {
      for (const controller of controllers) await controller[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

function widget(kind: Kind, metadata: KubeObject['metadata'] = {}): KubeObject {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { ...ref, ...metadata } };
}

async function define(w: World, wanted = definition()): Promise<Kind> {
  await w.api.client.create(CustomResourceDefinition, wanted);
  await w.settled();
  return tokenOf(wanted);
}

const conditions = async ({ api }: World, name = NAME) =>
  (await api.client.get(CustomResourceDefinition, name)).status?.conditions?.map(
    ({ type, status, reason }) => `${type}=${status} ${reason}`,
  );

test('a definition is established, and writes cease', async () => {
  await using w = await world();
  await define(w);
  assert.deepEqual(await conditions(w), ['NamesAccepted=True NoConflicts', 'Established=True InitialNamesAccepted']);
  const { revision } = w.api.store;
  await w.settled();
  assert.equal(w.api.store.revision, revision);
});

test('a name that is given up goes to whoever waits for it', async () => {
  await using w = await world();
  await define(w);
  const second = definition({ names: { plural: 'gadgets' } });
  await w.api.client.create(CustomResourceDefinition, second);
  await w.settled();
  assert.equal((await conditions(w, { name: 'gadgets.example.com' }))?.[1], 'Established=False NotAccepted');
  await w.api.client.delete(CustomResourceDefinition, NAME);
  await w.settled();
  assert.equal((await conditions(w, { name: 'gadgets.example.com' }))?.[1], 'Established=True InitialNamesAccepted');
});

test('objects go before their definition, as slowly as their finalizers want', async () => {
  await using w = await world();
  const { client, clock } = w.api;
  const kind = await define(w);
  await client.create(kind, widget(kind, { finalizers: ['example.com/hold'] }));
  await client.create(kind, widget(kind, { name: 'free' }));
  await client.delete(CustomResourceDefinition, NAME);
  await w.settled();
  assert.equal((await conditions(w))?.at(-1), 'Terminating=True InstanceDeletionInProgress');
  assert.deepEqual(
    (await client.list(kind)).items.map(({ metadata }) => metadata.name),
    ['w'],
  );
  await client.patch(kind, ref, { type: 'merge', body: { metadata: { finalizers: null } } });
  await clock.advance(1_000);
  await w.settled();
  assert.equal(await client.find(CustomResourceDefinition, NAME), undefined);
});

test('more objects than are deleted in one turn go all the same', async () => {
  await using w = await world();
  const { client, clock } = w.api;
  const kind = await define(w);
  const names = Array.from({ length: 300 }, (_, at) => `w${at}`);
  await Promise.all(names.map((name) => client.create(kind, widget(kind, { name }))));
  await client.delete(CustomResourceDefinition, NAME);
  await w.settled();
  await clock.advance(1_000);
  await w.settled();
  assert.equal(await client.find(CustomResourceDefinition, NAME), undefined);
});

test('a definition of a kind of the program takes none of its objects with it', async () => {
  await using w = await world();
  const { client } = w.api;
  await client.create(Lease, typed(Lease, { metadata: ref }));
  const taker = definition({ group: 'coordination.k8s.io', names: { plural: 'leases', kind: 'Lease' } });
  taker.metadata.annotations = { 'api-approved.kubernetes.io': 'unapproved, a test' };
  await define(w, taker);
  await client.delete(CustomResourceDefinition, { name: 'leases.coordination.k8s.io' });
  await w.settled();
  assert.equal(await client.find(CustomResourceDefinition, { name: 'leases.coordination.k8s.io' }), undefined);
  assert.ok(await client.find(Lease, ref));
});

test('what a custom resource owns goes with it, and it goes with its owner', async () => {
  await using w = await world();
  const { client } = w.api;
  const kind = await define(w);
  const owner = await client.create(ConfigMap, typed(ConfigMap, { metadata: { namespace: 'default', name: 'top' } }));
  const ownerOf = ({ apiVersion, kind: name, metadata }: KubeObject) => [
    { apiVersion, kind: name, name: metadata.name ?? '', uid: metadata.uid ?? '' },
  ];
  const middle = await client.create(kind, widget(kind, { ownerReferences: ownerOf(owner) }));
  await client.create(
    ConfigMap,
    typed(ConfigMap, { metadata: { namespace: 'default', name: 'bottom', ownerReferences: ownerOf(middle) } }),
  );
  await w.settled();
  assert.ok(await client.find(ConfigMap, { namespace: 'default', name: 'bottom' }));
  await client.delete(ConfigMap, { namespace: 'default', name: 'top' });
  await w.settled();
  assert.equal(await client.find(kind, ref), undefined);
  assert.equal(await client.find(ConfigMap, { namespace: 'default', name: 'bottom' }), undefined);
});

test('owners are still known when objects are stored in another version', async () => {
  await using w = await world();
  const { client } = w.api;
  const versions = (storage: string) =>
    ['v1', 'v2'].map((name) => versionOf(name, { storage: name === storage, spec: {} }));
  const kind = await define(w, definition({ versions: versions('v1') }));
  const { apiVersion, kind: name, metadata } = await client.create(kind, widget(kind));
  const owner = { apiVersion, kind: name, name: metadata.name, uid: metadata.uid };
  const owned = { namespace: 'default', name: 'owned', ownerReferences: [owner] };
  await client.create(ConfigMap, typed(ConfigMap, { metadata: owned }));
  await client.modify(CustomResourceDefinition, NAME, (current) => ({
    ...current,
    spec: { ...current.spec, versions: versions('v2') },
  }));
  await w.settled();
  assert.deepEqual((await client.get(CustomResourceDefinition, NAME)).status?.storedVersions, ['v1', 'v2']);
  assert.ok(await client.find(ConfigMap, { namespace: 'default', name: 'owned' }));
  await client.delete(kind, ref);
  await w.settled();
  assert.equal(await client.find(ConfigMap, { namespace: 'default', name: 'owned' }), undefined);
});

test('a namespace takes its custom resources with it', async () => {
  await using w = await world();
  const { client, clock } = w.api;
  const kind = await define(w);
  await client.create(Namespace, typed(Namespace, { metadata: { name: 'n' } }));
  await client.create(kind, widget(kind, { namespace: 'n' }));
  await client.delete(Namespace, { name: 'n' });
  await w.settled();
  await clock.advance(1_000);
  await w.settled();
  assert.equal(await client.find(Namespace, { name: 'n' }), undefined);
  assert.deepEqual((await client.list(kind)).items, []);
});
