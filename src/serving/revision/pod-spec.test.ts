/** The pod of a Revision as its program sees it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container } from '#knative/kinds/revision-spec.ts';
import { desiredPodSpec } from '#serving/revision/pod-spec.ts';
import { protocolOf, userPortOf } from '#serving/revision/protocol.ts';
import { configOf, type ConfigMaps, revision, type Shape } from '#testing/knative-objects.ts';

const LABELS = { 'serving.knative.dev/service': 'a', 'serving.knative.dev/configuration': 'c' };
const ONE: Container = { name: 'user-container', image: 'dev.local/a:1', resources: {} };

function podOf({ meta, ...shape }: Shape = {}, maps: ConfigMaps = {}) {
  return desiredPodSpec(revision('a-1', { ...shape, meta: { labels: LABELS, ...meta } }), configOf(maps));
}

function containerOf(container: Partial<Container>, maps: ConfigMaps = {}) {
  return podOf({ spec: { containers: [{ ...ONE, ...container }] } }, maps).containers[0];
}

const NO_SPREAD = { 'config-deployment': { 'default-affinity-type': 'none' } };

test('a plain container: port, environment and last words', () => {
  assert.deepEqual(podOf({ spec: { containers: [ONE], timeoutSeconds: 300, containerConcurrency: 5 } }, NO_SPREAD), {
    affinity: undefined,
    containers: [
      {
        name: 'user-container',
        image: 'dev.local/a:1',
        resources: {},
        env: [
          { name: 'PORT', value: '8080' },
          { name: 'K_REVISION', value: 'a-1' },
          { name: 'K_CONFIGURATION', value: 'c' },
          { name: 'K_SERVICE', value: 'a' },
        ],
        ports: [{ name: 'user-port', containerPort: 8080, protocol: 'TCP' }],
        terminationMessagePolicy: 'FallbackToLogsOnError',
        readinessProbe: undefined,
        startupProbe: undefined,
        livenessProbe: undefined,
      },
    ],
    enableServiceLinks: false,
    initContainers: undefined,
    runtimeClassName: undefined,
    terminationGracePeriodSeconds: 300,
  });
});

test('the user’s environment comes first', () => {
  const env = containerOf({ env: [{ name: 'K_SERVICE', value: 'x' }] })?.env ?? [];
  assert.deepEqual(
    env.map(({ name }) => name),
    ['K_SERVICE', 'PORT', 'K_REVISION', 'K_CONFIGURATION', 'K_SERVICE'],
  );
});

test('K_SERVICE is empty for a Configuration that stands alone', () => {
  const env = podOf({ meta: { labels: { 'serving.knative.dev/configuration': 'c' } } }).containers[0]?.env;
  assert.deepEqual(env?.at(-1), { name: 'K_SERVICE', value: '' });
});

test('images are the digests that were looked up, as far as there are any', () => {
  const sidecar = { name: 'b', image: 'dev.local/b', resources: {} };
  const pod = podOf({
    spec: { containers: [{ ...ONE, ports: [{ containerPort: 1 }] }, sidecar], initContainers: [{ ...ONE, name: 'i' }] },
    status: {
      containerStatuses: [{ name: 'user-container', imageDigest: 'dev.local/a@sha256:1' }, { name: 'b' }],
      initContainerStatuses: [{ name: 'i', imageDigest: 'dev.local/i@sha256:2' }],
    },
  });
  assert.deepEqual(
    [...pod.containers, ...(pod.initContainers ?? [])].map(({ image }) => image),
    ['dev.local/a@sha256:1', 'dev.local/b', 'dev.local/i@sha256:2'],
  );
});

test('of several containers the one with a port gets the requests', () => {
  const serving = { ...ONE, name: 's', ports: [{ name: 'h2c', containerPort: 9000 }] };
  const spec = { containers: [{ ...ONE, name: 'side' }, serving] };
  const [side, main] = podOf({ spec }).containers;
  assert.deepEqual(
    side?.env?.map(({ name }) => name),
    ['K_REVISION', 'K_CONFIGURATION', 'K_SERVICE'],
  );
  assert.equal(side?.ports, undefined);
  assert.deepEqual(main?.env?.[0], { name: 'PORT', value: '9000' });
  assert.deepEqual(main?.ports, [{ name: 'user-port', containerPort: 9000, protocol: 'TCP' }]);
  const object = revision('a-1', { spec });
  assert.deepEqual([protocolOf(object), userPortOf(object)], ['h2c', 9000]);
});

const MULTI = { 'config-features': { 'multi-container-probing': 'enabled' } };
/** As users may leave out what the type wants: no port is the same as port 0. */
const READINESS: readonly [string, object, object][] = [
  ['http without a port', { httpGet: { path: '/' } }, { httpGet: { path: '/', port: 8080 } }],
  ['http on port 0', { httpGet: { port: 0 } }, { httpGet: { port: 8080 } }],
  ['http on the port’s old name', { httpGet: { port: 'http1' } }, { httpGet: { port: 8080 } }],
  ['http on a port of the user’s', { httpGet: { port: 9 } }, { httpGet: { port: 9 } }],
  ['tcp without a port', { tcpSocket: {} }, { tcpSocket: { port: 8080 } }],
  ['grpc without a port', { grpc: { service: 'x' } }, { grpc: { service: 'x', port: 8080 } }],
  ['a command', { exec: { command: ['true'] } }, { exec: { command: ['true'] } }],
];

for (const [what, readinessProbe, expected] of READINESS) {
  test(`readiness probe, ${what}, stays on the container`, () => {
    assert.deepEqual(containerOf({ readinessProbe })?.readinessProbe, expected);
  });
}

const LIVENESS: readonly [string, ConfigMaps, number][] = [
  ['leads to the container’s own port', {}, 8080],
  ['leads where the user says once several containers may be probed', MULTI, 9],
];

for (const [what, maps, port] of LIVENESS) {
  test(`liveness probe ${what}`, () => {
    const { livenessProbe } = containerOf({ livenessProbe: { httpGet: { port: 9 } } }, maps) ?? {};
    assert.deepEqual(livenessProbe, { httpGet: { port } });
  });
}

test('pods of a Revision spread over nodes unless the cluster or the user wants it otherwise', () => {
  const podAffinityTerm = {
    topologyKey: 'kubernetes.io/hostname',
    labelSelector: { matchLabels: { 'serving.knative.dev/revision': 'a-1' } },
  };
  const spread = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] };
  assert.deepEqual(podOf({}).affinity, { podAntiAffinity: spread });
  const affinity = { nodeAffinity: {} };
  assert.deepEqual(podOf({ spec: { containers: [ONE], affinity } }).affinity, affinity);
});

test('a runtime class by labels', () => {
  const classes = 'kata: {selector: {team: x}}\ngvisor: {}';
  const maps = { 'config-deployment': { 'runtime-class-name': classes } };
  assert.equal(podOf({}, maps).runtimeClassName, 'gvisor');
  assert.equal(podOf({ meta: { labels: { team: 'x' } } }, maps).runtimeClassName, 'kata');
});

test('logs in files are collected from a folder per container', () => {
  const pod = podOf({}, { 'config-observability': { 'logging.enable-var-log-collection': 'true' } });
  assert.deepEqual(pod.volumes, [{ name: 'knative-var-log', emptyDir: {} }]);
  assert.deepEqual(pod.containers[0]?.volumeMounts, [
    {
      name: 'knative-var-log',
      mountPath: '/var/log',
      subPathExpr: '$(K_INTERNAL_POD_NAMESPACE)_$(K_INTERNAL_POD_NAME)_user-container',
    },
  ]);
  assert.equal(pod.containers[0]?.env?.at(-1)?.valueFrom?.fieldRef?.fieldPath, 'metadata.namespace');
});
