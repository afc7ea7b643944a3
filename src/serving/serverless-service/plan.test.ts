/** The two Services of a revision, and where the public one leads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { Endpoints } from '#kube/kinds/core/endpoints.ts';
import type { EndpointSubset } from '#kube/kinds/core/endpoints-subset.ts';
import { Service } from '#kube/kinds/core/service.ts';
import type { Stored } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { serverlessServiceConditions } from '#knative/conditions.ts';
import { ServerlessService } from '#knative/kinds/serverless-service.ts';
import { planServerlessService, type SksWorld } from '#serving/serverless-service/plan.ts';
import { desiredPrivateService, desiredPublicService } from '#serving/serverless-service/services.ts';
import { draftOf, namesOf, stored, toldBy, writtenBy } from '#testing/knative-objects.ts';

const GATEWAY = [{ ip: '10.1.2.3', port: 8081 }];
const POD: EndpointSubset = {
  addresses: [{ ip: '10.0.0.7' }],
  ports: [
    { name: 'http', port: 8080, protocol: 'TCP' },
    { name: 'metrics', port: 9000, protocol: 'TCP' },
  ],
};

function sksOf(spec: object = {}): Stored<ServerlessService> {
  const objectRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a-1-deployment' };
  const labels = { app: 'a-1' };
  return stored(
    ServerlessService,
    'a-1',
    { spec: { objectRef, mode: 'Serve', protocolType: 'http1', ...spec } },
    { labels },
  );
}

const deployment = stored(Deployment, 'a-1-deployment', {
  spec: { selector: { matchLabels: { u: 'id' } }, template: {} },
});

function endpoints(name: string, subsets: EndpointSubset[], owner?: ServerlessService): Stored<Endpoints> {
  return stored(Endpoints, name, { subsets }, owner ? { ownerReferences: [controllerRefTo(owner)] } : {});
}

function plan(world: Partial<SksWorld> = {}) {
  const sks = world.sks ?? sksOf();
  const draft = draftOf(serverlessServiceConditions, { ...sks.status });
  const result = planServerlessService({ deployment, activators: GATEWAY, ...world, sks }, draft);
  return { ...result, verbs: namesOf(result.steps), told: toldBy(draft.status), status: draft.status };
}

test('a new one makes two Services, and Endpoints that lead to the gateway', () => {
  const { steps, verbs, told, status } = plan();
  assert.deepEqual(verbs, ['create Service a-1-private', 'create Service a-1', 'create Endpoints a-1']);
  assert.deepEqual(writtenBy(steps, Service, 'a-1-private')?.spec, {
    ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 'user-port' }],
    selector: { u: 'id' },
  });
  assert.deepEqual(writtenBy(steps, Service, 'a-1')?.spec, {
    ports: [
      { name: 'http', protocol: 'TCP', port: 80, targetPort: 8012 },
      { name: 'https', protocol: 'TCP', port: 443, targetPort: 8112 },
    ],
  });
  assert.deepEqual(writtenBy(steps, Endpoints, 'a-1')?.metadata.labels, {
    app: 'a-1',
    'networking.internal.knative.dev/serverlessservice': 'a-1',
    'networking.internal.knative.dev/serviceType': 'Public',
  });
  assert.deepEqual(writtenBy(steps, Endpoints, 'a-1')?.subsets, [
    { addresses: [{ ip: '10.1.2.3' }], ports: [{ name: 'http', port: 8081, protocol: 'TCP' }] },
  ]);
  assert.deepEqual(told, [
    'ActivatorEndpointsPopulated True ActivatorEndpointsPopulated: Revision is backed by Activator',
    'EndpointsPopulated Unknown NoHealthyBackends: K8s Service is not ready',
    'Ready Unknown NoHealthyBackends: K8s Service is not ready',
  ]);
  assert.deepEqual([status.serviceName, status.privateServiceName], ['a-1', 'a-1-private']);
});

test('h2c has another port and says so', () => {
  const sks = sksOf({ protocolType: 'h2c' });
  const { steps } = plan({ sks });
  const appProtocol = 'kubernetes.io/h2c';
  assert.deepEqual(writtenBy(steps, Service, 'a-1-private')?.spec.ports, [
    { name: 'http2', protocol: 'TCP', port: 80, targetPort: 'user-port', appProtocol },
  ]);
  assert.deepEqual(writtenBy(steps, Service, 'a-1')?.spec.ports?.[0], {
    name: 'http2',
    protocol: 'TCP',
    port: 81,
    targetPort: 8013,
    appProtocol,
  });
  assert.deepEqual(writtenBy(steps, Endpoints, 'a-1')?.subsets?.[0]?.ports, [
    { name: 'http2', port: 8081, protocol: 'TCP', appProtocol },
  ]);
});

const PODS = endpoints('a-1-private', [POD]);
const NO_PODS = endpoints('a-1-private', [{ notReadyAddresses: [{ ip: '10.0.0.7' }], ports: POD.ports ?? [] }]);
const BACKED = 'ActivatorEndpointsPopulated: Revision is backed by Activator';

const TELLING: readonly [string, Partial<SksWorld>, { populated: string; activator: string }][] = [
  ['no pods', { privateEndpoints: NO_PODS }, { populated: 'Unknown NoHealthyBackends', activator: 'True' }],
  ['pods, serving', { privateEndpoints: PODS }, { populated: 'True', activator: 'False' }],
  [
    'pods, proxied',
    { sks: sksOf({ mode: 'Proxy' }), privateEndpoints: PODS },
    { populated: 'True', activator: 'True' },
  ],
];

for (const [what, world, { populated, activator }] of TELLING) {
  test(`conditions with ${what}`, () => {
    const { told } = plan(world);
    assert.ok(told.includes(`ActivatorEndpointsPopulated ${activator} ${BACKED}`));
    assert.ok(told.some((line) => line.startsWith(`EndpointsPopulated ${populated}`)));
    assert.ok(told.some((line) => line.startsWith(`Ready ${populated}`)));
  });
}

const LEADING: readonly [string, Partial<SksWorld>, string[]][] = [
  ['pods lead through the gateway all the same', { privateEndpoints: PODS }, ['10.1.2.3:8081']],
  [
    'without a gateway they are the pods, at the revision’s port',
    { privateEndpoints: PODS, activators: [] },
    ['10.0.0.7:8080'],
  ],
  ['without either there is nothing', { privateEndpoints: NO_PODS, activators: [] }, []],
  [
    'of several gateways all take part',
    { activators: [...GATEWAY, { ip: '10.1.2.4', port: 8081 }, { ip: '10.1.2.5', port: 9000 }] },
    ['10.1.2.3:8081', '10.1.2.4:8081', '10.1.2.5:9000'],
  ],
];

for (const [what, world, expected] of LEADING) {
  test(`Endpoints: ${what}`, () => {
    const subsets = writtenBy(plan(world).steps, Endpoints, 'a-1')?.subsets ?? [];
    const led = subsets.flatMap(({ addresses = [], ports = [] }) =>
      addresses.flatMap(({ ip }) => ports.map(({ port }) => `${ip}:${port}`)),
    );
    assert.deepEqual(led, expected);
  });
}

test('only as many gateways as asked for', () => {
  const activators = Array.from({ length: 9 }, (_, index) => ({ ip: `10.1.2.${index}`, port: 8081 }));
  const { steps } = plan({ sks: sksOf({ numActivators: 3 }), activators });
  assert.equal(writtenBy(steps, Endpoints, 'a-1')?.subsets?.[0]?.addresses?.length, 3);
});

const mine = sksOf();
const owned = { ownerReferences: [controllerRefTo(mine)] };

/** A Service of the revision as the API server keeps it: with an address, and whatever else it fills in. */
function kept(desired: Service, spec: object = {}): Stored<Service> {
  return stored(
    Service,
    desired.metadata.name ?? '',
    { spec: { clusterIP: '10.43.0.1', sessionAffinity: 'None', ...desired.spec, ...spec } },
    owned,
  );
}

const WORLD = {
  sks: mine,
  privateService: kept(desiredPrivateService(mine, { u: 'id' })),
  publicService: kept(desiredPublicService(mine)),
  publicEndpoints: endpoints(
    'a-1',
    [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ name: 'http', port: 8081, protocol: 'TCP' }] }],
    mine,
  ),
};

test('what is there already is left alone', () => assert.deepEqual(plan(WORLD).verbs, []));

test('ports and selector of others are put right, the address stays', () => {
  const { steps, verbs } = plan({
    ...WORLD,
    privateService: kept(desiredPrivateService(mine, {}), { selector: { x: 'y' }, ports: [] }),
  });
  assert.deepEqual(verbs, ['update Service a-1-private']);
  const spec = writtenBy(steps, Service, 'a-1-private')?.spec;
  assert.deepEqual(spec?.selector, { u: 'id' });
  assert.equal(spec?.clusterIP, '10.43.0.1');
});

test('Endpoints follow the gateway’s address, and are derived', () => {
  const { steps, verbs } = plan({ ...WORLD, activators: [{ ip: '10.1.2.9', port: 8081 }] });
  assert.deepEqual(verbs, ['update Endpoints a-1']);
  assert.equal(steps[0]?.as, 'derived');
});

for (const [what, world] of [
  ['Service', { privateService: stored(Service, 'a-1-private', { spec: {} }) }],
  ['Service', { publicService: stored(Service, 'a-1', { spec: {} }) }],
  ['Endpoints', { publicEndpoints: endpoints('a-1', []) }],
] as const) {
  test(`somebody else’s ${what} stops it: ${Object.keys(world).join('')}`, () => {
    const { verbs, failure, told } = plan(world);
    const name = what === 'Service' && 'privateService' in world ? 'a-1-private' : 'a-1';
    assert.deepEqual(verbs, []);
    assert.equal(failure?.message, `SKS: a-1 does not own ${what}: ${name}`);
    const line = `EndpointsPopulated False NotOwned: Resource ${name} of type ${what} is not owned by SKS`;
    assert.ok(told.includes(line), told.join('; '));
  });
}

test('without the Deployment it is tried again, for it knows the pods', () => {
  const { verbs, failure } = plan({ deployment: undefined });
  assert.deepEqual(verbs, []);
  assert.match(failure?.message ?? '', /deployments\.apps "a-1-deployment" not found/);
});
