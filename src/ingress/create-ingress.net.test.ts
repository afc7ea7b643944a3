/** The ingress over a real API server and a real socket: Ingress objects in, routing table and status out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Service as KubeService } from '#kube/kinds/core/service.ts';
import { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import { typed } from '#kube/kind.ts';
import { isReady } from '#knative/conditions.ts';
import { DomainMapping } from '#knative/kinds/domain-mapping.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { Service } from '#knative/kinds/service.ts';
import type { TargetEndpoint } from '#protocol/routing.ts';
import { toldBy } from '#testing/knative-objects.ts';
import { ServingWorld } from '#testing/serving-world.ts';

const CLASS = 'networking.knative.dev/ingress.class';
const KOURIER = 'kourier.ingress.networking.knative.dev';
const NAMESPACE = { namespace: 'default' };

interface Shape {
  readonly hosts?: string[];
  readonly backend?: string;
  readonly className?: string | undefined;
}

async function createIngress(world: ServingWorld, name: string, shape: Shape = {}): Promise<void> {
  const { hosts = [name], backend = 'backend' } = shape;
  const className = 'className' in shape ? shape.className : KOURIER;
  const splits = [{ serviceNamespace: 'default', serviceName: backend, servicePort: 80, percent: 100 }];
  const rules = [{ hosts, visibility: 'ExternalIP' as const, http: { paths: [{ splits }] } }];
  const annotations = className === undefined ? {} : { [CLASS]: className };
  await world.api.client.create(
    Ingress,
    typed(Ingress, { metadata: { ...NAMESPACE, name, annotations }, spec: { rules } }),
  );
}

async function createBackend(
  world: ServingWorld,
  name: string,
  spec: object = { selector: { app: name } },
): Promise<void> {
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
  await world.api.client.create(
    KubeService,
    typed(KubeService, { metadata: { ...NAMESPACE, name }, spec: { ports, ...spec } }),
  );
}

async function told(world: ServingWorld, name: string): Promise<string[]> {
  const { status = {} } = await world.api.client.get(Ingress, { ...NAMESPACE, name });
  return toldBy(status);
}

const readyLine = async (world: ServingWorld, name: string) =>
  (await told(world, name)).find((line) => line.startsWith('Ready ')) ?? '';

const WAITING = 'Ready Unknown Uninitialized: Waiting for load balancer to be ready';

function endpointsOf(world: ServingWorld, key: string): readonly TargetEndpoint[] {
  return world.gateway?.table.targets.find((target) => target.key === key)?.endpoints ?? [];
}

test('ready once every gateway serves it, and said once', async () => {
  await using world = await ServingWorld.start();
  await createBackend(world, 'backend');
  await createIngress(world, 'x');
  await world.until('ready', async () => (await readyLine(world, 'x')) === 'Ready True');
  const { status } = await world.api.client.get(Ingress, { ...NAMESPACE, name: 'x' });
  assert.equal(status?.observedGeneration, 1);
  assert.equal(status?.publicLoadBalancer?.ingress?.[0]?.domainInternal, 'kourier.kourier-system.svc.cluster.local');
  await world.rest();
  assert.deepEqual(world.transport.writes, ['update Ingress/status x']);
});

test('without a gateway it waits; with one it is served; without it again it stays so', async () => {
  await using world = await ServingWorld.start({ withoutGateway: true });
  await createBackend(world, 'backend');
  await createIngress(world, 'x');
  await world.rest();
  assert.equal(await readyLine(world, 'x'), WAITING);
  const gateway = await world.connectGateway();
  await world.until('ready', async () => (await readyLine(world, 'x')) === 'Ready True');
  await gateway[Symbol.asyncDispose]();
  await world.rest();
  assert.equal(await readyLine(world, 'x'), 'Ready True');
  await createIngress(world, 'y');
  await world.rest();
  assert.equal(await readyLine(world, 'y'), WAITING);
});

test('a changed Ingress waits until its own generation is acknowledged', async () => {
  await using world = await ServingWorld.start();
  await createBackend(world, 'backend');
  await createIngress(world, 'x');
  await world.until('ready', async () => (await readyLine(world, 'x')) === 'Ready True');
  assert.ok(world.gateway);
  world.gateway.acknowledges = false;
  const body = { spec: { httpOption: 'Redirected' } };
  await world.api.client.patch(Ingress, { ...NAMESPACE, name: 'x' }, { type: 'merge', body });
  await world.rest();
  assert.equal(await readyLine(world, 'x'), WAITING);
  const { epoch, version } = world.gateway.table;
  world.gateway.send({ type: 'ack', epoch, version });
  await world.until('ready', async () => (await readyLine(world, 'x')) === 'Ready True');
});

test('classes: ours are served, others’ are left alone, and those without one follow the cluster’s default', async () => {
  await using world = await ServingWorld.start({ config: { 'config-network': { 'ingress-class': 'istio' } } });
  await createBackend(world, 'backend');
  await createIngress(world, 'kourier');
  await createIngress(world, 'pinnace', { className: 'pinnace.ingress.networking.knative.dev' });
  await createIngress(world, 'istio', { className: 'istio' });
  await createIngress(world, 'none', { className: undefined });
  await world.rest();
  const lines = async () => Promise.all(['kourier', 'pinnace', 'istio', 'none'].map((name) => readyLine(world, name)));
  assert.deepEqual(await lines(), ['Ready True', 'Ready True', '', '']);
  await world.configure('config-network', { 'ingress-class': KOURIER });
  await world.until('served', async () => (await readyLine(world, 'none')) === 'Ready True');
  assert.equal(await readyLine(world, 'istio'), '');
});

test('an Ingress waits for its Services', async () => {
  await using world = await ServingWorld.start();
  await createIngress(world, 'x');
  await world.rest();
  assert.equal(await readyLine(world, 'x'), WAITING);
  assert.deepEqual(world.gateway?.table.routes, []);
  await createBackend(world, 'backend');
  await world.until('ready', async () => (await readyLine(world, 'x')) === 'Ready True');
});

test('the second to want a host is refused, and served once the first is gone', async () => {
  await using world = await ServingWorld.start();
  await createBackend(world, 'backend');
  await createIngress(world, 'first', { hosts: ['x'] });
  await world.rest();
  await createIngress(world, 'second', { hosts: ['x', 'y'] });
  await world.rest();
  const message = 'Ingress rejected: ingress has a conflicting domain with another ingress';
  assert.deepEqual(await told(world, 'second'), [
    `LoadBalancerReady False DomainConflict: ${message}`,
    'NetworkConfigured Unknown',
    `Ready False DomainConflict: ${message}`,
  ]);
  assert.deepEqual(
    world.gateway?.table.routes.map(({ key }) => key),
    ['default/first'],
  );
  await world.api.client.delete(Ingress, { ...NAMESPACE, name: 'first' });
  await world.until('ready', async () => (await readyLine(world, 'second')) === 'Ready True');
});

test('plain Services: their pods, or their slices, as they come and go', async () => {
  await using world = await ServingWorld.start({ withoutKubelet: true });
  const { client } = world.api;
  await createBackend(world, 'backend');
  await createBackend(world, 'sliced', {});
  await createIngress(world, 'x');
  await createIngress(world, 'y', { backend: 'sliced' });
  const containers = [{ name: 'c', image: 'dev.local/app:1' }];
  const labels = { app: 'backend' };
  await client.create(Pod, typed(Pod, { metadata: { ...NAMESPACE, name: 'p', labels }, spec: { containers } }));
  await world.rest(1_000);
  assert.deepEqual(endpointsOf(world, 'default/backend:80'), []);
  const conditions = [{ type: 'Ready', status: 'True' }];
  const ref = { ...NAMESPACE, name: 'p' };
  const pod = await client.get(Pod, ref);
  await client.updateStatus(Pod, {
    ...pod,
    status: { ...pod.status, podIP: '10.0.0.7', phase: 'Running', conditions },
  });
  await world.until('the pod', () => endpointsOf(world, 'default/backend:80').length === 1);
  const [endpoint] = endpointsOf(world, 'default/backend:80');
  assert.deepEqual([endpoint?.address, endpoint?.port, endpoint?.pod], ['10.0.0.7', 8080, 'default/p']);
  await client.patch(Pod, ref, { type: 'merge', body: { metadata: { labels: { app: 'other' } } } });
  await world.until('no pod', () => endpointsOf(world, 'default/backend:80').length === 0);
  const slice = {
    metadata: { ...NAMESPACE, name: 's', labels: { 'kubernetes.io/service-name': 'sliced' } },
    addressType: 'IPv4' as const,
    endpoints: [{ addresses: ['10.9.9.9'] }],
    ports: [{ name: 'http', port: 7000 }],
  };
  await client.create(EndpointSlice, typed(EndpointSlice, slice));
  await world.until('the slice', () => endpointsOf(world, 'default/sliced:80')[0]?.address === '10.9.9.9');
});

const manifest = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { ...NAMESPACE, name: 'a' },
  spec: { template: { spec: { containers: [{ image: 'dev.local/app:1' }] } } },
} as Service;

async function untilServed(world: ServingWorld): Promise<void> {
  await world.api.client.create(Service, manifest);
  const ref = { ...NAMESPACE, name: 'a' };
  await world.until('ready', async () => isReady(await world.api.client.get(Service, ref)));
}

test('revisions are known by hosts of their own, and known to be served', async () => {
  await using world = await ServingWorld.start({ withoutGateway: true });
  const ref = { ...NAMESPACE, name: 'a-00001' };
  assert.equal(world.ingress.servesRevision(ref), false);
  const gateway = await world.connectGateway();
  await untilServed(world);
  assert.equal(world.ingress.servesRevision(ref), true);
  const routes = gateway.table.routes.find(({ key }) => key === 'revision:default/a-00001');
  assert.deepEqual(routes?.rules[0]?.hosts, [
    'a-00001.default',
    'a-00001.default.svc',
    'a-00001.default.svc.cluster.local',
  ]);
  assert.equal(routes.rules[0]?.visibility, 'local');
  assert.equal(gateway.table.targets.find(({ key }) => key === 'default/a-00001:80')?.revision?.timeoutMs, 300_000);
  await gateway[Symbol.asyncDispose]();
  await world.until('no gateway', () => !world.ingress.servesRevision(ref));
});

test('a domain of the user’s own leads to the gateway again, as the Route it stands for', async () => {
  await using world = await ServingWorld.start({
    config: { 'config-network': { 'autocreate-cluster-domain-claims': 'true' } },
  });
  await untilServed(world);
  const spec = { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'a' } };
  await world.api.client.create(
    DomainMapping,
    typed(DomainMapping, { metadata: { ...NAMESPACE, name: 'x.org' }, spec }),
  );
  const ref = { ...NAMESPACE, name: 'x.org' };
  await world.until('ready', async () => isReady(await world.api.client.get(DomainMapping, ref)));
  const { routes = [], targets = [] } = world.gateway?.table ?? {};
  const path = routes.find(({ key }) => key === 'default/x.org')?.rules[0]?.paths[0];
  assert.equal(path?.rewriteHost, 'a.default.svc.cluster.local');
  assert.deepEqual(path.splits, [
    { target: 'default/a:80', percent: 100, appendHeaders: { 'K-Original-Host': 'x.org' } },
  ]);
  assert.equal(targets.find(({ key }) => key === 'default/a:80')?.reroute, true);
});
