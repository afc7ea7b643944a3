import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { aggregationOf, resolveSettings, type ScalingSettings } from '#autoscaler/settings.ts';
import { podAutoscaler, type PodAutoscalerShape, scalingConfig } from '#autoscaler/fixtures/objects.ts';
import type { ConfigData } from '#knative/config/read.ts';
import type { Metric } from '#knative/kinds/metric.ts';

interface Row {
  readonly name: string;
  readonly pa?: PodAutoscalerShape;
  readonly config?: ConfigData;
  readonly spec?: Partial<ScalingSettings['spec']>;
  readonly limits?: Partial<ScalingSettings['limits']>;
  readonly scale?: Partial<ScalingSettings['scale']>;
  readonly windows?: Partial<ScalingSettings['windows']>;
}

const annotated = (annotations: Record<string, string>): PodAutoscalerShape => ({ annotations });

const rows: Row[] = [
  {
    name: 'all defaults',
    spec: {
      metric: 'concurrency',
      target: 70,
      total: 100,
      targetBurstCapacity: 211,
      maxScaleUpRate: 1000,
      maxScaleDownRate: 2,
      panicThreshold: 2,
      stableWindowMs: 60_000,
      scaleDownDelayMs: 0,
      activationScale: 0,
      initialScale: 1,
      reachable: true,
      activatorCapacity: 100,
    },
    limits: { minScale: 0, maxScale: 0, initialScale: 1, reachable: true },
    scale: {
      enableScaleToZero: true,
      stableWindowMs: 60_000,
      gracePeriodMs: 30_000,
      podRetentionMs: 0,
      progressDeadlineMs: 600_000,
      isAlwaysProxied: false,
    },
    windows: { stableMs: 60_000, panicMs: 6_000 },
  },
  { name: 'containerConcurrency', pa: { spec: { containerConcurrency: 10 } }, spec: { total: 10, target: 7 } },
  { name: 'metric: rps', pa: annotated({ metric: 'rps' }), spec: { metric: 'rps', total: 200, target: 140 } },
  { name: 'target', pa: annotated({ target: '50' }), spec: { total: 50, target: 35 } },
  {
    name: 'target-utilization-percentage',
    pa: annotated({ 'target-utilization-percentage': '80' }),
    spec: { target: 80 },
  },
  { name: 'targetUtilizationPercentage', pa: annotated({ targetUtilizationPercentage: '80' }), spec: { target: 80 } },
  { name: 'target-burst-capacity', pa: annotated({ 'target-burst-capacity': '7' }), spec: { targetBurstCapacity: 7 } },
  {
    name: 'targetBurstCapacity',
    pa: annotated({ targetBurstCapacity: '-1' }),
    spec: { targetBurstCapacity: -1 },
    scale: { isAlwaysProxied: true },
  },
  {
    name: 'target-burst-capacity in the ConfigMap',
    config: { 'target-burst-capacity': '-1' },
    scale: { isAlwaysProxied: true },
  },
  { name: 'min-scale', pa: annotated({ 'min-scale': '2' }), limits: { minScale: 2 } },
  { name: 'minScale', pa: annotated({ minScale: '2' }), limits: { minScale: 2 } },
  { name: 'min-scale beats minScale', pa: annotated({ 'min-scale': '3', minScale: '2' }), limits: { minScale: 3 } },
  { name: 'min-scale in the ConfigMap', config: { 'min-scale': '4' }, limits: { minScale: 4 } },
  {
    name: 'min-scale 0 beats the ConfigMap',
    pa: annotated({ 'min-scale': '0' }),
    config: { 'min-scale': '4' },
    limits: { minScale: 0 },
  },
  { name: 'max-scale', pa: annotated({ 'max-scale': '5' }), limits: { maxScale: 5 } },
  { name: 'maxScale', pa: annotated({ maxScale: '5' }), limits: { maxScale: 5 } },
  { name: 'max-scale in the ConfigMap', config: { 'max-scale': '6' }, limits: { maxScale: 6 } },
  { name: 'activation-scale', pa: annotated({ 'activation-scale': '3' }), spec: { activationScale: 3 } },
  {
    name: 'initial-scale',
    pa: annotated({ 'initial-scale': '3' }),
    spec: { initialScale: 3 },
    limits: { initialScale: 3 },
  },
  { name: 'initialScale', pa: annotated({ initialScale: '3' }), limits: { initialScale: 3 } },
  { name: 'initial-scale in the ConfigMap', config: { 'initial-scale': '3' }, limits: { initialScale: 3 } },
  {
    name: 'initial-scale 0 where it is not allowed',
    pa: annotated({ 'initial-scale': '0' }),
    limits: { initialScale: 1 },
  },
  {
    name: 'initial-scale 0 where it is',
    pa: annotated({ 'initial-scale': '0' }),
    config: { 'allow-zero-initial-scale': 'true' },
    limits: { initialScale: 0 },
  },
  { name: 'scale-down-delay', pa: annotated({ 'scale-down-delay': '1m' }), spec: { scaleDownDelayMs: 60_000 } },
  { name: 'scaleDownDelay', pa: annotated({ scaleDownDelay: '1m' }), spec: { scaleDownDelayMs: 60_000 } },
  {
    name: 'scale-down-delay in the ConfigMap',
    config: { 'scale-down-delay': '2m' },
    spec: { scaleDownDelayMs: 120_000 },
  },
  {
    name: 'scale-to-zero-pod-retention-period',
    pa: annotated({ 'scale-to-zero-pod-retention-period': '90s' }),
    scale: { podRetentionMs: 90_000 },
  },
  {
    name: 'scaleToZeroPodRetentionPeriod',
    pa: annotated({ scaleToZeroPodRetentionPeriod: '90s' }),
    scale: { podRetentionMs: 90_000 },
  },
  {
    name: 'scale-to-zero-pod-retention-period in the ConfigMap',
    config: { 'scale-to-zero-pod-retention-period': '1m' },
    scale: { podRetentionMs: 60_000 },
  },
  {
    name: 'no retention for what nobody can reach',
    pa: { annotations: { 'scale-to-zero-pod-retention-period': '90s' }, spec: { reachability: 'Unreachable' } },
    spec: { reachable: false },
    limits: { reachable: false },
    scale: { podRetentionMs: 0 },
  },
  { name: 'reachability not known', pa: { spec: { reachability: '' } }, spec: { reachable: true } },
  {
    name: 'window',
    pa: annotated({ window: '40s' }),
    spec: { stableWindowMs: 40_000 },
    scale: { stableWindowMs: 40_000 },
    windows: { stableMs: 40_000, panicMs: 4_000 },
  },
  {
    name: 'stable-window in the ConfigMap',
    config: { 'stable-window': '6s' },
    windows: { stableMs: 6_000, panicMs: 1_000 },
  },
  { name: 'panic-window-percentage', pa: annotated({ 'panic-window-percentage': '20' }), windows: { panicMs: 12_000 } },
  { name: 'panicWindowPercentage', pa: annotated({ panicWindowPercentage: '20' }), windows: { panicMs: 12_000 } },
  { name: 'panic window: to the whole second', pa: annotated({ window: '45s' }), windows: { panicMs: 5_000 } },
  {
    name: 'panic window: at least a second',
    pa: annotated({ 'panic-window-percentage': '1' }),
    windows: { panicMs: 1_000 },
  },
  {
    name: 'panic-threshold-percentage',
    pa: annotated({ 'panic-threshold-percentage': '150' }),
    spec: { panicThreshold: 1.5 },
  },
  {
    name: 'panicThresholdPercentage',
    pa: annotated({ panicThresholdPercentage: '150' }),
    spec: { panicThreshold: 1.5 },
  },
  {
    name: 'panic-threshold-percentage in the ConfigMap',
    config: { 'panic-threshold-percentage': '300' },
    spec: { panicThreshold: 3 },
  },
  {
    name: 'rates',
    config: { 'max-scale-up-rate': '3', 'max-scale-down-rate': '4' },
    spec: { maxScaleUpRate: 3, maxScaleDownRate: 4 },
  },
  { name: 'activator-capacity', config: { 'activator-capacity': '50' }, spec: { activatorCapacity: 50 } },
  { name: 'enable-scale-to-zero', config: { 'enable-scale-to-zero': 'false' }, scale: { enableScaleToZero: false } },
  {
    name: 'scale-to-zero-grace-period',
    config: { 'scale-to-zero-grace-period': '4s' },
    scale: { gracePeriodMs: 4_000 },
  },
  {
    name: 'progress-deadline',
    pa: annotated({ 'serving.knative.dev/progress-deadline': '5s' }),
    scale: { progressDeadlineMs: 5_000 },
  },
  {
    name: 'what cannot be read counts as absent',
    pa: annotated({ target: 'x', 'min-scale': '1.5', window: 'long' }),
    spec: { total: 100, stableWindowMs: 60_000 },
    limits: { minScale: 0 },
  },
];

for (const { name, pa, config, ...expected } of rows) {
  test(name, () => {
    const settings = resolveSettings(podAutoscaler(pa), scalingConfig(config));
    for (const [part, values] of Object.entries(expected)) {
      const actual = settings[part as keyof ScalingSettings] as unknown as Record<string, unknown>;
      for (const [field, value] of Object.entries(values)) assert.deepEqual(actual[field], value, `${part}.${field}`);
    }
  });
}

describe('aggregation', () => {
  const names = [
    ['linear', 'linear'],
    ['weighted-exponential', 'weighted-exponential'],
    ['weightedExponential', 'weighted-exponential'],
    ['', 'linear'],
  ];
  for (const [value = '', expected] of names) {
    test(`${value || 'none'}: ${expected}`, () => {
      const annotations = { 'autoscaling.knative.dev/metric-aggregation-algorithm': value };
      assert.equal(aggregationOf({ metadata: { annotations } } as unknown as Metric), expected);
    });
  }
});
