/** The built-in controllers together against a real API server in memory: objects in, everything settled, world out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Controller } from '#controller/controller.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import { Event } from '#kube/kinds/core/event.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import { typed } from '#kube/kind.ts';
import type { Stored } from '#kube/object.ts';
import { formatTime } from '#kube/time.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';
import { createWorkloads } from '#workloads/create-workloads.ts';

const kinds = builtinKinds.filter((kind) => kind.kind !== 'Event');

interface World extends AsyncDisposable {
  readonly api: TestApi;
  settled(): Promise<void>;
  /** Does the node agent's part: pods that are assigned run and are ready, pods that are ending go. */
  runPods(): Promise<void>;
  pods(): Promise<Stored<Pod>[]>;
}

async function world(): Promise<World> {
  const api = await startTestApi();
  const { client, caches, clock, logger, metrics } = api;
  const eventsOf = (component: string) => createEventRecorder({ client, clock, logger, component });
  const controllers: Controller[] = createWorkloads({
    client,
    caches,
    clock,
    logger,
    metrics,
    eventsOf,
    kinds,
    rootCa: 'CA',
  });
  await caches.start();
  for (const controller of controllers) controller.start();
  const node = typed(Node, {
    metadata: { name: 'here' },
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } },
  });
  await client.create(Node, node);
  await client.updateStatus(Node, { ...node, metadata: { name: 'here' } });
  const settled = () => api.settled(...controllers);
  await settled();
  let lastAddress = 1;
  const runPods = async () => {
    for (const pod of (await client.list(Pod)).items) {
      const ref = { namespace: pod.metadata.namespace, name: pod.metadata.name };
      if (pod.metadata.deletionTimestamp) await client.delete(Pod, ref, { gracePeriodSeconds: 0 });
      else if (pod.spec.nodeName && pod.status?.phase !== 'Running') {
        lastAddress += 1;
        const now = formatTime(clock.now());
        const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: now }];
        const status = { phase: 'Running' as const, podIP: `10.0.0.${lastAddress}`, conditions, startTime: now };
        await client.modify(
          Pod,
          ref,
          (current) => ({ ...current, status: { ...current.status, ...status } }),
          'status',
        );
      }
    }
    await settled();
  };
  return {
    api,
    settled,
    runPods,
    pods: async () => (await client.list(Pod, { namespace: 'default' })).items,
    async [Symbol.asyncDispose]() {
      for (const controller of controllers) await controller[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

const web = (replicas: number, image = 'dev.local/web:1') =>
  typed(Deployment, {
    metadata: { namespace: 'default', name: 'web' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'app', image, ports: [{ containerPort: 8080, protocol: 'TCP' }] }] },
      },
    },
  });

const reasonOf = (deployment: Deployment, type: string) =>
  deployment.status?.conditions?.find((one) => one.type === type)?.reason;

test('a Deployment becomes ready pods on the node, with the conditions and events that clients wait for', async () => {
  await using w = await world();
  const { client } = w.api;
  await client.create(Deployment, web(2));
  await w.settled();
  const pods = await w.pods();
  assert.deepEqual(
    pods.map((pod) => pod.spec.nodeName),
    ['here', 'here'],
  );
  assert.equal(
    reasonOf(await client.get(Deployment, { namespace: 'default', name: 'web' }), 'Available'),
    'MinimumReplicasUnavailable',
  );
  await w.runPods();
  const done = await client.get(Deployment, { namespace: 'default', name: 'web' });
  assert.deepEqual(
    { ...done.status, conditions: undefined },
    {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      conditions: undefined,
    },
  );
  assert.equal(reasonOf(done, 'Progressing'), 'NewReplicaSetAvailable');
  assert.equal(done.metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
  const { items } = await client.list(Event, { namespace: 'default' });
  const reasons = items.map(({ reason = '' }) => reason).sort((a, b) => a.localeCompare(b));
  assert.deepEqual(reasons, ['ScalingReplicaSet', 'Scheduled', 'Scheduled', 'SuccessfulCreate', 'SuccessfulCreate']);
});

test('once settled, nothing is written any more, also when every key is looked at again', async () => {
  await using w = await world();
  await w.api.client.create(Deployment, web(2));
  await w.api.client.create(
    Service,
    typed(Service, {
      metadata: { namespace: 'default', name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    }),
  );
  await w.settled();
  await w.runPods();
  const before = w.api.store.revision;
  await w.api.clock.advance(11 * 60_000);
  await w.settled();
  assert.equal(w.api.store.revision, before);
});

test('a new template rolls out pod by pod and never drops below the wanted number', async () => {
  await using w = await world();
  const { client } = w.api;
  await client.create(Deployment, web(3));
  await w.settled();
  await w.runPods();
  await client.modify(Deployment, { namespace: 'default', name: 'web' }, (current) => ({
    ...current,
    spec: web(3, 'dev.local/web:2').spec,
  }));
  for (let round = 0; round < 10; round += 1) {
    await w.settled();
    const ready = (await w.pods()).filter((pod) => pod.status?.phase === 'Running' && !pod.metadata.deletionTimestamp);
    assert.ok(ready.length >= 3, `round ${round}: ${ready.length}`);
    await w.runPods();
  }
  const images = (await w.pods()).map((pod) => pod.spec.containers[0]?.image);
  assert.deepEqual(images, ['dev.local/web:2', 'dev.local/web:2', 'dev.local/web:2']);
  const sets = (await client.list(ReplicaSet, { namespace: 'default' })).items;
  assert.deepEqual(
    new Map(sets.map((one) => [one.metadata.annotations?.['deployment.kubernetes.io/revision'], one.spec.replicas])),
    new Map([
      ['1', 0],
      ['2', 3],
    ]),
  );
  assert.equal(
    (await client.get(Deployment, { namespace: 'default', name: 'web' })).status?.unavailableReplicas,
    undefined,
  );
});

test('a new template and a new size at once: first the size, then the template, to the end', async () => {
  await using w = await world();
  const { client } = w.api;
  await client.create(Deployment, web(1));
  await w.settled();
  await w.runPods();
  const { spec } = web(2, 'dev.local/web:2');
  await client.modify(Deployment, { namespace: 'default', name: 'web' }, (old) => ({ ...old, spec }));
  for (let round = 0; round < 8; round += 1) {
    await w.settled();
    await w.runPods();
  }
  const sets = (await client.list(ReplicaSet, { namespace: 'default' })).items;
  const sizeOf = (image: string) => sets.find((one) => one.spec.template?.spec?.containers[0]?.image === image)?.spec;
  assert.equal(sizeOf('dev.local/web:1')?.replicas, 0);
  assert.equal(sizeOf('dev.local/web:2')?.replicas, 2);
  const events = (await client.list(Event, { namespace: 'default' })).items
    .filter(({ reason }) => reason === 'ScalingReplicaSet')
    .map(({ message }) => (message ?? '').replace(/web-\w+/, 'web'));
  assert.deepEqual(events.toSorted(), [
    'Scaled down replica set web from 1 to 0',
    'Scaled down replica set web from 2 to 1',
    'Scaled up replica set web from 0 to 1',
    'Scaled up replica set web from 0 to 1',
    'Scaled up replica set web from 1 to 2',
    'Scaled up replica set web from 1 to 2',
  ]);
});

test('scaling through the subresource reaches the pods, down to zero and back', async () => {
  await using w = await world();
  const { client } = w.api;
  await client.create(Deployment, web(1));
  await w.settled();
  await w.runPods();
  const scale = (replicas: number) =>
    client.patch(
      Deployment,
      { namespace: 'default', name: 'web' },
      { type: 'merge', body: { spec: { replicas } }, subresource: 'scale' },
    );
  await scale(0);
  await w.settled();
  await w.runPods();
  assert.deepEqual(await w.pods(), []);
  await scale(3);
  await w.settled();
  assert.equal((await w.pods()).length, 3);
});

test('Endpoints and slices follow the pods of a Service', async () => {
  await using w = await world();
  const { client } = w.api;
  await client.create(Deployment, web(1));
  await client.create(
    Service,
    typed(Service, {
      metadata: { namespace: 'default', name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    }),
  );
  await w.settled();
  assert.deepEqual((await client.get(Endpoints, { namespace: 'default', name: 'web' })).subsets, undefined);
  await w.runPods();
  const [subset] = (await client.get(Endpoints, { namespace: 'default', name: 'web' })).subsets ?? [];
  assert.deepEqual(subset?.ports, [{ port: 8080, protocol: 'TCP' }]);
  assert.equal(subset?.addresses?.[0]?.ip, (await w.pods())[0]?.status?.podIP);
  const slices = (
    await client.list(EndpointSlice, { namespace: 'default', labelSelector: 'kubernetes.io/service-name=web' })
  ).items;
  assert.deepEqual(
    slices[0]?.endpoints.map(({ conditions }) => conditions),
    [{ ready: true, serving: true, terminating: false }],
  );
  await client.delete(Service, { namespace: 'default', name: 'web' });
  await w.settled();
  assert.equal((await client.list(EndpointSlice, { namespace: 'default' })).items.length, 0);
});

test('Endpoints that somebody writes for a Service without a selector are mirrored', async () => {
  await using w = await world();
  const { client } = w.api;
  await client.create(
    Service,
    typed(Service, { metadata: { namespace: 'default', name: 'out' }, spec: { ports: [{ port: 80 }] } }),
  );
  const subsets = [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }];
  const annotations = { 'example.com/a': 'b', 'endpoints.kubernetes.io/last-change-trigger-time': 'now' };
  const metadata = { namespace: 'default', name: 'out', annotations };
  await client.create(Endpoints, typed(Endpoints, { metadata, subsets }));
  await w.settled();
  const [slice] = (await client.list(EndpointSlice, { namespace: 'default' })).items;
  assert.deepEqual(
    slice?.endpoints.map(({ addresses }) => addresses),
    [['192.0.2.1']],
  );
  assert.equal(
    slice?.metadata.labels?.['endpointslice.kubernetes.io/managed-by'],
    'endpointslicemirroring-controller.k8s.io',
  );
  assert.deepEqual(slice?.metadata.annotations, { 'example.com/a': 'b' });
});

test('deleting a Deployment takes its ReplicaSets and pods with it, in the background and in the foreground', async () => {
  await using w = await world();
  const { client } = w.api;
  for (const propagationPolicy of ['Background', 'Foreground'] as const) {
    await client.create(Deployment, web(2));
    await w.settled();
    await w.runPods();
    await client.delete(Deployment, { namespace: 'default', name: 'web' }, { propagationPolicy });
    await w.settled();
    await w.runPods();
    assert.deepEqual(await w.pods(), [], propagationPolicy);
    assert.equal((await client.list(ReplicaSet)).items.length, 0, propagationPolicy);
    assert.equal((await client.list(Deployment)).items.length, 0, propagationPolicy);
  }
});

test('an orphaning deletion leaves the pods, without an owner', async () => {
  await using w = await world();
  const { client } = w.api;
  await client.create(Deployment, web(1));
  await w.settled();
  await w.runPods();
  await client.delete(Deployment, { namespace: 'default', name: 'web' }, { propagationPolicy: 'Orphan' });
  await w.settled();
  await w.api.clock.advance(1_000);
  await w.settled();
  const [left] = (await client.list(ReplicaSet)).items;
  assert.equal(left?.metadata.ownerReferences, undefined);
  assert.equal((await w.pods()).length, 1);
  assert.equal((await client.list(Deployment)).items.length, 0);
});

test('an object whose owner does not exist is collected', async () => {
  await using w = await world();
  const { client } = w.api;
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid: 'never' }];
  await client.create(
    ConfigMap,
    typed(ConfigMap, { metadata: { namespace: 'default', name: 'lost', ownerReferences } }),
  );
  await w.settled();
  assert.equal(await client.find(ConfigMap, { namespace: 'default', name: 'lost' }), undefined);
});

test('a namespace is furnished, emptied when it goes, and says what holds it up', async () => {
  await using w = await world();
  const { client } = w.api;
  await w.api.createNamespace('shop');
  await w.settled();
  assert.ok(await client.find(ServiceAccount, { namespace: 'shop', name: 'default' }));
  assert.deepEqual((await client.get(ConfigMap, { namespace: 'shop', name: 'kube-root-ca.crt' })).data, {
    'ca.crt': 'CA',
  });
  await client.create(Deployment, { ...web(1), metadata: { namespace: 'shop', name: 'web' } });
  await client.create(
    ConfigMap,
    typed(ConfigMap, { metadata: { namespace: 'shop', name: 'held', finalizers: ['example.com/hold'] } }),
  );
  await w.settled();
  await client.delete(Namespace, { name: 'shop' });
  await w.settled();
  await w.runPods();
  await w.api.clock.advance(1_000);
  const going = await client.get(Namespace, { name: 'shop' });
  assert.equal(going.status?.phase, 'Terminating');
  const texts = new Map(going.status?.conditions?.map(({ type, message }) => [type, message]));
  assert.equal(
    texts.get('NamespaceContentRemaining'),
    'Some resources are remaining: configmaps. has 1 resource instances',
  );
  assert.equal(
    texts.get('NamespaceFinalizersRemaining'),
    'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  );
  await client.patch(
    ConfigMap,
    { namespace: 'shop', name: 'held' },
    { type: 'merge', body: { metadata: { finalizers: null } } },
  );
  await w.api.clock.advance(1_000);
  assert.equal(await client.find(Namespace, { name: 'shop' }), undefined);
});

test('a pod that does not fit waits with the reason, and is assigned when another one goes', async () => {
  await using w = await world();
  const { client } = w.api;
  const big = (name: string) =>
    typed(Pod, {
      metadata: { namespace: 'default', name },
      spec: { containers: [{ name: 'app', image: 'x', resources: { requests: { cpu: '3' } } }] },
    });
  await client.create(Pod, big('first'));
  await client.create(Pod, big('second'));
  await w.settled();
  const waiting = await client.get(Pod, { namespace: 'default', name: 'second' });
  const condition = waiting.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  assert.deepEqual(
    [condition?.status, condition?.reason, condition?.message],
    ['False', 'Unschedulable', '0/1 nodes are available: 1 Insufficient cpu.'],
  );
  await client.delete(Pod, { namespace: 'default', name: 'first' }, { gracePeriodSeconds: 0 });
  await w.settled();
  assert.equal((await client.get(Pod, { namespace: 'default', name: 'second' })).spec.nodeName, 'here');
});
