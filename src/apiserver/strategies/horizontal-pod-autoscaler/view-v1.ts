/**
 * autoscaling/v1 shows the same HorizontalPodAutoscalers as v2. What it has no members for stands in annotations, in
 * Kubernetes' form, so that a client of v1 can read an object and write it back without losing anything.
 */
import { isObject } from '#base/json.ts';
import { canonicalValue } from '#kube/canonical.ts';
import { decodeError } from '#kube/decode-errors.ts';
import { HorizontalPodAutoscaler } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import { HorizontalPodAutoscalerV1 } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler-v1.ts';
import { type MetricSpec, metricSpecSchema, metricStatusSchema } from '#kube/kinds/autoscaling/hpa-metric.ts';
import {
  horizontalPodAutoscalerBehaviorSchema,
  horizontalPodAutoscalerConditionSchema,
} from '#kube/kinds/autoscaling/hpa-spec.ts';
import type { KubeObject, ObjectMeta } from '#kube/object.ts';
import type { KindView } from '#apiserver/registry.ts';
import {
  listFrom,
  metricsFromV1,
  metricsToV1,
  parse,
  statusesFromV1,
  statusesToV1,
} from '#apiserver/strategies/horizontal-pod-autoscaler/metrics-v1.ts';

const PREFIX = 'autoscaling.alpha.kubernetes.io/';
const METRICS = `${PREFIX}metrics`;
const STATUSES = `${PREFIX}current-metrics`;
const CONDITIONS = `${PREFIX}conditions`;
const BEHAVIOR = `${PREFIX}behavior`;
const OURS = [METRICS, STATUSES, CONDITIONS, BEHAVIOR, `${PREFIX}scale-down-tolerance`, `${PREFIX}scale-up-tolerance`];

type Spec = HorizontalPodAutoscaler['spec'];
type Status = NonNullable<HorizontalPodAutoscaler['status']>;
type Behavior = NonNullable<Spec['behavior']>;

export const horizontalPodAutoscalerView: KindView = {
  kind: HorizontalPodAutoscalerV1,
  storedAs: HorizontalPodAutoscaler,
  fromStored: (object: KubeObject) => toV1(object as HorizontalPodAutoscaler),
  toStored: (object: KubeObject) => fromV1(object as HorizontalPodAutoscalerV1),
};

function toV1({ metadata, spec, status }: HorizontalPodAutoscaler): HorizontalPodAutoscalerV1 {
  const { scaleTargetRef, minReplicas, maxReplicas, metrics = [], behavior } = spec;
  const others = metrics.filter((metric) => !isCpuShare(metric));
  // Kept also where it says no more than the member: that one has no value beside the percentage.
  const seen = status?.currentMetrics ?? [];
  const conditions = status?.conditions ?? [];
  const annotations: Record<string, string> = {
    ...withoutOurs(metadata),
    ...(others.length > 0 ? { [METRICS]: JSON.stringify(metricsToV1(others)) } : {}),
    ...(seen.length > 0 ? { [STATUSES]: JSON.stringify(statusesToV1(seen)) } : {}),
    ...(behavior ? { [BEHAVIOR]: JSON.stringify(behaviorToGo(behavior)) } : {}),
    ...(conditions.length > 0 ? { [CONDITIONS]: JSON.stringify(conditions) } : {}),
  };
  const share = metrics.find(isCpuShare)?.resource?.target.averageUtilization;
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: annotated(metadata, annotations),
    spec: {
      scaleTargetRef,
      ...(minReplicas === undefined ? {} : { minReplicas }),
      maxReplicas,
      ...(share === undefined ? {} : { targetCPUUtilizationPercentage: share }),
    },
    status: statusToV1(status ?? { desiredReplicas: 0 }),
  };
}

function statusToV1({ currentMetrics, conditions: _, ...status }: Status): HorizontalPodAutoscalerV1['status'] {
  const seen = (currentMetrics ?? []).filter(({ type, resource }) => type === 'Resource' && resource?.name === 'cpu');
  const share = seen.findLast(({ resource }) => resource?.current.averageUtilization !== undefined);
  const percentage = share?.resource?.current.averageUtilization;
  return {
    ...status,
    currentReplicas: status.currentReplicas ?? 0,
    ...(percentage === undefined ? {} : { currentCPUUtilizationPercentage: percentage }),
  };
}

/** What v1 has a member for. */
function isCpuShare({ type, resource }: MetricSpec): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined;
}

function fromV1({ metadata, spec, status }: HorizontalPodAutoscalerV1): HorizontalPodAutoscaler {
  const { targetCPUUtilizationPercentage: share, ...rest } = spec;
  const annotations = metadata.annotations ?? {};
  const behavior = behaviorFrom(annotations[BEHAVIOR]);
  const metrics = [...(metricsFromV1(annotations[METRICS] ?? '', metricSpecSchema) ?? [])];
  if (share !== undefined) metrics.push(cpuShare(share));
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: annotated(metadata, withoutOurs(metadata)),
    spec: { ...rest, ...(metrics.length > 0 ? { metrics } : {}), ...(behavior ? { behavior } : {}) },
    status: statusFromV1(status, annotations),
  };
}

function cpuShare(averageUtilization: number): MetricSpec {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}

function statusFromV1(
  status: HorizontalPodAutoscalerV1['status'],
  annotations: Readonly<Record<string, string>>,
): Status {
  const { currentCPUUtilizationPercentage: share, ...rest } = status ?? { currentReplicas: 0, desiredReplicas: 0 };
  const member = share === undefined ? [] : [cpuSeen(share)];
  const currentMetrics = statusesFromV1(annotations[STATUSES] ?? '', metricStatusSchema) ?? member;
  const conditions = listFrom(annotations[CONDITIONS] ?? '', horizontalPodAutoscalerConditionSchema, (one) => one);
  return { ...rest, ...(currentMetrics.length > 0 ? { currentMetrics } : {}), ...(conditions ? { conditions } : {}) };
}

function cpuSeen(averageUtilization: number): NonNullable<Status['currentMetrics']>[number] {
  return { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization } } };
}

function withoutOurs({ annotations = {} }: ObjectMeta): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !OURS.includes(key)));
}

function annotated(metadata: ObjectMeta, annotations: Record<string, string>): ObjectMeta {
  const { annotations: _, ...rest } = metadata;
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations };
}

/** Kubernetes writes this annotation from a type of its own that has no JSON names: members as Go spells them. */
function behaviorToGo(behavior: Behavior): object {
  const rules = (one: Behavior['scaleUp']) =>
    one && {
      StabilizationWindowSeconds: one.stabilizationWindowSeconds ?? null,
      SelectPolicy: one.selectPolicy ?? null,
      Policies: (one.policies ?? []).map(({ type, value, periodSeconds }) => ({
        Type: type,
        Value: value,
        PeriodSeconds: periodSeconds,
      })),
      Tolerance: null,
    };
  return { ScaleUp: rules(behavior.scaleUp) ?? null, ScaleDown: rules(behavior.scaleDown) ?? null };
}

/** Undefined when there is none, or it is not of the form of one. */
function behaviorFrom(text: string | undefined): Behavior | undefined {
  const value = text === undefined ? undefined : lowered(parse(text));
  if (!isObject(value) || Object.keys(value).length === 0) return undefined;
  const schema = horizontalPodAutoscalerBehaviorSchema;
  return decodeError(schema, value) === undefined ? (canonicalValue(schema, value) as Behavior) : undefined;
}

/** Members in JSON's spelling; those that are null are left out. */
function lowered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowered);
  if (!isObject(value)) return value;
  const members = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(members.map(([key, one]) => [key.slice(0, 1).toLowerCase() + key.slice(1), lowered(one)]));
}
