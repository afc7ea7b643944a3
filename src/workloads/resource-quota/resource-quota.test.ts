/** The status of ResourceQuotas, against a real API server in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Controller } from '#controller/controller.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { Job } from '#kube/kinds/batch/job.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { ResourceQuota } from '#kube/kinds/core/resource-quota.ts';
import { typed } from '#kube/kind.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';
import { createWorkloads } from '#workloads/create-workloads.ts';
import { jobOf, NAME } from '#workloads/job/fixtures/world.ts';

const namespace = 'default';

interface World extends AsyncDisposable {
  readonly api: TestApi;
  settled(): Promise<void>;
  used(): Promise<Record<string, string> | undefined>;
}

async function world(hard: Record<string, string>): Promise<World> {
  const api = await startTestApi();
  const { client, caches, clock, logger, metrics } = api;
  const eventsOf = (component: string) => createEventRecorder({ client, clock, logger, component });
  const kinds = builtinKinds.filter(({ kind }) => kind !== 'Event');
  const options = { client, caches, clock, logger, metrics, eventsOf, kinds, rootCa: 'CA' };
  const controllers: Controller[] = createWorkloads(options);
  await caches.start();
  for (const controller of controllers) controller.start();
  await client.create(ResourceQuota, typed(ResourceQuota, { metadata: { namespace, name: 'q' }, spec: { hard } }));
  const settled = () => api.settled(...controllers);
  await settled();
  return {
    api,
    settled,
    used: async () => (await client.get(ResourceQuota, { namespace, name: 'q' })).status?.used,
    async [Symbol.asyncDispose]() {
      for (const controller of controllers) await controller[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

const pod = (name: string, cpu: string) =>
  typed(Pod, {
    metadata: { namespace, name },
    spec: { containers: [{ name: 'app', image: 'x', resources: { requests: { cpu, memory: '64Mi' } } }] },
  });

test('what is used follows what comes, ends and goes', async () => {
  await using w = await world({ pods: '5', 'requests.cpu': '2', 'requests.memory': '1Gi', configmaps: '9' });
  const { client } = w.api;
  // One ConfigMap is in every namespace.
  assert.deepEqual(await w.used(), { pods: '0', 'requests.cpu': '0', 'requests.memory': '0', configmaps: '1' });
  await client.create(Pod, pod('a', '500m'));
  await client.create(Pod, pod('b', '1'));
  await client.create(ConfigMap, typed(ConfigMap, { metadata: { namespace, name: 'c' } }));
  await w.settled();
  const full = { pods: '2', 'requests.cpu': '1500m', 'requests.memory': '128Mi', configmaps: '2' };
  assert.deepEqual(await w.used(), full);
  const settled = w.api.store.revision;
  await w.settled();
  assert.equal(w.api.store.revision, settled);
  const ref = { namespace, name: 'b' };
  await client.patch(Pod, ref, { type: 'merge', body: { status: { phase: 'Failed' } }, subresource: 'status' });
  await client.delete(ConfigMap, { namespace, name: 'c' });
  await w.settled();
  assert.deepEqual(await w.used(), { pods: '1', 'requests.cpu': '500m', 'requests.memory': '64Mi', configmaps: '1' });
});

test('a new limit shows at once', async () => {
  await using w = await world({ pods: '1' });
  const body = { spec: { hard: { pods: '3', secrets: '2' } } };
  await w.api.client.patch(ResourceQuota, { namespace, name: 'q' }, { type: 'merge', body });
  await w.settled();
  const { status } = await w.api.client.get(ResourceQuota, { namespace, name: 'q' });
  assert.deepEqual(status, { hard: { pods: '3', secrets: '2' }, used: { pods: '0', secrets: '0' } });
});

test('a ReplicaSet that meets a quota says so once, and comes to rest', async () => {
  await using w = await world({ pods: '1' });
  const { client } = w.api;
  const labels = { app: 'x' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'x' }] } };
  const spec = { replicas: 3, selector: { matchLabels: labels }, template };
  await client.create(ReplicaSet, typed(ReplicaSet, { metadata: { namespace, name: 'r' }, spec }));
  await w.settled();
  const { status } = await client.get(ReplicaSet, { namespace, name: 'r' });
  assert.equal(status?.replicas, 1);
  assert.match(
    status?.conditions?.[0]?.message ?? '',
    /^pods "r-\w+" is forbidden: exceeded quota: q, requested: pods=1/,
  );
  const version = (await client.get(ReplicaSet, { namespace, name: 'r' })).metadata.resourceVersion;
  await w.api.clock.advance(60_000);
  await w.settled();
  assert.equal((await client.get(ReplicaSet, { namespace, name: 'r' })).metadata.resourceVersion, version);
});

test('a Job that meets a quota says so, and goes on when there is room', async () => {
  await using w = await world({ pods: '1' });
  const { client } = w.api;
  await client.create(Job, jobOf({ completions: 2, parallelism: 2 }));
  await w.settled();
  assert.deepEqual(await w.used(), { pods: '1' });
  const [first] = (await client.list(Pod, { namespace })).items;
  const ended = { type: 'merge', body: { status: { phase: 'Succeeded' } }, subresource: 'status' } as const;
  await client.patch(
    ResourceQuota,
    { namespace, name: 'q' },
    { type: 'merge', body: { spec: { hard: { pods: '0' } } } },
  );
  await client.patch(Pod, { namespace, name: first?.metadata.name ?? '' }, ended);
  await w.settled();
  const { status } = await client.get(Job, { namespace, name: NAME });
  assert.deepEqual([status?.succeeded, status?.uncountedTerminatedPods], [1, {}]);
  const patch = { type: 'merge', body: { spec: { hard: { pods: '2' } } } } as const;
  await client.patch(ResourceQuota, { namespace, name: 'q' }, patch);
  await w.api.clock.advance(60_000);
  await w.settled();
  assert.deepEqual(await w.used(), { pods: '1' });
});
