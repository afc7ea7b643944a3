/** Over a real API server, with copies that are as old as a cache's on a cluster may be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stored } from '#kube/object.ts';
import { typed } from '#kube/kind.ts';
import { isConflict } from '#kube/status.ts';
import { metricConditions } from '#knative/conditions.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import { Metric } from '#knative/kinds/metric.ts';
import { reconcileStatus } from '#controller/status-reconcile.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';

const REF = { namespace: 'default', name: 'm' };

interface World {
  readonly api: TestApi;
  readonly warnings: string[];
}

async function start(): Promise<World & { readonly created: Stored<Metric> }> {
  const api = await startTestApi({ kinds: [...builtinKinds, ...knativeKinds] });
  const spec = { stableWindow: 1, panicWindow: 1, scrapeTarget: '' };
  const created = await api.client.create(Metric, typed(Metric, { metadata: { ...REF }, spec }));
  return { api, created, warnings: [] };
}

async function reconcile({ api, warnings }: World, object: Stored<Metric>): Promise<void> {
  const { client, clock } = api;
  const events = { normal: () => {}, warning: (_: unknown, reason: string) => void warnings.push(reason) };
  const work = async (_: unknown, conditions: { markTrue(name: 'Ready'): void }) => {
    conditions.markTrue('Ready');
  };
  await reconcileStatus({ kind: Metric, object, conditions: metricConditions, client, clock, events, work });
}

test('a status worked out on a copy that is behind is not written over a newer one', async () => {
  const world = await start();
  await using api = world.api;
  const newer = { observedGeneration: 1, conditions: [] };
  await api.client.updateStatus(Metric, { ...world.created, status: newer });
  await assert.rejects(reconcile(world, world.created), isConflict);
  assert.deepEqual((await api.client.get(Metric, REF)).status, newer);
  assert.deepEqual(world.warnings, []);
});

test('a copy that is behind in labels and spec alone is good enough for a status', async () => {
  const world = await start();
  await using api = world.api;
  await api.client.patch(Metric, REF, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } });
  await reconcile(world, world.created);
  const after = await api.client.get(Metric, REF);
  assert.equal(after.status?.conditions?.[0]?.status, 'True');
  assert.deepEqual(after.metadata.labels, { a: 'b' });
});

test('an object that was deleted or made anew meanwhile is left alone', async () => {
  const world = await start();
  await using api = world.api;
  await api.client.delete(Metric, REF);
  await reconcile(world, world.created);
  await api.client.create(Metric, typed(Metric, { metadata: { ...REF }, spec: world.created.spec }));
  await reconcile(world, world.created);
  assert.equal((await api.client.get(Metric, REF)).status, undefined);
});
