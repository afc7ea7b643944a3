/**
 * Wires the autoscaler of one process: what comes in from the gateway, the deciders, the controllers of PodAutoscalers
 * and Metrics, and the journal.
 *
 *     gateway ─ report, activate ─▶ collector ─▶ deciders ─ changed ─▶ scale up now ─▶ Deployment
 *                                      ▲            │                 └▶ reconcile PodAutoscaler
 *                     Metric ─ windows ┘            └▶ journal, gauges
 */
import type { Timer } from '#base/clock.ts';
import { Collector } from '#autoscaler/collector.ts';
import { DECISION_PERIOD_MS } from '#autoscaler/decide.ts';
import { type DecisionRecord, Deciders, type Recommendation } from '#autoscaler/deciders.ts';
import type { AutoscalerEnvironment } from '#autoscaler/environment.ts';
import { AutoscalerGauges } from '#autoscaler/gauges.ts';
import { HpaReconciler } from '#autoscaler/hpa-reconciler.ts';
import { Journal } from '#autoscaler/journal.ts';
import { JournalRecorder } from '#autoscaler/journal-recorder.ts';
import { KpaReconciler } from '#autoscaler/kpa-reconciler.ts';
import { followMetric } from '#autoscaler/metric-reconciler.ts';
import { createPodAutoscalerController } from '#autoscaler/pod-autoscaler-controller.ts';
import { PodCounter } from '#autoscaler/pod-counts.ts';
import { Scaler } from '#autoscaler/scaler.ts';
import { steadyTime } from '#autoscaler/steady-time.ts';
import { Controller, watching } from '#controller/controller.ts';
import { reconcileStatus } from '#controller/status-reconcile.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { keyOf, keyOfRef, type KubeObject, type ObjectKey, type ObjectRef, uidOf } from '#kube/object.ts';
import type { Cache } from '#client/cache.ts';
import { metricConditions } from '#knative/conditions.ts';
import { Metric } from '#knative/kinds/metric.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import type { Activate, ColdStart, Report } from '#protocol/link.ts';

export interface AutoscalerOptions extends AutoscalerEnvironment {
  /** Where the journal is kept; no journal when absent. */
  readonly journalDir?: string | undefined;
}

export interface Autoscaler extends AsyncDisposable {
  readonly controllers: readonly Controller[];
  /**
   * Starts the controllers and the decisions. Call it when the caches have their first lists and, at home, the node agent
   * has found its pods again: a decider begins by the pods that are ready when it is made.
   */
  start(): void;
  onReport(report: Report): void;
  onActivate(message: Activate): void;
  onColdStart(message: ColdStart): void;
  /** Has a revision looked at again, since something outside the API changed: it is behind the activator now. */
  recheck(revision: ObjectRef): void;
  /** The last decision. */
  recommendation(revision: ObjectRef): Recommendation | undefined;
}

export function createAutoscaler(options: AutoscalerOptions): Autoscaler {
  return new Parts(options);
}

class Parts implements Autoscaler {
  readonly controllers: readonly Controller[];
  readonly #options: AutoscalerOptions;
  readonly #collector: Collector;
  readonly #deciders: Deciders;
  readonly #scaler: Scaler;
  readonly #gauges: AutoscalerGauges;
  readonly #journal: Journal | undefined;
  readonly #recorder: JournalRecorder | undefined;
  readonly #podAutoscalers: Controller;
  #ticks: Timer | undefined;
  #watches: readonly Disposable[] = [];

  constructor(options: AutoscalerOptions) {
    const { clock, logger, caches, metrics, journalDir } = options;
    this.#options = options;
    const time = steadyTime(clock);
    const pods = new PodCounter(caches.of(Pod));
    const readyPods = (key: ObjectKey) => pods.ready(key);
    this.#gauges = new AutoscalerGauges(metrics);
    if (journalDir !== undefined) {
      this.#journal = new Journal({ dir: journalDir, clock, logger });
      this.#recorder = new JournalRecorder({ journal: this.#journal, clock, time });
    }
    const recorder = this.#recorder;
    this.#collector = new Collector({
      clock,
      time,
      readyPods,
      onTraffic: (key, sample) => recorder?.traffic(key, sample),
    });
    this.#deciders = new Deciders({
      time,
      readyPods,
      observe: (key, metric) => this.#collector.observe(key, metric),
      onChange: (key) => this.#onChange(key),
      onBegin: (key, ready) => recorder?.begun(key, ready),
      onDecision: (record) => this.#onDecision(record),
    });
    this.#scaler = new Scaler({ ...options, onPlan: (record) => recorder?.planned(record) });
    this.#podAutoscalers = createPodAutoscalerController(options, {
      kpa: new KpaReconciler({
        ...options,
        deciders: this.#deciders,
        scaler: this.#scaler,
        pods,
        onPods: (podAutoscaler, want, counts) => this.#gauges.counted(podAutoscaler, want, counts),
      }),
      hpa: new HpaReconciler(options),
      forget: (key) => this.#forget(key),
    });
    this.controllers = [this.#podAutoscalers, this.#createMetricController()];
  }

  start(): void {
    const { caches } = this.#options;
    this.#watches = [
      onGone(caches.of(PodAutoscaler), (key) => this.#forget(key)),
      onGone(caches.of(Metric), (key) => this.#collector.forget(key)),
    ];
    for (const controller of this.controllers) controller.start();
    this.#ticks = this.#options.clock.every(DECISION_PERIOD_MS, () => {
      this.#deciders.tickAll();
      this.#recorder?.endRuns();
    });
  }

  onReport(report: Report): void {
    // A queue means that there is less capacity than load: waiting for the next period would only make it longer.
    for (const key of this.#collector.onReport(report)) this.#deciders.poke(key, 'surge');
  }

  onActivate(message: Activate): void {
    const key = keyOfRef({ namespace: message.namespace, name: message.name });
    if (!this.#collector.onActivate(message)) return;
    const isAwake = (this.#deciders.get(key)?.desired ?? 0) > 0;
    this.#deciders.poke(key, isAwake ? 'surge' : 'request-waits');
  }

  onColdStart(message: ColdStart): void {
    this.#recorder?.coldStart(message);
  }

  recheck({ namespace, name }: ObjectRef): void {
    this.#podAutoscalers.enqueue(keyOfRef({ namespace, name }));
  }

  recommendation({ namespace, name }: ObjectRef): Recommendation | undefined {
    return this.#deciders.get(keyOfRef({ namespace, name }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticks?.cancel();
    for (const watch of this.#watches) watch[Symbol.dispose]();
    await Promise.all(this.controllers.map((controller) => controller[Symbol.asyncDispose]()));
    await this.#journal?.[Symbol.asyncDispose]();
  }

  #onChange(key: ObjectKey): void {
    this.#scaler.scaleUpNow(key, this.#deciders.get(key)?.desired ?? 0);
    this.#podAutoscalers.enqueue(key);
  }

  #onDecision(record: DecisionRecord): void {
    this.#recorder?.decided(record);
    const podAutoscaler = this.#options.caches.of(PodAutoscaler).byKey(record.key);
    if (podAutoscaler) this.#gauges.decided(podAutoscaler, record);
  }

  #forget(key: ObjectKey): void {
    this.#deciders.forget(key);
    this.#recorder?.forget(key);
    this.#gauges.forget(key);
  }

  #createMetricController(): Controller {
    const { caches, client, clock, eventsOf } = this.#options;
    const cache = caches.of(Metric);
    const events = eventsOf('metric-controller');
    return new Controller({
      ...this.#options,
      name: 'metric',
      sources: [watching(cache)],
      reconcile: async (key) => {
        const metric = cache.byKey(key);
        if (!metric) return this.#collector.forget(key);
        return reconcileStatus({
          kind: Metric,
          object: metric,
          conditions: metricConditions,
          client,
          clock,
          events,
          durability: () => 'derived',
          work: async (_status, conditions) => {
            if (followMetric(this.#collector, metric)) this.#deciders.poke(key, 'request-waits');
            conditions.markTrue('Ready');
          },
        });
      },
    });
  }
}

/**
 * Called at once when an object goes. A reconcile may come so late that another of the same name is there, which must
 * not inherit what was decided for the first.
 */
function onGone<T extends KubeObject>(cache: Cache<T>, forget: (key: ObjectKey) => void): Disposable {
  return cache.subscribe(({ type, object, previous }) => {
    if (type === 'deleted' || (previous && uidOf(previous) !== uidOf(object))) forget(keyOf(object));
  });
}
