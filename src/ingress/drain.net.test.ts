/** When an ending pod is told that nobody needs it any more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import { annotationsOf, type Stored } from '#kube/object.ts';
import { createDrain, type Drain } from '#ingress/drain.ts';
import { DRAINED_ANNOTATION } from '#protocol/timeline.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';

const REF = { namespace: 'default', name: 'p' };
const OF_A_REVISION = { 'serving.knative.dev/revision': 'r' };

interface World extends AsyncDisposable {
  readonly api: TestApi;
  readonly drain: Drain;
  /** UIDs in the routing table. */
  readonly routed: Set<string>;
  pod(labels?: Record<string, string>): Promise<Stored<Pod>>;
  end(): Promise<void>;
  isTold(): Promise<boolean>;
}

async function start(): Promise<World> {
  const api = await startTestApi();
  const { client, caches, clock, logger, metrics } = api;
  const routed = new Set<string>();
  const drain = createDrain({ client, caches, clock, logger, metrics, isRouted: (uid) => routed.has(uid) });
  await caches.start();
  drain.controller.start();
  const rest = () => api.settled(drain.controller);
  return {
    api,
    drain,
    routed,
    async pod(labels = OF_A_REVISION) {
      // Held by a finalizer, as a pod is held by its node until it has ended.
      const metadata = { ...REF, labels, finalizers: ['test.example/hold'] };
      const spec = { containers: [{ name: 'c', image: 'dev.local/app:1' }] };
      const pod = await client.create(Pod, typed(Pod, { metadata, spec }));
      routed.add(pod.metadata.uid);
      await rest();
      return pod;
    },
    async end() {
      await client.delete(Pod, REF);
      await rest();
    },
    async isTold() {
      await rest();
      return DRAINED_ANNOTATION in annotationsOf(await client.get(Pod, REF));
    },
    async [Symbol.asyncDispose]() {
      await drain.controller[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

test('once the gateway says that nothing runs on it', async () => {
  await using world = await start();
  const { metadata } = await world.pod();
  await world.end();
  assert.equal(await world.isTold(), false);
  world.drain.onDrained({ type: 'drained', endpoints: [metadata.uid, 'unknown'] });
  assert.equal(await world.isTold(), true);
});

test('also when the gateway was quicker than the word of its end', async () => {
  await using world = await start();
  const { metadata } = await world.pod();
  world.drain.onDrained({ type: 'drained', endpoints: [metadata.uid] });
  assert.equal(await world.isTold(), false);
  await world.end();
  assert.equal(await world.isTold(), true);
});

test('also when it leaves the table without a word', async () => {
  await using world = await start();
  await world.pod();
  await world.end();
  assert.equal(await world.isTold(), false);
  world.routed.clear();
  await world.api.clock.advance(250);
  assert.equal(await world.isTold(), true);
});

test('at once, when no request can be on it', async () => {
  await using world = await start();
  await world.pod();
  world.routed.clear();
  await world.end();
  assert.equal(await world.isTold(), true);
});

test('pods of nobody’s revision are none of its business', async () => {
  await using world = await start();
  await world.pod({ app: 'x' });
  world.routed.clear();
  await world.end();
  assert.equal(await world.isTold(), false);
});

test('a pod of the same name does not inherit the word', async () => {
  await using world = await start();
  const first = await world.pod();
  world.drain.onDrained({ type: 'drained', endpoints: [first.metadata.uid] });
  await world.api.client.patch(Pod, REF, { type: 'merge', body: { metadata: { finalizers: null } } });
  await world.api.client.delete(Pod, REF, { gracePeriodSeconds: 0 });
  await world.pod();
  await world.end();
  assert.equal(await world.isTold(), false);
});
