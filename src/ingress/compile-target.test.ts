/** One row per kind of thing that may stand behind a Service's port. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { EndpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import type { ObjectMeta, Stored } from '#kube/object.ts';
import { compileTarget, type TargetWorld } from '#ingress/compile-target.ts';
import type { Target } from '#protocol/routing.ts';
import { ready, revision, type Shape, stored } from '#testing/knative-objects.ts';

const PORT = { name: 'http', protocol: 'TCP', port: 80 };

function service(name: string, spec: object, labels: Record<string, string> = {}): Stored<Service> {
  return stored(Service, name, { spec: { ports: [PORT], ...spec } }, { labels });
}

function pod(name: string, status: object = {}, { meta, spec }: Shape = {}): Stored<Pod> {
  const containers = [{ name: 'c', ports: [{ name: 'user-port', containerPort: 8080 }] }];
  return stored(
    Pod,
    name,
    {
      spec: { containers, ...spec },
      status: { podIP: '10.0.0.1', phase: 'Running', conditions: [ready('True')], ...status },
    },
    { uid: name, labels: { app: 'a' }, ...meta },
  );
}

interface World {
  readonly services: Stored<Service>[];
  readonly pods?: Stored<Pod>[];
  readonly slices?: EndpointSlice[];
  readonly revisions?: ReturnType<typeof revision>[];
}

function worldOf({ services, pods = [], slices = [], revisions = [] }: World): TargetWorld {
  const named = <T extends { metadata: ObjectMeta }>(all: readonly T[], name: string) =>
    all.find(({ metadata }) => metadata.name === name);
  return {
    service: (_, name) => named(services, name),
    revision: (_, name) => named(revisions, name),
    pod: (key) => pods.find(({ metadata }) => `default/${metadata.name}` === key),
    pods: (_, selector) =>
      pods.filter(({ metadata }) => Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value)),
    slices: () => slices,
    isGateway: (host) => host === 'kourier-internal.kourier-system.svc.cluster.local',
  };
}

function compile(world: World, { name = 'a', port = 80 } = {}) {
  const { target, dependencies } = compileTarget({ namespace: 'default', service: name, port }, worldOf(world));
  return { ...target, dependencies: [...dependencies].sort() };
}

const SELECTING = { selector: { app: 'a' } };
const ENDPOINT = { id: 'p', pod: 'default/p', address: '10.0.0.1', port: 80, state: 'ready' };

interface PodRow {
  readonly what: string;
  readonly pods: Stored<Pod>[];
  readonly service?: object;
  readonly expected: object[];
}

const ENDING = { deletionTimestamp: '2026-01-01T00:00:00Z' };
const byName = { ports: [{ ...PORT, targetPort: 'user-port' }], ...SELECTING };

const PODS: readonly PodRow[] = [
  { what: 'ready', pods: [pod('p')], expected: [ENDPOINT] },
  { what: 'not ready', pods: [pod('p', { conditions: [ready('False')] })], expected: [] },
  { what: 'without a word of being ready', pods: [pod('p', { conditions: [] })], expected: [] },
  { what: 'without an address', pods: [pod('p', { podIP: undefined })], expected: [] },
  { what: 'ended', pods: [pod('p', { phase: 'Succeeded' }), pod('q', { phase: 'Failed' })], expected: [] },
  { what: 'of others', pods: [pod('p', {}, { meta: { labels: { app: 'b' } } })], expected: [] },
  { what: 'ending', pods: [pod('p', {}, { meta: ENDING })], expected: [{ ...ENDPOINT, state: 'draining' }] },
  {
    what: 'ending and no longer ready: what it still answers must be waited for',
    pods: [pod('p', { conditions: [ready('False')] }, { meta: ENDING })],
    expected: [{ ...ENDPOINT, state: 'draining' }],
  },
  {
    what: 'not ready, of a Service that does not mind',
    pods: [pod('p', { conditions: [] })],
    service: { ...SELECTING, publishNotReadyAddresses: true },
    expected: [ENDPOINT],
  },
  {
    what: 'in order of their identity',
    pods: [pod('q'), pod('p')],
    expected: [ENDPOINT, { ...ENDPOINT, id: 'q', pod: 'default/q' }],
  },
  { what: 'at a port by name', pods: [pod('p')], service: byName, expected: [{ ...ENDPOINT, port: 8080 }] },
  {
    what: 'at a port by number',
    pods: [pod('p')],
    service: { ports: [{ ...PORT, targetPort: 9000 }], ...SELECTING },
    expected: [{ ...ENDPOINT, port: 9000 }],
  },
  {
    what: 'without the port that is named',
    pods: [pod('p', {}, { spec: { containers: [{ name: 'c' }] } })],
    service: byName,
    expected: [],
  },
  {
    what: 'that listens on its loopback only',
    pods: [pod('p', {}, { meta: { annotations: { 'pinnace.dev/loopback-netns': '/run/netns/1' } } })],
    expected: [{ ...ENDPOINT, loopbackNetns: '/run/netns/1' }],
  },
  {
    what: 'that says when it started',
    pods: [pod('p', {}, { meta: { annotations: { 'pinnace.dev/start-marks': '{"created":1}' } } })],
    expected: [{ ...ENDPOINT, started: { created: 1 } }],
  },
  {
    what: 'that says nothing sensible of its start',
    pods: [pod('p', {}, { meta: { annotations: { 'pinnace.dev/start-marks': '{' } } })],
    expected: [ENDPOINT],
  },
];

for (const { what, pods, service: spec = SELECTING, expected } of PODS) {
  test(`pods ${what}`, () => {
    assert.deepEqual(compile({ services: [service('a', spec)], pods }).endpoints, expected);
  });
}

test('a Service that does not exist has no endpoints, and is waited for', () => {
  assert.deepEqual(compile({ services: [] }), {
    key: 'default/a:80',
    protocol: 'http1',
    endpoints: [],
    dependencies: ['service default/a'],
  });
});

test('a port that the Service has not leads nowhere', () => {
  assert.deepEqual(compile({ services: [service('a', SELECTING)], pods: [pod('p')] }, { port: 81 }).endpoints, []);
});

const PROTOCOLS: readonly [string, object, Target['protocol']][] = [
  ['http', {}, 'http1'],
  ['http2', { name: 'http2' }, 'h2c'],
  ['h2c', { name: 'h2c' }, 'h2c'],
  ['another name, said aside', { name: 'x', appProtocol: 'kubernetes.io/h2c' }, 'h2c'],
];

for (const [what, port, protocol] of PROTOCOLS) {
  test(`protocol of a port ${what}`, () => {
    assert.equal(compile({ services: [service('a', { ports: [{ ...PORT, ...port }] })] }).protocol, protocol);
  });
}

const UID_LABEL = 'serving.knative.dev/revisionUID';
const SKS = 'networking.internal.knative.dev/serverlessservice';
const TYPE = 'networking.internal.knative.dev/serviceType';
const LABELS = { 'serving.knative.dev/revision': 'a-1', [SKS]: 'a-1' };
const PUBLIC = service('a-1', { ports: [PORT] }, { ...LABELS, [TYPE]: 'Public' });
const PRIVATE = service(
  'a-1-private',
  { ports: [{ ...PORT, targetPort: 'user-port' }], selector: { [UID_LABEL]: 'u' } },
  { ...LABELS, [TYPE]: 'Private' },
);
const OWNED = { 'serving.knative.dev/configuration': 'a', 'serving.knative.dev/service': 's' };

function revisionTarget(spec: object = {}) {
  return compile(
    {
      services: [PUBLIC, PRIVATE],
      pods: [pod('p', {}, { meta: { labels: { [UID_LABEL]: 'u' } } })],
      revisions: [revision('a-1', { meta: { labels: OWNED }, spec })],
    },
    { name: 'a-1' },
  );
}

test('a revision: the pods of its private Service, with its limits', () => {
  const limits = {
    containerConcurrency: 7,
    timeoutSeconds: 10,
    responseStartTimeoutSeconds: 5,
    idleTimeoutSeconds: 3,
  };
  assert.deepEqual(revisionTarget(limits), {
    key: 'default/a-1:80',
    protocol: 'http1',
    revision: {
      namespace: 'default',
      name: 'a-1',
      uid: 'uid-of-Revision-a-1',
      configuration: 'a',
      service: 's',
      containerConcurrency: 7,
      timeoutMs: 10_000,
      responseStartTimeoutMs: 5_000,
      idleTimeoutMs: 3_000,
      queueLimit: 10_000,
    },
    endpoints: [{ ...ENDPOINT, port: 8080 }],
    dependencies: [
      'pods default serving.knative.dev/revisionUID=u',
      'revision default/a-1',
      'service default/a-1',
      'service default/a-1-private',
    ],
  });
});

test('a revision that says nothing has Knative’s limits', () => {
  const { containerConcurrency, timeoutMs, responseStartTimeoutMs, idleTimeoutMs } = revisionTarget().revision ?? {};
  assert.deepEqual([containerConcurrency, timeoutMs, responseStartTimeoutMs, idleTimeoutMs], [0, 300_000, 0, 0]);
});

test('a revision without pods, without its private Service, or gone', () => {
  const at = (services: Stored<Service>[]) => compile({ services, revisions: [revision('a-1')] }, { name: 'a-1' });
  assert.deepEqual(at([PUBLIC, PRIVATE]).endpoints, []);
  assert.deepEqual(at([PUBLIC]).endpoints, []);
  assert.equal(compile({ services: [PUBLIC, PRIVATE] }, { name: 'a-1' }).revision, undefined);
});

test('the private Service itself has no limits', () => {
  assert.equal(
    compile({ services: [PRIVATE], revisions: [revision('a-1')] }, { name: 'a-1-private' }).revision,
    undefined,
  );
});

const external = (externalName: string, labels: Record<string, string> = {}) =>
  service('a', { type: 'ExternalName', externalName }, labels);

const EXTERNAL: readonly [string, Stored<Service>, object][] = [
  [
    'the gateway itself',
    external('kourier-internal.kourier-system.svc.cluster.local'),
    { endpoints: [], reroute: true },
  ],
  [
    'the placeholder of a Route that is not served yet',
    external('a.default.example.com', { 'serving.knative.dev/route': 'a' }),
    { endpoints: [], reroute: true },
  ],
  [
    'somewhere else',
    external('example.org'),
    { endpoints: [{ id: 'name:example.org', pod: '', address: 'example.org', port: 80, state: 'ready' }] },
  ],
];

for (const [what, object, expected] of EXTERNAL) {
  test(`an ExternalName of ${what}`, () => {
    assert.deepEqual(compile({ services: [object] }), {
      key: 'default/a:80',
      protocol: 'http1',
      dependencies: ['service default/a'],
      ...expected,
    });
  });
}

const targetRef = { kind: 'Pod', namespace: 'default', name: 'p', uid: 'p' };

function slice(endpoints: object[], ports: object[] = [{ name: 'http', port: 8080 }]): EndpointSlice {
  return stored(EndpointSlice, 'a-xyz', { addressType: 'IPv4', endpoints, ports });
}

const READY = { addresses: ['10.0.0.1'], conditions: { ready: true }, targetRef };
const SLICED = { ...ENDPOINT, port: 8080 };
const SLICES: readonly [string, EndpointSlice, object[]][] = [
  ['ready', slice([READY]), [SLICED]],
  ['that say nothing', slice([{ ...READY, conditions: {} }]), [SLICED]],
  ['not ready', slice([{ ...READY, conditions: { ready: false } }]), []],
  [
    'ending and still serving',
    slice([{ ...READY, conditions: { ready: false, serving: true, terminating: true } }]),
    [{ ...SLICED, state: 'draining' }],
  ],
  ['ending', slice([{ ...READY, conditions: { ready: false, serving: false, terminating: true } }]), []],
  [
    'of no pod',
    slice([{ addresses: ['10.9.9.9'] }]),
    [{ id: 'default/a-xyz 10.9.9.9', pod: '', address: '10.9.9.9', port: 8080, state: 'ready' }],
  ],
  ['of another port', slice([READY], [{ name: 'other', port: 1 }]), []],
];

for (const [what, object, expected] of SLICES) {
  test(`slices of a Service without selector, ${what}`, () => {
    const { endpoints, dependencies } = compile({ services: [service('a', {})], slices: [object] });
    assert.deepEqual(endpoints, expected);
    assert.deepEqual(dependencies, ['service default/a', 'slices default/a']);
  });
}
