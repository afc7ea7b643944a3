/** Checks of a HorizontalPodAutoscaler, in Kubernetes' order and words. */
import {
  child,
  type FieldError,
  forbiddenField,
  index,
  invalidField,
  notSupportedField,
  requiredField,
} from '#kube/field-error.ts';
import type { HorizontalPodAutoscaler } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import type { MetricSpec, MetricTarget } from '#kube/kinds/autoscaling/hpa-metric.ts';
import type { HorizontalPodAutoscalerSpec } from '#kube/kinds/autoscaling/hpa-spec.ts';
import { pathSegmentProblems } from '#kube/names.ts';
import { ParseError } from '#kube/parse-error.ts';
import { parseQuantity } from '#kube/quantity.ts';
import { dnsLabelErrors, notNegative, positive, problemsAt } from '#apiserver/pod-spec/checks.ts';
import { resourceNameErrors } from '#apiserver/pod-spec/resources.ts';

type Rules = NonNullable<NonNullable<HorizontalPodAutoscalerSpec['behavior']>['scaleUp']>;
type Policy = NonNullable<Rules['policies']>[number];
type Status = NonNullable<HorizontalPodAutoscaler['status']>;

const MAX_WINDOW_SECONDS = 3_600;
const MAX_PERIOD_SECONDS = 1_800;
const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const TARGETS = ['Utilization', 'Value', 'AverageValue'];
const SELECTIONS = ['Disabled', 'Max', 'Min'];
const POLICIES = ['Percent', 'Pods'];

export function statusErrors(status: Partial<Status>, path: string): FieldError[] {
  return [
    ...notNegative(child(path, 'currentReplicas'), status.currentReplicas),
    ...notNegative(child(path, 'desiredReplicas'), status.desiredReplicas),
  ];
}

export function specErrors(spec: HorizontalPodAutoscalerSpec, path: string): FieldError[] {
  const { minReplicas, maxReplicas, metrics = [], behavior } = spec;
  const at = (name: string) => child(path, name);
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(invalidField(at('minReplicas'), minReplicas, 'must be greater than or equal to 1'));
  }
  errors.push(...positive(at('maxReplicas'), maxReplicas));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalidField(at('maxReplicas'), maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  return [
    ...errors,
    ...referenceErrors(spec.scaleTargetRef, at('scaleTargetRef')),
    ...metrics.flatMap((metric, position) => metricErrors(metric, index(at('metrics'), position))),
    ...(minReplicas === 0 ? noneErrors(metrics, at('metrics')) : []),
    ...(behavior?.scaleUp ? rulesErrors(behavior.scaleUp, at('behavior.scaleUp')) : []),
    ...(behavior?.scaleDown ? rulesErrors(behavior.scaleDown, at('behavior.scaleDown')) : []),
  ];
}

/** Pods that are not there have no metrics of their own. */
function noneErrors(metrics: readonly MetricSpec[], path: string): FieldError[] {
  if (metrics.some(({ type }) => type === 'Object' || type === 'External')) return [];
  const detail = 'must specify at least one Object or External metric to support scaling to zero replicas';
  return [forbiddenField(path, detail)];
}

function referenceErrors(reference: { kind: string; name: string }, path: string): FieldError[] {
  return (['kind', 'name'] as const).flatMap((name) => segmentErrors(reference[name], child(path, name)));
}

function segmentErrors(value: string, path: string, detail = ''): FieldError[] {
  return value ? problemsAt(path, value, pathSegmentProblems(value)) : [requiredField(path, detail)];
}

type Sources = Required<Pick<MetricSpec, 'object' | 'external' | 'pods' | 'resource' | 'containerResource'>>;
type SourceName = keyof Sources;

/** In the order in which they are looked at; only the first that is there is looked into. */
const SOURCES: { [K in SourceName]: (source: NonNullable<Sources[K]>, path: string) => FieldError[] } = {
  object: (source, path) => [
    ...referenceErrors(source.describedObject, child(path, 'describedObject')),
    ...identifiedErrors(source, path),
    ...missingValue(source.target, path, 'must set either a target value or averageValue'),
  ],
  external: (source, path) => [
    ...identifiedErrors(source, path),
    ...missingValue(source.target, path, 'must set either a target value for metric or a per-pod target'),
    ...(source.target.value !== undefined && source.target.averageValue !== undefined
      ? [forbiddenField(child(path, 'target.value'), 'may not set both a target value for metric and a per-pod target')]
      : []),
  ],
  pods: (source, path) => [
    ...identifiedErrors(source, path),
    ...(source.target.averageValue === undefined
      ? [requiredField(child(path, 'target.averageValue'), 'must specify a positive target averageValue')]
      : []),
  ],
  resource: (source, path) => [
    ...(source.name ? [] : [requiredField(child(path, 'name'), 'must specify a resource name')]),
    ...amountErrors(source.target, child(path, 'target')),
  ],
  containerResource: (source, path) => [
    ...(source.name
      ? resourceNameErrors(source.name, child(path, 'name'))
      : [requiredField(child(path, 'name'), 'must specify a resource name')]),
    ...(source.container
      ? dnsLabelErrors(child(path, 'container'), source.container)
      : [requiredField(child(path, 'container'), 'must specify a container')]),
    ...amountErrors(source.target, child(path, 'target')),
  ],
};

function metricErrors(metric: MetricSpec, path: string): FieldError[] {
  const { type }: { type: string } = metric;
  const isKnown = TYPES.includes(type);
  const unknown = notSupportedField(child(path, 'type'), type, TYPES);
  const errors = type === '' ? [requiredField(child(path, 'type'), 'must specify a metric source type')] : [];
  if (!isKnown) errors.push(unknown);
  const present = (Object.keys(SOURCES) as SourceName[]).filter((name) => metric[name] !== undefined);
  const [first] = present;
  if (first) errors.push(...sourceErrors(metric, first, path));
  const wanted = `${type.slice(0, 1).toLowerCase()}${type.slice(1)}`;
  // Kubernetes finds an unknown type twice.
  if (!isKnown) errors.push(unknown);
  else if (!present.some((name) => name === wanted)) {
    errors.push(requiredField(child(path, wanted), 'must populate information for the given metric source'));
  }
  if (present.length === 1) return errors;
  const others = present.filter((name) => name !== wanted);
  return [
    ...errors,
    ...others.map((name) => forbiddenField(child(path, name), 'must populate the given metric source only')),
  ];
}

function sourceErrors(metric: MetricSpec, name: SourceName, path: string): FieldError[] {
  const check = SOURCES[name] as (source: object, path: string) => FieldError[];
  return check(metric[name] ?? {}, child(path, name));
}

function identifiedErrors({ metric, target }: { metric: { name: string }; target: MetricTarget }, path: string) {
  return [
    ...segmentErrors(metric.name, child(path, 'metric.name'), 'must specify a metric name'),
    ...targetErrors(target, child(path, 'target')),
  ];
}

function missingValue({ value, averageValue }: MetricTarget, path: string, detail: string): FieldError[] {
  const isMissing = value === undefined && averageValue === undefined;
  return isMissing ? [requiredField(child(path, 'target.averageValue'), detail)] : [];
}

function amountErrors(target: MetricTarget, path: string): FieldError[] {
  const { averageUtilization, averageValue } = target;
  const errors = targetErrors(target, path);
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = 'must set either a target raw value or a target utilization';
    errors.push(requiredField(child(path, 'averageUtilization'), detail));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    const detail = 'may not set both a target raw value and a target utilization';
    errors.push(forbiddenField(child(path, 'averageValue'), detail));
  }
  return errors;
}

function targetErrors({ type, value, averageValue, averageUtilization }: MetricTarget, path: string): FieldError[] {
  const at = child(path, 'type');
  return [
    ...(type === '' ? [requiredField(at, 'must specify a metric target type')] : []),
    ...(TARGETS.includes(type) ? [] : [invalidField(at, type, 'must be either Utilization, Value, or AverageValue')]),
    ...quantityErrors(child(path, 'value'), value),
    ...quantityErrors(child(path, 'averageValue'), averageValue),
    ...positive(child(path, 'averageUtilization'), averageUtilization),
  ];
}

function quantityErrors(path: string, text: string | undefined): FieldError[] {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  if (quantity === undefined || quantity instanceof ParseError || quantity.nanos > 0n) return [];
  return [invalidField(path, text, 'must be positive')];
}

function rulesErrors(rules: Rules, path: string): FieldError[] {
  const { stabilizationWindowSeconds: window = 0, selectPolicy, policies = [] } = rules;
  const at = (name: string) => child(path, name);
  const errors: FieldError[] = [];
  if (window < 0) {
    errors.push(invalidField(at('stabilizationWindowSeconds'), window, 'must be greater than or equal to zero'));
  }
  if (window > MAX_WINDOW_SECONDS) {
    const detail = `must be less than or equal to ${MAX_WINDOW_SECONDS}`;
    errors.push(invalidField(at('stabilizationWindowSeconds'), window, detail));
  }
  if (selectPolicy !== undefined && !SELECTIONS.includes(selectPolicy)) {
    errors.push(notSupportedField(at('selectPolicy'), selectPolicy, SELECTIONS));
  }
  return [...errors, ...policies.flatMap((policy, position) => policyErrors(policy, index(at('policies'), position)))];
}

function policyErrors({ type, value, periodSeconds }: Policy, path: string): FieldError[] {
  const at = (name: string) => child(path, name);
  const errors = POLICIES.includes(type) ? [] : [notSupportedField(at('type'), type, POLICIES)];
  if (value <= 0) errors.push(invalidField(at('value'), value, 'must be greater than zero'));
  if (periodSeconds <= 0) errors.push(invalidField(at('periodSeconds'), periodSeconds, 'must be greater than zero'));
  if (periodSeconds > MAX_PERIOD_SECONDS) {
    const detail = `must be less than or equal to ${MAX_PERIOD_SECONDS}`;
    errors.push(invalidField(at('periodSeconds'), periodSeconds, detail));
  }
  return errors;
}
