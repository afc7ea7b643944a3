import { child, type FieldError, index, invalidField, notSupportedField, requiredField } from '#kube/field-error.ts';
import { HorizontalPodAutoscaler } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import type { HorizontalPodAutoscalerSpec } from '#kube/kinds/autoscaling/hpa-spec.ts';
import type { MetricSpec, MetricTarget } from '#kube/kinds/autoscaling/hpa-metric.ts';
import { pathSegmentProblems } from '#kube/names.ts';
import { positive, problemsAt } from '#apiserver/pod-spec/checks.ts';
import { statusStrategy } from '#apiserver/strategies/workloads.ts';
import { strategyOf } from '#apiserver/strategy.ts';

const DEFAULT_CPU_PERCENT = 80;
const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];

export const horizontalPodAutoscalerStrategy = strategyOf(HorizontalPodAutoscaler, {
  setDefaults({ spec }) {
    spec.minReplicas ??= 1;
    if ((spec.metrics ?? []).length > 0) return;
    const target = { type: 'Utilization' as const, averageUtilization: DEFAULT_CPU_PERCENT };
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  },
  validate: ({ spec }) => specErrors(spec),
  validateUpdate: ({ spec }) => specErrors(spec),
  subresources: { status: statusStrategy(() => []) },
});

function specErrors(spec: HorizontalPodAutoscalerSpec): FieldError[] {
  const { minReplicas, maxReplicas, metrics = [] } = spec;
  const errors = [...positive('spec.minReplicas', minReplicas), ...positive('spec.maxReplicas', maxReplicas)];
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalidField('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  return [
    ...errors,
    ...targetErrors(spec),
    ...metrics.flatMap((metric, at) => metricErrors(metric, index('spec.metrics', at))),
  ];
}

function targetErrors({ scaleTargetRef: target }: HorizontalPodAutoscalerSpec): FieldError[] {
  return (['kind', 'name'] as const).flatMap((name) => {
    const path = child('spec.scaleTargetRef', name);
    return target[name] ? problemsAt(path, target[name], pathSegmentProblems(target[name])) : [requiredField(path)];
  });
}

function metricErrors(metric: MetricSpec, path: string): FieldError[] {
  const type: string = metric.type;
  if (!TYPES.includes(type)) {
    // Kubernetes finds this twice.
    const error = notSupportedField(child(path, 'type'), type, TYPES);
    return [error, error];
  }
  const name = `${type.slice(0, 1).toLowerCase()}${type.slice(1)}` as 'resource';
  const source = metric[name];
  if (!source) return [requiredField(child(path, name), `must populate information for the given metric source`)];
  if (type !== 'Resource' && type !== 'ContainerResource') return [];
  const here = child(path, name);
  return [
    ...(source.name ? [] : [requiredField(child(here, 'name'), 'must specify a resource name')]),
    ...amountErrors(source.target, child(here, 'target')),
  ];
}

function amountErrors({ averageUtilization, averageValue }: MetricTarget, path: string): FieldError[] {
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = 'must set either a target raw value or a target utilization';
    return [requiredField(child(path, 'averageUtilization'), detail)];
  }
  return positive(child(path, 'averageUtilization'), averageUtilization);
}
