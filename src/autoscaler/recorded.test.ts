/** What Knative Serving 1.17 was recorded to write, by the names of the cases in `test/oracle/serving`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REF, World, type WorldOptions } from '#autoscaler/fixtures/world.ts';
import { Metric } from '#knative/kinds/metric.ts';

const NO_TRAFFIC = { reason: 'NoTraffic', message: 'The target is not receiving traffic.' };
const QUEUED = {
  reason: 'Queued',
  message: 'Requests to the target are being buffered as resources are provisioned.',
};
const OBJECT_REF = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a-00001-deployment' };
const NAMES = { metricsServiceName: 'a-00001-private', serviceName: 'a-00001', observedGeneration: 1 };
const SHORT = { 'stable-window': '6s', 'scale-to-zero-grace-period': '4s', 'allow-zero-initial-scale': 'true' };

interface Recorded {
  readonly name: string;
  readonly options: WorldOptions;
  readonly play: (world: World) => Promise<void>;
  readonly podAutoscaler: object;
  readonly services?: object;
  readonly metric?: object;
}

const atZero = (scales: object) => ({
  ...NAMES,
  ...scales,
  conditions: [
    { type: 'Active', status: 'False', ...NO_TRAFFIC },
    { type: 'Ready', status: 'False', ...NO_TRAFFIC },
    { type: 'SKSReady', status: 'Unknown', reason: 'NotReady', message: 'K8s Service is not ready' },
    { type: 'ScaleTargetInitialized', status: 'True' },
  ],
});
const running = (scale: number) => ({
  ...NAMES,
  actualScale: scale,
  desiredScale: scale,
  conditions: ['Active', 'Ready', 'SKSReady', 'ScaleTargetInitialized'].map((type) => ({ type, status: 'True' })),
});
const proxied = (numActivators: number) => {
  return { mode: 'Proxy', numActivators, objectRef: OBJECT_REF, protocolType: 'http1' };
};
const SHORT_METRIC = { panicWindow: 1e9, scrapeTarget: 'a-00001-private', stableWindow: 6e9 };

const cases: Recorded[] = [
  {
    name: 'life-create',
    options: {},
    async play(world) {
      await world.pods(1);
      await world.seconds(10);
    },
    podAutoscaler: running(1),
    services: proxied(4),
    metric: { panicWindow: 6e9, scrapeTarget: 'a-00001-private', stableWindow: 60e9 },
  },
  {
    name: 'life-min-scale',
    options: { annotations: { 'min-scale': '2' } },
    async play(world) {
      await world.pods(1);
      await world.podsAsWanted();
      await world.seconds(10);
    },
    podAutoscaler: running(2),
    services: proxied(5),
  },
  {
    name: 'life-initial-scale',
    options: { annotations: { 'initial-scale': '3', 'min-scale': '3' }, replicas: 3 },
    async play(world) {
      await world.pods(3);
      await world.seconds(10);
    },
    podAutoscaler: running(3),
  },
  {
    name: 'zero-after-idle',
    options: { config: SHORT },
    async play(world) {
      await world.pods(1);
      await world.seconds(20);
      await world.podsAsWanted();
      await world.seconds(10);
    },
    podAutoscaler: atZero({ actualScale: 0, desiredScale: 0 }),
    services: proxied(3),
    metric: SHORT_METRIC,
  },
  {
    name: 'zero-initial-scale-0',
    options: { config: SHORT, annotations: { 'initial-scale': '0' }, replicas: 0 },
    play: (world) => world.seconds(10),
    podAutoscaler: atZero({ actualScale: 0, desiredScale: -1 }),
    services: proxied(3),
    metric: SHORT_METRIC,
  },
  {
    name: 'life-revision-standalone',
    options: { edit: ({ metadata }) => delete metadata.labels?.['serving.knative.dev/configuration'] },
    async play(world) {
      await world.pods(1);
      await world.seconds(10);
    },
    podAutoscaler: {
      ...NAMES,
      serviceName: '',
      actualScale: 0,
      desiredScale: -1,
      conditions: [
        { type: 'Active', status: 'Unknown', ...QUEUED },
        { type: 'Ready', status: 'Unknown', ...QUEUED },
        { type: 'SKSReady', status: 'Unknown', reason: 'NotReady', message: 'No Private Service Name' },
        { type: 'ScaleTargetInitialized', status: 'Unknown' },
      ],
    },
    services: proxied(2),
  },
];

for (const { name, options, play, podAutoscaler, services, metric } of cases) {
  test(name, async () => {
    await using world = await World.start(options);
    await play(world);
    const { status } = await world.podAutoscaler();
    const conditions = status?.conditions?.map(({ lastTransitionTime: _, ...condition }) => condition);
    assert.deepEqual({ ...status, conditions }, podAutoscaler);
    if (services) assert.deepEqual((await world.services()).spec, services);
    if (metric) assert.deepEqual((await world.api.client.get(Metric, REF)).spec, metric);
  });
}
