/** The table of HorizontalPodAutoscalers. */
import { HorizontalPodAutoscaler } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import type { MetricSpec, MetricTarget, MetricValueStatus } from '#kube/kinds/autoscaling/hpa-metric.ts';
import { listOf } from '#apiserver/lists.ts';
import { ageColumn, ageOf, column, nameColumn, NONE, tableFor } from '#apiserver/table/columns.ts';

const UNKNOWN = '<unknown>';

/** As many metrics as are shown before the rest is counted. */
const MAX_SHOWN = 2;

export const horizontalPodAutoscalerTable = tableFor(HorizontalPodAutoscaler, {
  columns: [
    nameColumn,
    column('Reference', 'What is scaled.'),
    column('Targets', 'Each metric: what it is, and what it should be.'),
    column('MinPods', 'The fewest pods.'),
    column('MaxPods', 'The most pods.'),
    column('Replicas', 'Pods at present.'),
    ageColumn,
  ],
  row(autoscaler, now) {
    const { spec, status } = autoscaler;
    const current = listOf(status?.currentMetrics);
    const targets = (spec.metrics ?? []).map((metric, position) => targetText(metric, current[position]));
    return {
      cells: [
        autoscaler.metadata.name ?? '',
        `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
        shortened(targets),
        spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
        spec.maxReplicas,
        status?.currentReplicas ?? 0,
        ageOf(autoscaler, now),
      ],
    };
  },
});

function shortened(targets: readonly string[]): string {
  if (targets.length === 0) return NONE;
  const shown = targets.slice(0, MAX_SHOWN).join(', ');
  return targets.length > MAX_SHOWN ? `${shown} + ${targets.length - MAX_SHOWN} more...` : shown;
}

interface Values {
  readonly target: MetricTarget;
  readonly current: MetricValueStatus | undefined;
}

function targetText(spec: MetricSpec, status: Partial<Record<string, unknown>> | undefined): string {
  const member = spec.type.slice(0, 1).toLowerCase() + spec.type.slice(1);
  const source = (spec as Partial<Record<string, unknown>>)[member] as
    | { target: MetricTarget; name?: string }
    | undefined;
  if (!source) return '<unknown type>';
  const { current } = (status?.[member] ?? {}) as { current?: MetricValueStatus };
  const values = { target: source.target, current };
  switch (spec.type) {
    case 'Resource':
    case 'ContainerResource':
      return `${source.name ?? ''}: ${resourceText(values)}`;
    case 'Pods':
      return `${current?.averageValue ?? UNKNOWN}/${source.target.averageValue ?? ''}`;
    default:
      return valueText(values);
  }
}

function resourceText({ target, current }: Values): string {
  if (target.averageValue !== undefined) return `${current?.averageValue ?? UNKNOWN}/${target.averageValue}`;
  const percent = (value: number | undefined, none: string) => (value === undefined ? none : `${value}%`);
  return `${percent(current?.averageUtilization, UNKNOWN)}/${percent(target.averageUtilization, '<auto>')}`;
}

function valueText({ target, current }: Values): string {
  if (target.averageValue !== undefined) return `${current?.averageValue ?? UNKNOWN}/${target.averageValue} (avg)`;
  return `${current?.value ?? UNKNOWN}/${target.value ?? ''}`;
}
