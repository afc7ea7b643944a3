/** What a Route makes of its world, beyond what traffic, hosts and rollout are tested for alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Service } from '#kube/kinds/core/service.ts';
import type { Stored } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { routeConditions } from '#knative/conditions.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import type { TrafficTarget } from '#knative/kinds/traffic-target.ts';
import { planRoute, type RouteWorld } from '#serving/route/plan.ts';
import {
  type ConfigMaps,
  configOf,
  configuration,
  draftOf,
  namesOf,
  ready,
  revision,
  route,
  type Shape,
  stored,
  toldBy,
  writtenBy,
} from '#testing/knative-objects.ts';

const LATEST: TrafficTarget = { configurationName: 'a', latestRevision: true, percent: 100 };
const TAGGED: TrafficTarget[] = [LATEST, { revisionName: 'a-1', latestRevision: false, percent: 0, tag: 'old' }];

interface World {
  readonly traffic?: TrafficTarget[];
  readonly route?: Shape;
  readonly config?: ConfigMaps;
  readonly ingress?: Stored<Ingress>;
  readonly services?: Stored<Service>[];
}

function plan(shape: World = {}) {
  const { services = [], ingress, config = {} } = shape;
  const object = route('a', shape.traffic ?? [LATEST], shape.route);
  const world: RouteWorld = {
    route: object,
    ingress,
    configuration: (name) =>
      configuration(name, { status: { latestReadyRevisionName: 'a-2', conditions: [ready('True')] } }),
    revision: (name) => revision(name, { meta: { labels: { 'serving.knative.dev/configuration': 'a' } } }),
    service: (name) => services.find(({ metadata }) => metadata.name === name),
    endpoints: () => undefined,
    placeholders: services.filter(({ metadata }) => metadata.labels?.['serving.knative.dev/route'] === 'a'),
  };
  const draft = draftOf(routeConditions, { ...object.status });
  const result = planRoute(world, draft, {
    settings: { ...configOf(config), clusterDomain: 'cluster.local' },
    nowMs: 0,
  });
  return { ...result, status: draft.status, told: toldBy(draft.status) };
}

const owner = route('a', []);
const BALANCER = { ingress: [{ domainInternal: 'kourier-internal.kourier-system.svc.cluster.local' }] };

function placeholder(name: string, labels: Record<string, string> = {}): Stored<Service> {
  const port = { name: 'http2', appProtocol: 'kubernetes.io/h2c', port: 80, protocol: 'TCP', targetPort: 80 };
  const externalName = BALANCER.ingress[0]?.domainInternal;
  const spec = { type: 'ExternalName', externalName, sessionAffinity: 'None', ports: [port] };
  const all = { 'serving.knative.dev/route': 'a', ...labels };
  return stored(Service, name, { spec }, { labels: all, ownerReferences: [controllerRefTo(owner)] });
}

/** The Ingress that the plan makes, as it is once a gateway serves it. */
function servedIngress(shape: World = {}): Stored<Ingress> {
  const { spec, metadata } = writtenBy(plan(shape).steps, Ingress, 'a') ?? assert.fail('no Ingress');
  const status = { observedGeneration: 1, conditions: [ready('True')], privateLoadBalancer: BALANCER };
  return stored(Ingress, 'a', { spec, status }, { ...metadata });
}

test('a new Route gets its placeholder, at the public host for now, and its Ingress', () => {
  const { steps, told } = plan();
  assert.deepEqual(namesOf(steps), ['create Service a', 'create Ingress a']);
  assert.equal(writtenBy(steps, Service, 'a')?.spec.externalName, 'a.default.example.com');
  assert.deepEqual(told, [
    'AllTrafficAssigned True',
    'CertificateProvisioned True TLSNotEnabled: external-domain-tls is not enabled',
    'IngressReady Unknown IngressNotConfigured: Ingress has not yet been reconciled.',
    'Ready Unknown IngressNotConfigured: Ingress has not yet been reconciled.',
  ]);
});

test('a served Ingress makes the Route ready, and nothing is left to do', () => {
  const { steps, told, status } = plan({ ingress: servedIngress(), services: [placeholder('a')] });
  assert.deepEqual(namesOf(steps), []);
  assert.equal(told.at(-1), 'Ready True');
  assert.equal(status.url, 'http://a.default.example.com');
  assert.equal(status.address?.url, 'http://a.default.svc.cluster.local');
});

test('an Ingress that has yet to change makes nobody ready, whatever its status says', () => {
  const { steps, told } = plan({ traffic: TAGGED, ingress: servedIngress(), services: [placeholder('a')] });
  assert.deepEqual(namesOf(steps), ['create Service old-a', 'update Ingress a']);
  assert.match(told.at(-1) ?? '', /Ready Unknown IngressNotConfigured/);
});

test('a placeholder of a tag that is gone goes', () => {
  const { steps } = plan({ ingress: servedIngress(), services: [placeholder('a'), placeholder('old-a')] });
  assert.deepEqual(namesOf(steps), ['delete Service old-a']);
});

test('a Service of somebody else’s under the Route’s name stops it', () => {
  const foreign = stored(Service, 'a', { spec: { ports: [{ port: 80 }] } });
  const { steps, told, failure } = plan({ services: [foreign] });
  assert.deepEqual(namesOf(steps), []);
  assert.equal(failure?.message, 'route: "a" does not own Service: "a"');
  assert.ok(
    told.includes('IngressReady False NotOwned: There is an existing placeholder Service "a" that we do not own.'),
  );
});

test('a placeholder with the visibility label makes its tag private, and only that', () => {
  const services = [placeholder('a'), placeholder('old-a', { 'networking.knative.dev/visibility': 'cluster-local' })];
  const { steps, status } = plan({ traffic: TAGGED, services });
  const rules = writtenBy(steps, Ingress, 'a')?.spec.rules ?? [];
  assert.deepEqual(
    rules.map(({ visibility, hosts = [] }) => `${visibility} ${hosts.at(-1)}`),
    [
      'ClusterLocal a.default.svc.cluster.local',
      'ExternalIP a.default.example.com',
      'ClusterLocal old-a.default.svc.cluster.local',
    ],
  );
  assert.equal(status.traffic?.[1]?.url, 'http://old-a.default.svc.cluster.local');
});

test('a private Route has no host outside, and its placeholder does not carry the label on', () => {
  const labels = { 'networking.knative.dev/visibility': 'cluster-local', x: 'y' };
  const { steps, status } = plan({ route: { meta: { labels } } });
  assert.equal(writtenBy(steps, Ingress, 'a')?.spec.rules?.length, 1);
  assert.deepEqual(writtenBy(steps, Service, 'a')?.metadata.labels, { x: 'y', 'serving.knative.dev/route': 'a' });
  assert.equal(status.url, 'http://a.default.svc.cluster.local');
});

test('with header-based routing tags come first in the Route’s own rule, and every path says how it was found', () => {
  const config = { 'config-features': { 'tag-header-based-routing': 'enabled' } };
  const { steps } = plan({ traffic: TAGGED, config });
  const ingress = writtenBy(steps, Ingress, 'a');
  const [own, , tagged] = ingress?.spec.rules ?? [];
  assert.deepEqual(
    own?.http?.paths.map(({ headers, appendHeaders, splits }) => [
      headers,
      appendHeaders,
      splits.map((one) => one.serviceName),
    ]),
    [
      [{ 'Knative-Serving-Tag': { exact: 'old' } }, undefined, ['a-1']],
      [undefined, { 'Knative-Serving-Default-Route': 'true' }, ['a-2']],
    ],
  );
  assert.deepEqual(tagged?.http?.paths[0]?.appendHeaders, { 'Knative-Serving-Tag': 'old' });
  assert.equal(
    ingress?.metadata.annotations?.['networking.internal.knative.dev/tag-to-host'],
    '{"old":["old-a.default.svc.cluster.local","old-a.default.example.com"]}',
  );
});

const annotated = (annotations: Record<string, string>) => ({ route: { meta: { annotations } } });

test('what an Ingress takes over from its Route, and under which names', () => {
  const kubectl = 'kubectl.kubernetes.io/last-applied-configuration';
  const { steps } = plan(annotated({ x: 'y', [kubectl]: '{}', 'networking.knative.dev/ingress-class': 'other' }));
  const annotations = { ...writtenBy(steps, Ingress, 'a')?.metadata.annotations };
  delete annotations['networking.internal.knative.dev/rollout'];
  assert.deepEqual(annotations, { x: 'y', 'networking.knative.dev/ingress.class': 'other' });
});

const options: [why: string, shape: World, expected: string | undefined][] = [
  ['by default', {}, 'Enabled'],
  ['by config-network', { config: { 'config-network': { 'http-protocol': 'Redirected' } } }, 'Redirected'],
  ['disabled', { config: { 'config-network': { 'http-protocol': 'Disabled' } } }, undefined],
  ['by annotation', annotated({ 'networking.knative.dev/http-protocol': 'redirected' }), 'Redirected'],
  ['by its older name', annotated({ 'networking.knative.dev/httpOption': 'Redirected' }), 'Redirected'],
];

for (const [why, shape, expected] of options) {
  test(`plain HTTP ${why}`, () => assert.equal(writtenBy(plan(shape).steps, Ingress, 'a')?.spec.httpOption, expected));
}

test('an annotation that says nothing known about plain HTTP fails the reconcile', () => {
  const shape = annotated({ 'networking.knative.dev/http-protocol': 'maybe' });
  assert.throws(() => plan(shape), { message: 'incorrect http-protocol annotation: maybe' });
});

test('a domain that is no host is an error of the configuration', () => {
  const { told, failure } = plan({ config: { 'config-network': { 'domain-template': '{{.Name}}' } } });
  assert.match(told[0] ?? '', /^AllTrafficAssigned False ErrorConfig: domain name error: invalid domain name "a"/);
  assert.ok(failure);
});

const balancers: [why: string, status: object, expected: object][] = [
  [
    'a private one before the public',
    { publicLoadBalancer: { ingress: [{ domain: 'x' }] }, privateLoadBalancer: BALANCER },
    { type: 'ExternalName', externalName: 'kourier-internal.kourier-system.svc.cluster.local' },
  ],
  [
    'the public one when it is alone',
    { publicLoadBalancer: { ingress: [{ domain: 'x.example' }] } },
    { type: 'ExternalName', externalName: 'x.example' },
  ],
  [
    'an address before a name',
    { publicLoadBalancer: { ingress: [{ ip: '192.0.2.1', domainInternal: 'x' }] } },
    { type: 'ClusterIP', clusterIP: 'None' },
  ],
  ['a mesh', { publicLoadBalancer: { ingress: [{ meshOnly: true }] } }, { type: 'ClusterIP', clusterIP: undefined }],
  [
    'more than one way is none',
    { publicLoadBalancer: { ingress: [{ domain: 'x' }, { domain: 'y' }] } },
    { type: 'ExternalName', externalName: 'a.default.example.com' },
  ],
];

for (const [why, status, expected] of balancers) {
  test(`the placeholder leads to ${why}`, () => {
    const ingress = stored(Ingress, 'a', {
      spec: {},
      status: { observedGeneration: 1, conditions: [ready('True')], ...status },
    });
    const { type, externalName, clusterIP } = writtenBy(plan({ ingress }).steps, Service, 'a')?.spec ?? {};
    assert.deepEqual({ type, externalName, clusterIP }, { externalName: undefined, clusterIP: undefined, ...expected });
  });
}
