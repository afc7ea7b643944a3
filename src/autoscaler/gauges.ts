/**
 * The autoscaler's figures per revision, under Knative's names as Prometheus shows them (facts: 12.1). A revision's
 * series go away with its PodAutoscaler. Only what changed is set again: most revisions rest most of the time.
 */
import type { Labels, Metric, MetricRegistry } from '#base/metrics.ts';
import type { DecisionRecord } from '#autoscaler/deciders.ts';
import type { PodCounts } from '#autoscaler/pod-counts.ts';
import { keyOf, labelsOf, namespaceOf, nameOf, type ObjectKey } from '#kube/object.ts';
import type { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { CONFIGURATION_LABEL, SERVICE_LABEL } from '#knative/labels.ts';

const HELP = {
  kn_revision_pods_desired: 'Pods that the autoscaler recommends.',
  kn_revision_capacity_excess: 'Requests beyond the target burst capacity that the pods can take.',
  kn_revision_panic_mode: '1 while the autoscaler panics.',
  kn_revision_concurrency_stable: 'Requests at a time, averaged over the stable window.',
  kn_revision_concurrency_panic: 'Requests at a time, averaged over the panic window.',
  kn_revision_concurrency_target: 'Requests at a time that a pod is meant to have.',
  kn_revision_rps_stable: 'Requests a second, averaged over the stable window.',
  kn_revision_rps_panic: 'Requests a second, averaged over the panic window.',
  kn_revision_rps_target: 'Requests a second that a pod is meant to have.',
  kn_revision_pods_requested: 'Pods that the PodAutoscaler asks for; -1 before the first decision.',
  kn_revision_pods_count: 'Pods that are ready.',
  kn_revision_pods_not_ready_count: 'Pods that exist and are not ready.',
  kn_revision_pods_pending_count: 'Pods that have not started.',
  kn_revision_pods_terminating_count: 'Pods that are ending.',
} as const;

type GaugeName = keyof typeof HELP;
type Figures = Partial<Record<GaugeName, number>>;

interface Shown {
  readonly labels: Labels;
  readonly figures: Figures;
}

export class AutoscalerGauges {
  readonly #gauges: ReadonlyMap<GaugeName, Metric>;
  readonly #shown = new Map<ObjectKey, Shown>();

  constructor(registry: MetricRegistry) {
    const names = Object.keys(HELP) as GaugeName[];
    this.#gauges = new Map(names.map((name) => [name, registry.gauge(name, HELP[name])]));
  }

  decided(podAutoscaler: PodAutoscaler, { decision, observed, spec }: DecisionRecord): void {
    const load: Figures =
      spec.metric === 'rps'
        ? {
            kn_revision_rps_stable: observed.stable,
            kn_revision_rps_panic: observed.panic,
            kn_revision_rps_target: spec.target,
          }
        : {
            kn_revision_concurrency_stable: observed.stable,
            kn_revision_concurrency_panic: observed.panic,
            kn_revision_concurrency_target: spec.target,
          };
    this.#show(podAutoscaler, {
      kn_revision_pods_desired: decision.desired,
      kn_revision_capacity_excess: decision.excessBurstCapacity,
      kn_revision_panic_mode: decision.panicking ? 1 : 0,
      ...load,
    });
  }

  counted(podAutoscaler: PodAutoscaler, want: number, counts: PodCounts): void {
    this.#show(podAutoscaler, {
      kn_revision_pods_requested: want,
      kn_revision_pods_count: counts.ready,
      kn_revision_pods_not_ready_count: counts.notReady,
      kn_revision_pods_pending_count: counts.pending,
      kn_revision_pods_terminating_count: counts.terminating,
    });
  }

  forget(key: ObjectKey): void {
    const shown = this.#shown.get(key);
    this.#shown.delete(key);
    for (const name of Object.keys(shown?.figures ?? {}) as GaugeName[]) {
      if (shown) this.#gauges.get(name)?.remove(shown.labels);
    }
  }

  #show(podAutoscaler: PodAutoscaler, figures: Figures): void {
    const key = keyOf(podAutoscaler);
    const shown = this.#shown.get(key) ?? { labels: labelsFor(podAutoscaler), figures: {} };
    this.#shown.set(key, shown);
    for (const name of Object.keys(figures) as GaugeName[]) {
      const value = figures[name];
      if (value === undefined || shown.figures[name] === value) continue;
      shown.figures[name] = value;
      this.#gauges.get(name)?.set(value, shown.labels);
    }
  }
}

function labelsFor(podAutoscaler: PodAutoscaler): Labels {
  const labels = labelsOf(podAutoscaler);
  return {
    kn_service_name: labels[SERVICE_LABEL] ?? '',
    kn_configuration_name: labels[CONFIGURATION_LABEL] ?? '',
    kn_revision_name: nameOf(podAutoscaler),
    k8s_namespace_name: namespaceOf(podAutoscaler),
  };
}
