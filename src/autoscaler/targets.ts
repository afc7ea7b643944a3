/** How much of its metric one pod of a revision is meant to carry (facts: 7.3). */

export type ScalingMetric = 'concurrency' | 'rps';

/** The keys of config-autoscaler that a target depends on. */
export interface TargetDefaults {
  /** (0, 1] */
  readonly containerConcurrencyTargetFraction: number;
  readonly containerConcurrencyTargetDefault: number;
  readonly requestsPerSecondTargetDefault: number;
}

export interface TargetRequest {
  readonly metric: ScalingMetric;
  /** The revision's hard limit per pod; 0: none. */
  readonly containerConcurrency: number;
  /** Annotation `target`. */
  readonly target?: number | undefined;
  /** Annotation `target-utilization-percentage`, 1..100. */
  readonly utilizationPercentage?: number | undefined;
}

export interface MetricTarget {
  /** What a pod is aimed to carry; never above `total`, unless that is below the minimum. */
  readonly target: number;
  /** What a pod can carry. */
  readonly total: number;
}

/** Share of the total at which pods are added, for requests per second; no ConfigMap key changes it. */
const RPS_UTILIZATION = 0.7;
const MIN_TARGET = 0.01;

export function resolveTarget(request: TargetRequest, defaults: TargetDefaults): MetricTarget {
  const total = totalOf(request, defaults);
  const utilization =
    request.utilizationPercentage === undefined
      ? defaultUtilization(request, defaults)
      : request.utilizationPercentage / 100;
  return { target: Math.max(MIN_TARGET, total * utilization), total };
}

function totalOf({ metric, containerConcurrency, target }: TargetRequest, defaults: TargetDefaults): number {
  if (metric === 'rps') return target ?? defaults.requestsPerSecondTargetDefault;
  if (containerConcurrency === 0) return target ?? defaults.containerConcurrencyTargetDefault;
  return Math.min(target ?? containerConcurrency, containerConcurrency);
}

function defaultUtilization({ metric }: TargetRequest, defaults: TargetDefaults): number {
  return metric === 'rps' ? RPS_UTILIZATION : defaults.containerConcurrencyTargetFraction;
}
