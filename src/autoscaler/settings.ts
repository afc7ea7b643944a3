/**
 * By what a revision is scaled: its annotations over config-autoscaler, resolved once (facts: 3.1, 4.1).
 *
 * Annotations were checked when they were written; one that cannot be read counts as absent.
 */
import type { ScaleSettings } from '#autoscaler/apply-scale.ts';
import type { ScaleLimits } from '#autoscaler/bounds.ts';
import type { ScalingSpec } from '#autoscaler/decide.ts';
import { resolveTarget, type ScalingMetric } from '#autoscaler/targets.ts';
import { type Aggregation, BUCKET_MS } from '#autoscaler/window.ts';
import { annotationsOf } from '#kube/object.ts';
import type { AutoscalerConfig } from '#knative/config/autoscaler.ts';
import type { DeploymentConfig } from '#knative/config/deployment.ts';
import { parseDurationMs } from '#kube/duration.ts';
import { parseFloat64, parseInteger } from '#knative/go/numbers.ts';
import type { Metric } from '#knative/kinds/metric.ts';
import type { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { autoscalingKeys, type Keys, PROGRESS_DEADLINE_KEYS, valueByKeys } from '#knative/labels.ts';

/** The ConfigMaps that scaling depends on. */
export interface ScalingConfig {
  readonly autoscaler: AutoscalerConfig;
  readonly deployment: Pick<DeploymentConfig, 'progressDeadlineMs'>;
}

export interface Windows {
  readonly stableMs: number;
  readonly panicMs: number;
}

export interface ScalingSettings {
  /** For `decide`. */
  readonly spec: ScalingSpec;
  /** For `applyBounds`; whether the revision has had its initial scale is up to its status. */
  readonly limits: Omit<ScaleLimits, 'isInitialised'>;
  /** For `planScale`. */
  readonly scale: ScaleSettings;
  /** For the Metric. */
  readonly windows: Windows;
}

export function resolveSettings(podAutoscaler: PodAutoscaler, config: ScalingConfig): ScalingSettings {
  const read = new AnnotationReader(annotationsOf(podAutoscaler));
  const { autoscaler } = config;
  const spec = scalingSpec(podAutoscaler, read, autoscaler);
  const { stableWindowMs, initialScale, reachable } = spec;
  return {
    spec,
    limits: {
      minScale: read.integer(autoscalingKeys.minScale) ?? autoscaler.minScale,
      maxScale: read.integer(autoscalingKeys.maxScale) ?? autoscaler.maxScale,
      initialScale,
      reachable,
    },
    scale: {
      enableScaleToZero: autoscaler.enableScaleToZero,
      stableWindowMs,
      gracePeriodMs: autoscaler.scaleToZeroGracePeriodMs,
      podRetentionMs: reachable ? podRetentionMs(read, autoscaler) : 0,
      progressDeadlineMs: read.durationMs(PROGRESS_DEADLINE_KEYS) ?? config.deployment.progressDeadlineMs,
      isAlwaysProxied: spec.targetBurstCapacity === -1,
    },
    windows: { stableMs: stableWindowMs, panicMs: panicWindowMs(stableWindowMs, read, autoscaler) },
  };
}

function scalingSpec(podAutoscaler: PodAutoscaler, read: AnnotationReader, config: AutoscalerConfig): ScalingSpec {
  const metric = scalingMetric(podAutoscaler);
  const request = {
    metric,
    containerConcurrency: podAutoscaler.spec?.containerConcurrency ?? 0,
    target: read.float(autoscalingKeys.target),
    utilizationPercentage: read.float(autoscalingKeys.targetUtilizationPercentage),
  };
  const threshold = read.float(autoscalingKeys.panicThresholdPercentage) ?? config.panicThresholdPercentage;
  return {
    metric,
    ...resolveTarget(request, config),
    targetBurstCapacity: read.float(autoscalingKeys.targetBurstCapacity) ?? config.targetBurstCapacity,
    maxScaleUpRate: config.maxScaleUpRate,
    maxScaleDownRate: config.maxScaleDownRate,
    panicThreshold: threshold / 100,
    stableWindowMs: read.durationMs(autoscalingKeys.window) ?? config.stableWindowMs,
    scaleDownDelayMs: read.durationMs(autoscalingKeys.scaleDownDelay) ?? config.scaleDownDelayMs,
    activationScale: read.integer(autoscalingKeys.activationScale) ?? 0,
    initialScale: initialScale(read, config),
    reachable: podAutoscaler.spec?.reachability !== 'Unreachable',
    activatorCapacity: config.activatorCapacity,
  };
}

/** Anything but requests per second is taken for concurrency. */
function scalingMetric(podAutoscaler: PodAutoscaler): ScalingMetric {
  return valueByKeys(annotationsOf(podAutoscaler), autoscalingKeys.metric) === 'rps' ? 'rps' : 'concurrency';
}

/** An annotation of 0 counts only where the cluster allows it. */
function initialScale(read: AnnotationReader, config: AutoscalerConfig): number {
  const asked = read.integer(autoscalingKeys.initialScale);
  if (asked === undefined || (asked === 0 && !config.allowZeroInitialScale)) return config.initialScale;
  return asked;
}

function podRetentionMs(read: AnnotationReader, config: AutoscalerConfig): number {
  return read.durationMs(autoscalingKeys.scaleToZeroPodRetentionPeriod) ?? config.scaleToZeroPodRetentionPeriodMs;
}

/** Whole seconds, and at least one. */
function panicWindowMs(stableWindowMs: number, read: AnnotationReader, config: AutoscalerConfig): number {
  const percentage = read.float(autoscalingKeys.panicWindowPercentage) ?? config.panicWindowPercentage;
  const buckets = Math.round((stableWindowMs * percentage) / 100 / BUCKET_MS);
  return Math.max(1, buckets) * BUCKET_MS;
}

/** How the Metric's values are averaged. */
export function aggregationOf(metric: Metric): Aggregation {
  const algorithm = valueByKeys(annotationsOf(metric), autoscalingKeys.metricAggregationAlgorithm);
  const isWeighted = algorithm === 'weighted-exponential' || algorithm === 'weightedExponential';
  return isWeighted ? 'weighted-exponential' : 'linear';
}

class AnnotationReader {
  readonly #annotations: Readonly<Record<string, string>>;

  constructor(annotations: Readonly<Record<string, string>>) {
    this.#annotations = annotations;
  }

  integer(keys: Keys): number | undefined {
    return this.#read(keys, (text) => parseInteger(text, { by: 'ParseInt', bits: 32 }));
  }

  float(keys: Keys): number | undefined {
    return this.#read(keys, parseFloat64);
  }

  durationMs(keys: Keys): number | undefined {
    return this.#read(keys, parseDurationMs);
  }

  #read(keys: Keys, parse: (text: string) => number | Error): number | undefined {
    const text = valueByKeys(this.#annotations, keys);
    if (text === undefined) return undefined;
    const value = parse(text);
    return value instanceof Error ? undefined : value;
  }
}
