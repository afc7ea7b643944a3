/** The controllers together, over a real API server: that they come to rest, stay there, and get there past failures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { typed } from '#kube/kind.ts';
import { type KubeObject, labelsOf } from '#kube/object.ts';
import { conflict, internalError } from '#kube/status.ts';
import { findCondition, isReady } from '#knative/conditions.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import { DomainMapping } from '#knative/kinds/domain-mapping.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { Route } from '#knative/kinds/route.ts';
import { Service } from '#knative/kinds/service.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { Event } from '#kube/kinds/core/event.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Service as KubeService } from '#kube/kinds/core/service.ts';
import { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import { definition, tokenOf } from '#testing/definitions.ts';
import { ServingWorld, type ServingWorldOptions } from '#testing/serving-world.ts';

const REF = { namespace: 'default', name: 'a' };
const REVISION = { namespace: 'default', name: 'a-00001' };
const CONFIG = { 'config-domain': { 'example.com': '' } };
const CLAIMS = { 'autocreate-cluster-domain-claims': 'true' };

interface Shape {
  readonly annotations?: Record<string, string>;
  readonly template?: Record<string, string>;
  readonly image?: string;
  readonly target?: string;
}

/** A manifest as users write it; admission fills in the rest. */
function manifest({ annotations, template, image = 'dev.local/hello:1', target = '1' }: Shape = {}): Service {
  const containers = [{ image, env: [{ name: 'TARGET', value: target }] }];
  const spec = { template: { metadata: { annotations: template }, spec: { containers } } };
  return { apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata: { ...REF, annotations }, spec } as Service;
}

async function started(shape: Shape = {}, options: ServingWorldOptions = {}): Promise<ServingWorld> {
  const world = await ServingWorld.start({ config: CONFIG, ...options });
  await world.api.client.create(Service, manifest(shape));
  return world;
}

async function untilReady(world: ServingWorld): Promise<void> {
  await world.until('ready', async () => isReady(await world.api.client.get(Service, REF)));
}

const KINDS = [Service, Configuration, Revision, Route, Ingress, KubeService, Deployment] as const;

/** What there is, without what two runs differ in. */
async function worldTree(world: ServingWorld): Promise<unknown> {
  const tree: Record<string, unknown> = {};
  for (const kind of KINDS) {
    for (const object of (await world.api.client.list<KubeObject>(kind, { namespace: 'default' })).items) {
      const { labels, annotations, finalizers, ownerReferences } = object.metadata;
      const owners = ownerReferences?.map(({ kind: owner, name }) => `${owner} ${name}`);
      const content = { labels, annotations, finalizers, owners, ...object, metadata: undefined };
      tree[`${kind.group} ${kind.kind} ${object.metadata.name}`] = content;
    }
  }
  return JSON.parse(
    JSON.stringify(tree)
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uid>')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, '<time>')
      .replaceAll(/"10\.\d+\.\d+\.\d+"/g, '"<ip>"')
      .replaceAll(/"serving.knative.dev\/deployment-hash":"\w+"/g, '"hash":"<hash>"')
      .replaceAll(/-deployment-\w+/g, '-deployment-<hash>')
      .replaceAll(/"(observedGeneration|generation)":\d+/g, '"$1":0'),
  ) as unknown;
}

test('once settled nothing is written any more, however often everything is looked at again', async () => {
  await using world = await started({ template: { 'autoscaling.knative.dev/min-scale': '1' } });
  await untilReady(world);
  await world.rest();
  world.transport.writes.length = 0;
  await world.api.clock.advance(21 * 60_000);
  await world.rest();
  assert.deepEqual(world.transport.writes, []);
});

test('every write may fail once, as an internal error or a lost race, and the world ends up the same', async () => {
  const settledTree = async (world: ServingWorld) => {
    await untilReady(world);
    await world.rest(1_000);
    return worldTree(world);
  };
  await using undisturbed = await started();
  const expected = await settledTree(undisturbed);
  const writes = undisturbed.transport.writes.length;
  assert.ok(writes > 25, `only ${writes} writes`);
  for (let at = 1; at <= writes; at += 1) {
    await using world = await ServingWorld.start({ config: CONFIG });
    const failure =
      at % 2 === 0 ? internalError('injected') : conflict({ group: '', plural: 'things' }, 'x', 'injected');
    world.transport.failWith = (_, count) => (count === at ? failure : undefined);
    await world.api.client.create(Service, manifest());
    const tree = await settledTree(world);
    assert.deepEqual(tree, expected, `write ${at}, ${world.transport.writes[at - 1]}, failed`);
  }
});

test('caches that lag, as over a network, lead to the same world without a word of failure', async () => {
  const shape = { template: { 'autoscaling.knative.dev/min-scale': '1' } };
  const settledTree = async (world: ServingWorld) => {
    await untilReady(world);
    await world.rest(10_000);
    return worldTree(world);
  };
  await using prompt = await started(shape);
  const expected = await settledTree(prompt);
  for (const seed of [1, 2, 3]) {
    // A time for each kind, up to half a second.
    const lagMs = (plural: string) => (plural.length * 97 * seed) % 500;
    await using world = await started(shape, { lagMs });
    assert.deepEqual(await settledTree(world), expected, `seed ${seed}`);
    const events = (await world.api.client.list(Event, { namespace: 'default' })).items;
    const failures = events.filter(({ type }) => type === 'Warning').map(({ message }) => message);
    assert.deepEqual(failures, [], `seed ${seed}`);
    await world.api.client.delete(Service, REF);
    await world.until(
      'gone',
      async () => (await world.api.client.list(Route, { namespace: 'default' })).items.length === 0,
    );
  }
});

test('from zero to one and back nothing durable is written', async () => {
  const autoscaler = { 'stable-window': '6s', 'scale-to-zero-grace-period': '4s' };
  await using world = await started({}, { config: { ...CONFIG, 'config-autoscaler': autoscaler } });
  const { client } = world.api;
  const replicas = async () => (await client.get(Revision, REVISION)).status?.actualReplicas;
  await untilReady(world);
  await world.until('zero', async () => (await replicas()) === 0);
  await world.rest();
  world.transport.writes.length = 0;
  world.transport.derived.length = 0;
  const at = world.api.clock.now();
  world.gateway?.send({ type: 'activate', namespace: 'default', name: 'a-00001', at, queued: 1 });
  await world.until('one', async () => (await replicas()) === 1);
  const active = findCondition((await client.get(Revision, REVISION)).status, 'Active');
  assert.equal(active?.status, 'True');
  await world.until('zero again', async () => (await replicas()) === 0);
  assert.ok(world.transport.writes.length > 0);
  assert.deepEqual(world.transport.writes, world.transport.derived);
});

test('pods of a revision are in the gateway’s table while they are ready, and drain while they end', async () => {
  await using world = await started({ template: { 'autoscaling.knative.dev/min-scale': '1' } });
  await untilReady(world);
  const endpoints = () => world.gateway?.table.targets.find(({ key }) => key === 'default/a-00001:80')?.endpoints ?? [];
  assert.deepEqual(
    endpoints().map(({ state, port }) => [state, port]),
    [['ready', 8080]],
  );
  const { client } = world.api;
  const [pod] = (await client.list(Pod, { namespace: 'default' })).items;
  assert.ok(pod);
  const ref = { namespace: 'default', name: pod.metadata.name };
  await client.patch(Pod, ref, { type: 'merge', body: { metadata: { finalizers: ['test.example/hold'] } } });
  await client.delete(Pod, ref);
  const states = () => new Map(endpoints().map(({ id, state }) => [id, state]));
  await world.until('another one', () => states().size === 2 && states().get(pod.metadata.uid) === 'draining');
  await client.patch(Pod, ref, { type: 'merge', body: { metadata: { finalizers: null } } });
  await world.until('the first is gone', () => states().size === 1 && !states().has(pod.metadata.uid));
  await world.rest();
  const slices = (await client.list(EndpointSlice, { namespace: 'default' })).items;
  const behind = slices.filter((one) => labelsOf(one)['kubernetes.io/service-name'] === 'a-00001-private');
  assert.deepEqual(
    behind.map(({ endpoints }) => endpoints.map(({ targetRef }) => targetRef?.uid)),
    [[...states().keys()]],
    'one slice, which follows the pods',
  );
});

test('a gradual rollout moves one percent, then equal steps, then is over', async () => {
  await using world = await started({ annotations: { 'serving.knative.dev/rollout-duration': '10s' } });
  const { client } = world.api;
  await untilReady(world);
  const update = manifest({ target: '2' });
  await client.patch(Service, REF, { type: 'merge', body: { spec: update.spec } });
  const shares = async () => {
    const traffic = (await client.get(Route, REF)).status?.traffic ?? [];
    return traffic.map(({ revisionName, percent }) => `${revisionName} ${percent}`).join(', ');
  };
  const reasonOf = async (type: string) => findCondition((await client.get(Route, REF)).status, type)?.reason;
  const seen: string[] = [];
  const note = async () => {
    const now = await shares();
    if (seen.at(-1) !== now) seen.push(now);
    return now === 'a-00002 100';
  };
  await world.until('the first percent', async () => (await shares()) === 'a-00001 99, a-00002 1');
  assert.equal(await reasonOf('IngressReady'), 'RolloutInProgress');
  const begun = world.api.clock.now();
  await world.until('all of it', note);
  // Less than a second until the Ingress was ready: nine seconds are left for nine steps of eleven percent.
  const steps = [1, 12, 23, 34, 45, 56, 67, 78, 89].map((share) => `a-00001 ${100 - share}, a-00002 ${share}`);
  assert.deepEqual(seen, [...steps, 'a-00002 100']);
  const tookMs = world.api.clock.now() - begun;
  assert.ok(tookMs > 8_500 && tookMs < 10_500, `took ${tookMs} ms`);
  await untilReady(world);
});

test('a registry that fails is asked again, later each time, and its words are in the conditions', async () => {
  const asked: number[] = [];
  let isUp = false;
  const digest = `registry.example/app@sha256:${'a'.repeat(64)}`;
  const digests = {
    resolve: async () => {
      asked.push(world.api.clock.now());
      if (!isUp) throw new Error('GET https://registry.example/v2/: connection refused');
      return digest;
    },
  };
  await using world = await ServingWorld.start({ config: CONFIG, digests });
  const { client } = world.api;
  await client.create(Service, manifest({ image: 'registry.example/app:1' }));
  const healthy = async () => findCondition((await client.get(Revision, REVISION)).status, 'ContainerHealthy');
  await world.until('the failure', async () => (await healthy())?.status === 'False');
  assert.deepEqual(
    { reason: (await healthy())?.reason, message: (await healthy())?.message },
    {
      reason: 'ContainerMissing',
      message:
        'Unable to fetch image "registry.example/app:1": failed to resolve image to digest: ' +
        'GET https://registry.example/v2/: connection refused',
    },
  );
  await world.rest(8_000);
  const waits = asked.slice(1).map((at, index) => Math.round((at - (asked[index] ?? 0)) / 1_000));
  assert.deepEqual(waits, [1, 2, 4]);
  isUp = true;
  await untilReady(world);
  const { status } = await client.get(Revision, REVISION);
  assert.deepEqual(status?.containerStatuses, [{ name: 'user-container', imageDigest: digest }]);
  const { spec } = await client.get(Deployment, { ...REVISION, name: 'a-00001-deployment' });
  assert.equal(spec.template.spec.containers[0]?.image, digest);
});

test('a changed domain reaches URLs and hosts at once', async () => {
  await using world = await started();
  await untilReady(world);
  await world.configure('config-domain', { 'example.com': null, 'example.org': '' });
  const { client } = world.api;
  await world.until('the new URL', async () => {
    return (await client.get(Service, REF)).status?.url === 'http://a.default.example.org';
  });
  const hosts = (await client.get(Ingress, REF)).spec.rules?.flatMap((rule) => rule.hosts ?? []);
  assert.ok(hosts?.includes('a.default.example.org'));
  assert.ok(!hosts?.includes('a.default.example.com'));
});

test('a domain leads to whatever has an address, custom resources too, and follows it', async () => {
  await using world = await ServingWorld.start({ config: { ...CONFIG, 'config-network': CLAIMS } });
  const { client } = world.api;
  const wanted = definition({ names: { plural: 'gates', kind: 'Gate' } });
  const kind = tokenOf(wanted);
  await client.create(CustomResourceDefinition, wanted);
  const gate: KubeObject = {
    apiVersion: 'example.com/v1',
    kind: 'Gate',
    metadata: { namespace: 'default', name: 'g' },
  };
  await world.until('served', async () => (await client.list(kind)).items.length === 0);
  await client.create(kind, gate);
  const ref = { apiVersion: 'example.com/v1', kind: 'Gate', name: 'g' };
  const domain = { namespace: 'default', name: 'www.example.org' };
  await client.create(DomainMapping, typed(DomainMapping, { metadata: domain, spec: { ref } }));
  const resolved = async () => findCondition((await client.get(DomainMapping, domain)).status, 'ReferenceResolved');
  await world.until('refused', async () => /address not set/.test((await resolved())?.message ?? ''));
  const body = { status: { address: { url: 'http://a.default.svc.cluster.local' } } };
  await client.patch(kind, { namespace: 'default', name: 'g' }, { type: 'merge', body, subresource: 'status' });
  await world.until('resolved', async () => (await resolved())?.status === 'True');
});
