import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { horizontalPodAutoscalerFor, isSameSpec } from '#autoscaler/hpa.ts';
import { resolveSettings } from '#autoscaler/settings.ts';
import { podAutoscaler, type PodAutoscalerShape, scalingConfig } from '#autoscaler/fixtures/objects.ts';
import { REF, World } from '#autoscaler/fixtures/world.ts';
import { HorizontalPodAutoscaler } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import type { HorizontalPodAutoscalerSpec } from '#kube/kinds/autoscaling/hpa-spec.ts';
import type { ConfigData } from '#knative/config/read.ts';
import { MAX_INT32 } from '#knative/go/numbers.ts';

const HPA = 'hpa.autoscaling.knative.dev';
const shape = (annotations: Record<string, string> = {}): PodAutoscalerShape => {
  return { annotations: { class: HPA, metric: 'cpu', ...annotations } };
};
const TARGET = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a-00001-deployment' };
const PLAIN: HorizontalPodAutoscalerSpec = { scaleTargetRef: TARGET, maxReplicas: MAX_INT32 };

function specOf(annotations: Record<string, string>, config: ConfigData = {}): HorizontalPodAutoscalerSpec {
  const wanted = podAutoscaler(shape(annotations));
  return horizontalPodAutoscalerFor(wanted, resolveSettings(wanted, scalingConfig(config))).spec;
}

describe('the HorizontalPodAutoscaler', () => {
  const resource = (name: string, target: object) => [{ type: 'Resource', resource: { name, target } }];
  const rows: { name: string; annotations?: Record<string, string>; config?: ConfigData; spec: object }[] = [
    { name: 'without anything', spec: PLAIN },
    {
      name: 'bounds',
      annotations: { 'min-scale': '2', 'max-scale': '5' },
      spec: { ...PLAIN, minReplicas: 2, maxReplicas: 5 },
    },
    {
      name: 'bounds of the ConfigMap',
      config: { 'min-scale': '1', 'max-scale': '3' },
      spec: { ...PLAIN, minReplicas: 1, maxReplicas: 3 },
    },
    {
      name: 'cpu, to the next percent',
      annotations: { target: '70.1' },
      spec: { ...PLAIN, metrics: resource('cpu', { type: 'Utilization', averageUtilization: 71 }) },
    },
    {
      name: 'memory in MiB',
      annotations: { metric: 'memory', target: '200' },
      spec: { ...PLAIN, metrics: resource('memory', { type: 'AverageValue', averageValue: '200Mi' }) },
    },
    {
      name: 'memory that makes whole GiB',
      annotations: { metric: 'memory', target: '2048' },
      spec: { ...PLAIN, metrics: resource('memory', { type: 'AverageValue', averageValue: '2Gi' }) },
    },
    {
      name: 'a metric of the pods',
      annotations: { metric: 'queue-length', target: '5.9' },
      spec: {
        ...PLAIN,
        metrics: [
          {
            type: 'Pods',
            pods: { metric: { name: 'queue-length' }, target: { type: 'AverageValue', averageValue: '5' } },
          },
        ],
      },
    },
    {
      name: 'a window',
      annotations: { window: '90s' },
      spec: {
        ...PLAIN,
        behavior: { scaleDown: { stabilizationWindowSeconds: 90 }, scaleUp: { stabilizationWindowSeconds: 90 } },
      },
    },
  ];
  for (const { name, annotations = {}, config = {}, spec } of rows) {
    test(name, () => assert.deepEqual(specOf(annotations, config), spec));
  }
});

describe('what the API server fills in is no difference', () => {
  const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } };
  const rules = { stabilizationWindowSeconds: 90 };
  const behavior = { scaleDown: rules, scaleUp: { ...rules, selectPolicy: 'Max' } };
  const rows: {
    name: string;
    there: Partial<HorizontalPodAutoscalerSpec>;
    wanted: Partial<HorizontalPodAutoscalerSpec>;
    same: boolean;
  }[] = [
    { name: 'nothing', there: {}, wanted: {}, same: true },
    { name: 'a minimum of one', there: { minReplicas: 1 }, wanted: {}, same: true },
    { name: 'another minimum', there: { minReplicas: 2 }, wanted: {}, same: false },
    { name: 'the metric', there: { metrics: [cpu] }, wanted: {}, same: true },
    {
      name: 'a metric that is no longer wanted',
      there: {
        metrics: [{ ...cpu, resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
      },
      wanted: {},
      same: false,
    },
    { name: 'rules', there: { behavior }, wanted: { behavior: { scaleDown: rules, scaleUp: rules } }, same: true },
    { name: 'rules that are no longer wanted', there: { behavior }, wanted: {}, same: false },
    { name: 'another maximum', there: {}, wanted: { maxReplicas: 3 }, same: false },
  ];
  for (const { name, there, wanted, same } of rows) {
    test(name, () => assert.equal(isSameSpec({ ...PLAIN, ...there }, { ...PLAIN, ...wanted }), same));
  }
});

describe('a PodAutoscaler of class hpa', () => {
  test('makes its HorizontalPodAutoscaler and Services that lead straight to the pods', async () => {
    await using world = await World.start(shape({ target: '80' }));
    const scaler = await world.api.client.get(HorizontalPodAutoscaler, REF);
    assert.equal(scaler.spec.metrics?.[0]?.resource?.target.averageUtilization, 80);
    assert.equal(scaler.metadata.ownerReferences?.[0]?.name, 'a-00001');
    const { spec } = await world.services();
    assert.equal(spec?.mode, 'Serve');
    assert.equal(spec?.numActivators ?? 0, 0);
    assert.equal(world.autoscaler.recommendation(REF), undefined);
  });

  test('tells what that one does, and is active all the time', async () => {
    await using world = await World.start(shape({ 'min-scale': '2' }));
    assert.equal(await world.condition('Active'), 'True');
    assert.equal(await world.condition('ScaleTargetInitialized'), 'Unknown');
    assert.equal(await world.condition('SKSReady'), 'Unknown NotReady');
    const { client } = world.api;
    const tell = (currentReplicas: number) =>
      client.modify(
        HorizontalPodAutoscaler,
        REF,
        (it) => ({ ...it, status: { currentReplicas, desiredReplicas: 3 } }),
        'status',
      );
    await tell(1);
    await world.pods(1);
    assert.equal(await world.condition('ScaleTargetInitialized'), 'Unknown');
    await tell(2);
    await world.settled();
    const { status } = await world.podAutoscaler();
    assert.equal(await world.condition('ScaleTargetInitialized'), 'True');
    assert.equal(await world.condition('Ready'), 'True');
    assert.equal(status?.desiredScale, 3);
    assert.equal(status?.actualScale, 2);
    assert.equal(status?.serviceName, 'a-00001');
    assert.equal(status?.metricsServiceName, 'a-00001-private');
  });

  test('never goes to zero, and reconciling it again writes nothing', async () => {
    await using world = await World.start(shape());
    await world.pods(1);
    await world.seconds(300);
    assert.equal(await world.replicas(), 1);
    const before = world.transport.writes.length;
    world.autoscaler.recheck(REF);
    await world.settled();
    assert.deepEqual(world.transport.writes.slice(before), []);
  });

  test('follows other bounds', async () => {
    await using world = await World.start(shape());
    await world.configure('config-autoscaler', { 'max-scale': '4' });
    assert.equal((await world.api.client.get(HorizontalPodAutoscaler, REF)).spec.maxReplicas, 4);
  });

  test('leaves one alone that is somebody else’s', async () => {
    const foreign = horizontalPodAutoscalerFor(podAutoscaler(), resolveSettings(podAutoscaler(), scalingConfig()));
    delete foreign.metadata.ownerReferences;
    const before = async ({ api }: World) => void (await api.client.create(HorizontalPodAutoscaler, foreign));
    await using world = await World.start({ ...shape(), before });
    assert.equal(await world.condition('Active'), 'False NotOwned');
    const text = 'Warning InternalError PodAutoscaler: "a-00001" does not own HPA: "a-00001"';
    assert.ok((await world.events()).includes(text), (await world.events()).join('\n'));
  });

  test('says when it cannot be made', async () => {
    await using world = await World.start({
      ...shape(),
      before: async ({ transport }) => {
        transport.isRefused = (write) => write === 'create HorizontalPodAutoscaler';
      },
    });
    assert.equal(await world.condition('Active'), 'False FailedCreate');
    const active = (await world.podAutoscaler()).status?.conditions?.find(({ type }) => type === 'Active');
    assert.equal(active?.message, 'Failed to create HorizontalPodAutoscaler "a-00001".');
    world.transport.isRefused = () => false;
    await world.silence(1_000);
    assert.equal(await world.condition('Active'), 'True');
  });
});
