/** What a HorizontalPodAutoscaler may be, and how it shows in both versions, through the API. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { HorizontalPodAutoscaler } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import { HorizontalPodAutoscalerV1 } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler-v1.ts';
import { typed } from '#kube/kind.ts';
import { StatusError } from '#kube/status.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';

type Loose = Record<string, unknown>;

const target = { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' };
const cpu = (more: Loose) => ({ type: 'Resource', resource: { name: 'cpu', target: more } });
const utilization = { type: 'Utilization', averageUtilization: 50 };
const metric = { name: 'requests' };
const pods = { type: 'Pods', pods: { metric, target: { type: 'AverageValue', averageValue: '10' } } };
const external = {
  type: 'External',
  external: { metric: { ...metric, selector: { matchLabels: { a: 'b' } } }, target: { type: 'Value', value: '5' } },
};
const object = {
  type: 'Object',
  object: { describedObject: target, metric, target: { type: 'AverageValue', averageValue: '2', value: '1' } },
};
const PREFIX = 'autoscaling.alpha.kubernetes.io/';

describe('HorizontalPodAutoscalers', () => {
  let api: TestApi | undefined;
  let made = 0;

  before(async () => {
    api = await startTestApi();
  });
  after(() => api?.[Symbol.asyncDispose]());

  const client = () => {
    assert(api);
    return api.client;
  };

  const create = (spec: Loose) => {
    made += 1;
    const body = {
      metadata: { namespace: 'default', name: `h${made}` },
      spec: { maxReplicas: 3, scaleTargetRef: target, ...spec },
    };
    return client().create(HorizontalPodAutoscaler, typed(HorizontalPodAutoscaler, body as never));
  };
  const refOf = ({ metadata }: { metadata: { name: string } }) => ({ namespace: 'default', name: metadata.name });

  const refusals: [name: string, spec: Loose, problems: string[]][] = [
    [
      'no replicas at least',
      { minReplicas: 0 },
      [
        'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
        'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
      ],
    ],
    [
      'a metric without a source',
      { metrics: [{ type: 'Pods' }] },
      ['spec.metrics[0].pods: Required value: must populate information for the given metric source'],
    ],
    [
      'two sources',
      { metrics: [{ ...pods, ...cpu(utilization), type: 'Pods' }] },
      ['spec.metrics[0].resource: Forbidden: must populate the given metric source only'],
    ],
    [
      'both a share and an amount',
      { metrics: [cpu({ ...utilization, averageValue: '1' })] },
      [
        'spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization',
      ],
    ],
    [
      'a type of target that is unknown',
      { metrics: [cpu({ type: 'X', averageUtilization: 1 })] },
      ['spec.metrics[0].resource.target.type: Invalid value: "X": must be either Utilization, Value, or AverageValue'],
    ],
    [
      'an amount of nothing',
      { metrics: [cpu({ type: 'AverageValue', averageValue: '0' })] },
      ['spec.metrics[0].resource.target.averageValue: Invalid value: "0": must be positive'],
    ],
    [
      'a share of nothing',
      { metrics: [cpu({ type: 'Utilization', averageUtilization: 0 })] },
      ['spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0'],
    ],
    [
      'a metric without a name',
      { metrics: [{ ...pods, pods: { ...pods.pods, metric: { name: '' } } }] },
      ['spec.metrics[0].pods.metric.name: Required value: must specify a metric name'],
    ],
    [
      'an external metric with both',
      {
        metrics: [
          { ...external, external: { ...external.external, target: { type: 'Value', value: '1', averageValue: '1' } } },
        ],
      },
      [
        'spec.metrics[0].external.target.value: Forbidden: may not set both a target value for metric and a per-pod target',
      ],
    ],
    [
      'a container without a name',
      {
        metrics: [
          { type: 'ContainerResource', containerResource: { name: 'cpu', container: '', target: utilization } },
        ],
      },
      ['spec.metrics[0].containerResource.container: Required value: must specify a container'],
    ],
    [
      'a window that is too long',
      { behavior: { scaleUp: { stabilizationWindowSeconds: 3601 } } },
      ['spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600'],
    ],
    [
      'a policy that is unknown',
      { behavior: { scaleUp: { selectPolicy: 'X' } } },
      ['spec.behavior.scaleUp.selectPolicy: Unsupported value: "X": supported values: "Disabled", "Max", "Min"'],
    ],
    [
      'a policy of nothing',
      { behavior: { scaleUp: { policies: [{ type: 'Pods', value: 0, periodSeconds: 1801 }] } } },
      [
        'spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero',
        'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
      ],
    ],
  ];
  for (const [name, spec, problems] of refusals) {
    test(`refused: ${name}`, async () => {
      await assert.rejects(create(spec), (error) => {
        assert.ok(error instanceof StatusError);
        const causes = error.status.details?.causes ?? [];
        assert.deepEqual(
          causes.map(({ field, message }) => `${field}: ${message}`),
          problems,
        );
        return true;
      });
    });
  }

  test('limits of changes are filled in as soon as there are any', async () => {
    assert.equal((await create({})).spec.behavior, undefined);
    const { spec } = await create({ behavior: { scaleDown: { stabilizationWindowSeconds: 60, tolerance: '0.1' } } });
    assert.deepEqual(spec.behavior, {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      },
      scaleDown: {
        stabilizationWindowSeconds: 60,
        selectPolicy: 'Max',
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      },
    });
  });

  test('v1 shows the share of CPU as a member, and everything else in annotations', async () => {
    const behavior = { scaleDown: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } };
    const made2 = await create({ metrics: [pods, cpu(utilization), external, object], behavior });
    const shown = await client().get(HorizontalPodAutoscalerV1, refOf(made2));
    assert.equal(shown.spec.targetCPUUtilizationPercentage, 50);
    const { annotations = {} } = shown.metadata;
    assert.deepEqual(JSON.parse(annotations[`${PREFIX}metrics`] ?? ''), [
      { type: 'Pods', pods: { metricName: 'requests', targetAverageValue: '10' } },
      {
        type: 'External',
        external: { metricName: 'requests', metricSelector: { matchLabels: { a: 'b' } }, targetValue: '5' },
      },
      { type: 'Object', object: { target, metricName: 'requests', targetValue: '1', averageValue: '2' } },
    ]);
    const { ScaleUp, ScaleDown } = JSON.parse(annotations[`${PREFIX}behavior`] ?? '') as Record<string, Loose>;
    assert.deepEqual(ScaleDown?.['Policies'], [{ Type: 'Pods', Value: 1, PeriodSeconds: 60 }]);
    assert.equal(ScaleUp?.['StabilizationWindowSeconds'], 0);
  });

  test('what v1 shows can be written back, and nothing is lost or written twice', async () => {
    const made2 = await create({ metrics: [pods, external, object, cpu(utilization)], behavior: { scaleUp: {} } });
    const ref = refOf(made2);
    const conditions = [{ type: 'AbleToScale', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }];
    const currentMetrics = [
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 7, averageValue: '3m' } } },
    ];
    const status = { currentReplicas: 2, desiredReplicas: 3, currentMetrics, conditions };
    await client().patch(HorizontalPodAutoscaler, ref, { type: 'merge', body: { status }, subresource: 'status' });
    const before2 = await client().get(HorizontalPodAutoscaler, ref);
    const shown = await client().get(HorizontalPodAutoscalerV1, ref);
    assert.equal(shown.status?.currentCPUUtilizationPercentage, 7);
    await client().update(HorizontalPodAutoscalerV1, shown);
    assert.deepEqual(await client().get(HorizontalPodAutoscaler, ref), before2);
    await client().patch(HorizontalPodAutoscalerV1, ref, {
      type: 'merge',
      body: { spec: { targetCPUUtilizationPercentage: 60 } },
    });
    const changed = await client().get(HorizontalPodAutoscaler, ref);
    assert.equal(changed.spec.metrics?.at(-1)?.resource?.target.averageUtilization, 60);
    assert.equal(changed.metadata.annotations, undefined);
  });

  test('annotations that are not of the form are passed over, and are gone', async () => {
    const metadata = {
      namespace: 'default',
      name: 'odd',
      annotations: {
        keep: 'this',
        [`${PREFIX}metrics`]: '[{"type":5}]',
        [`${PREFIX}behavior`]: '{"ScaleUp":"x"}',
        [`${PREFIX}conditions`]: 'not json',
      },
    };
    const spec = { scaleTargetRef: target, maxReplicas: 2 };
    await client().create(HorizontalPodAutoscalerV1, typed(HorizontalPodAutoscalerV1, { metadata, spec }));
    const stored = await client().get(HorizontalPodAutoscaler, { namespace: 'default', name: 'odd' });
    assert.deepEqual(stored.metadata.annotations, { keep: 'this' });
    assert.deepEqual(stored.spec.metrics, [cpu({ type: 'Utilization', averageUtilization: 80 })]);
    assert.equal(stored.spec.behavior, undefined);
  });
});
