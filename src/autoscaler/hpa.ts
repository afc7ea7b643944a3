/** The HorizontalPodAutoscaler of a PodAutoscaler of class hpa (facts: 7.7). Pure. */
import { deepEqual, isObject } from '#base/json.ts';
import { scaleBounds } from '#autoscaler/bounds.ts';
import { childMetadata } from '#autoscaler/children.ts';
import type { ScalingSettings } from '#autoscaler/settings.ts';
import { HorizontalPodAutoscaler } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import type { HorizontalPodAutoscalerSpec } from '#kube/kinds/autoscaling/hpa-spec.ts';
import type { MetricSpec } from '#kube/kinds/autoscaling/hpa-metric.ts';
import { typed } from '#kube/kind.ts';
import { annotationsOf } from '#kube/object.ts';
import { formatQuantity, quantityOf } from '#kube/quantity.ts';
import { MAX_INT32, parseFloat64 } from '#knative/go/numbers.ts';
import type { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { autoscalingKeys, type Keys, valueByKeys } from '#knative/labels.ts';

const BYTES_PER_MEBIBYTE = 2 ** 20;
/** What the API server fills in where nothing is said. */
const DEFAULT_MIN_REPLICAS = 1;
const DEFAULT_CPU_PERCENT = 80;

export function horizontalPodAutoscalerFor(
  podAutoscaler: PodAutoscaler,
  settings: Pick<ScalingSettings, 'limits' | 'spec'>,
): HorizontalPodAutoscaler {
  const { min, max } = scaleBounds({ ...settings.limits, isInitialised: true });
  const { apiVersion, kind = '', name = '' } = podAutoscaler.spec?.scaleTargetRef ?? {};
  const metric = metricSpec(podAutoscaler);
  const stabilizationWindowSeconds =
    annotation(podAutoscaler, autoscalingKeys.window) && settings.spec.stableWindowMs / 1_000;
  const spec: HorizontalPodAutoscalerSpec = {
    scaleTargetRef: { apiVersion, kind, name },
    maxReplicas: max === 0 ? MAX_INT32 : max,
    ...(min > 0 ? { minReplicas: min } : {}),
    ...(metric ? { metrics: [metric] } : {}),
    ...(typeof stabilizationWindowSeconds === 'number'
      ? { behavior: { scaleDown: { stabilizationWindowSeconds }, scaleUp: { stabilizationWindowSeconds } } }
      : {}),
  };
  const metadata = { ...childMetadata(podAutoscaler), annotations: { ...annotationsOf(podAutoscaler) } };
  return typed(HorizontalPodAutoscaler, { metadata, spec });
}

/** By what it scales; undefined without a target, and then by what the API server fills in. */
function metricSpec(podAutoscaler: PodAutoscaler): MetricSpec | undefined {
  const target = parseFloat64(annotation(podAutoscaler, autoscalingKeys.target) ?? '');
  if (target instanceof Error) return undefined;
  const name = annotation(podAutoscaler, autoscalingKeys.metric) ?? 'cpu';
  if (name === 'cpu') {
    return {
      type: 'Resource',
      resource: { name, target: { type: 'Utilization', averageUtilization: Math.ceil(target) } },
    };
  }
  if (name === 'memory') {
    const averageValue = formatQuantity(quantityOf(Math.trunc(target) * BYTES_PER_MEBIBYTE, 'BinarySI'));
    return { type: 'Resource', resource: { name, target: { type: 'AverageValue', averageValue } } };
  }
  const averageValue = formatQuantity(quantityOf(Math.trunc(target)));
  return { type: 'Pods', pods: { metric: { name }, target: { type: 'AverageValue', averageValue } } };
}

function annotation(podAutoscaler: PodAutoscaler, keys: Keys): string | undefined {
  return valueByKeys(annotationsOf(podAutoscaler), keys);
}

/**
 * Whether a stored spec is the wanted one: equal but for what the API server fills in. Members that were wanted once and
 * aren't any more count as a difference, except for the number of pods and the metrics, which have defaults.
 */
export function isSameSpec(
  there: HorizontalPodAutoscalerSpec | undefined,
  wanted: HorizontalPodAutoscalerSpec,
): boolean {
  if (!there || !includes(there, wanted)) return false;
  if (wanted.minReplicas === undefined && (there.minReplicas ?? DEFAULT_MIN_REPLICAS) !== DEFAULT_MIN_REPLICAS)
    return false;
  if (
    wanted.metrics === undefined &&
    there.metrics?.some(({ resource }) => resource?.target.averageUtilization !== DEFAULT_CPU_PERCENT)
  )
    return false;
  return (wanted.behavior === undefined) === (there.behavior === undefined || Object.keys(there.behavior).length === 0);
}

/** Whether all that `part` says is in `whole`; lists must be equal. */
function includes(whole: unknown, part: unknown): boolean {
  if (!isObject(part)) return deepEqual(whole, part);
  return (
    isObject(whole) &&
    Object.entries(part).every(([name, value]) => value === undefined || includes(whole[name], value))
  );
}
