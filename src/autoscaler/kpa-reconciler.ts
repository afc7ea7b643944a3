/**
 * The PodAutoscaler of class kpa: makes its ServerlessService and Metric, keeps its decider, scales its target, and
 * tells in its status what came of it (facts: 7.5).
 */
import { planActivators, planActive, planMode, MIN_ACTIVATORS, shownScale } from '#autoscaler/activity.ts';
import { UNKNOWN_SCALE } from '#autoscaler/apply-scale.ts';
import { activeThreshold } from '#autoscaler/bounds.ts';
import { metricFor, serverlessServiceFor } from '#autoscaler/children.ts';
import type { Deciders, Recommendation } from '#autoscaler/deciders.ts';
import type { AutoscalerEnvironment } from '#autoscaler/environment.ts';
import { failedTo, missingLabel, NotOwnedError } from '#autoscaler/errors.ts';
import { ensureOwned, type OwnedObject } from '#autoscaler/owned.ts';
import type { PodCounter, PodCounts } from '#autoscaler/pod-counts.ts';
import { activityOf, type Scaler } from '#autoscaler/scaler.ts';
import { resolveSettings, type ScalingSettings } from '#autoscaler/settings.ts';
import type { Outcome } from '#controller/controller.ts';
import { keyOf, type KubeObject, labelsOf, namespaceOf, nameOf, type ObjectKey, type Stored } from '#kube/object.ts';
import { type Conditions, findCondition, isReady, READY } from '#knative/conditions.ts';
import { Metric } from '#knative/kinds/metric.ts';
import type { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { ServerlessService } from '#knative/kinds/serverless-service.ts';
import { CONFIGURATION_LABEL, REVISION_LABEL } from '#knative/labels.ts';

type Status = NonNullable<PodAutoscaler['status']>;
export type PodAutoscalerConditions = Conditions<'Active' | 'ScaleTargetInitialized' | 'SKSReady' | typeof READY>;

/** A status that is being worked on. */
export interface Draft {
  readonly status: Status;
  readonly conditions: PodAutoscalerConditions;
}

export interface KpaReconcilerOptions extends AutoscalerEnvironment {
  readonly deciders: Deciders;
  readonly scaler: Scaler;
  readonly pods: PodCounter;
  /** Told what a reconcile saw. */
  readonly onPods?: (podAutoscaler: PodAutoscaler, want: number, counts: PodCounts) => void;
}

const NO_PODS: PodCounts = { ready: 0, notReady: 0, pending: 0, terminating: 0 };

export class KpaReconciler {
  readonly #options: KpaReconcilerOptions;

  constructor(options: KpaReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(podAutoscaler: Stored<PodAutoscaler>, draft: Draft): Promise<Outcome> {
    const { caches, configs } = this.#options;
    const settings = resolveSettings(podAutoscaler, configs.current);
    const services = caches.of(ServerlessService).byKey(keyOf(podAutoscaler));
    const privateService = services?.status?.privateServiceName;
    draft.status.serviceName ??= '';
    draft.status.metricsServiceName ??= '';
    if (!privateService) return this.#withoutServices(podAutoscaler, settings, draft);
    draft.status.metricsServiceName = privateService;
    return this.#withServices(podAutoscaler, settings, draft);
  }

  /** Before the Services are there nothing can be measured and nothing is scaled. */
  async #withoutServices(
    podAutoscaler: Stored<PodAutoscaler>,
    settings: ScalingSettings,
    draft: Draft,
  ): Promise<undefined> {
    await this.#ensureServices(
      podAutoscaler,
      draft,
      serverlessServiceFor(podAutoscaler, { mode: 'Proxy', activators: MIN_ACTIVATORS }),
    );
    draft.conditions.markUnknown('SKSReady', { reason: 'NotReady', message: 'No Private Service Name' });
    this.#tell(podAutoscaler, settings, draft, { want: UNKNOWN_SCALE, counts: NO_PODS });
  }

  async #withServices(podAutoscaler: Stored<PodAutoscaler>, settings: ScalingSettings, draft: Draft): Promise<Outcome> {
    const { scaler, pods } = this.#options;
    const { status, conditions } = draft;
    const { desired, excessBurstCapacity } = this.#followDecider(podAutoscaler, settings);
    await this.#ensureMetric(podAutoscaler, settings, draft);
    const plan = await this.#scale(scaler.scale({ podAutoscaler, status, settings, desired }));
    const counts = pods.count({
      namespace: namespaceOf(podAutoscaler),
      name: labelsOf(podAutoscaler)[REVISION_LABEL] ?? '',
    });
    const mode = planMode(plan.want, excessBurstCapacity);
    const activators = planActivators(counts.ready, settings.spec);
    const services = await this.#ensureServices(
      podAutoscaler,
      draft,
      serverlessServiceFor(podAutoscaler, { mode, activators }),
    );
    status.serviceName = services.status?.serviceName ?? '';
    if (isReady(services)) conditions.markTrue('SKSReady');
    else conditions.markUnknown('SKSReady', { reason: 'NotReady', message: readyMessage(services) });
    this.#tell(podAutoscaler, settings, draft, { want: plan.want, counts });
    return plan.againAfterMs === undefined ? undefined : { requeueAfterMs: plan.againAfterMs };
  }

  #followDecider(podAutoscaler: PodAutoscaler, { spec }: ScalingSettings): Recommendation {
    const { deciders } = this.#options;
    const key: ObjectKey = keyOf(podAutoscaler);
    const missing = [CONFIGURATION_LABEL, REVISION_LABEL].find((label) => !labelsOf(podAutoscaler)[label]);
    if (missing === undefined) return deciders.follow(key, spec);
    const cause = failedTo('error creating Decider', missingLabel(missing, nameOf(podAutoscaler)));
    throw failedTo('error reconciling Decider', cause);
  }

  async #ensureMetric(podAutoscaler: Stored<PodAutoscaler>, settings: ScalingSettings, draft: Draft): Promise<void> {
    const scrapeTarget = settings.scale.isAlwaysProxied ? '' : draft.status.metricsServiceName;
    const wanted = metricFor(podAutoscaler, settings.windows, scrapeTarget);
    const notOwned = `PA: ${nameOf(podAutoscaler)} does not own Metric: ${nameOf(wanted)}`;
    await this.#ensure('error reconciling Metric', draft, { kind: Metric, owner: podAutoscaler, wanted, notOwned });
  }

  async #ensureServices(
    podAutoscaler: Stored<PodAutoscaler>,
    draft: Draft,
    wanted: ServerlessService,
  ): Promise<Stored<ServerlessService>> {
    const notOwned = `PA: ${nameOf(podAutoscaler)} does not own SKS: ${nameOf(wanted)}`;
    const owned = { kind: ServerlessService, owner: podAutoscaler, wanted, notOwned };
    return this.#ensure('error reconciling SKS', draft, owned);
  }

  async #ensure<T extends KubeObject & { spec?: unknown }>(
    attempt: string,
    { conditions }: Draft,
    owned: OwnedObject<T>,
  ): Promise<Stored<T>> {
    try {
      return await ensureOwned(this.#options, owned);
    } catch (error) {
      if (error instanceof NotOwnedError) conditions.markFalse('Active', error.condition);
      throw failedTo(attempt, error);
    }
  }

  async #scale<T>(scaling: Promise<T>): Promise<T> {
    try {
      return await scaling;
    } catch (error) {
      throw failedTo('error scaling target', error);
    }
  }

  #tell(
    podAutoscaler: PodAutoscaler,
    settings: ScalingSettings,
    { status, conditions }: Draft,
    seen: { readonly want: number; readonly counts: PodCounts },
  ): void {
    const { want, counts } = seen;
    status.actualScale = counts.ready;
    status.desiredScale = shownScale(want, status.desiredScale);
    const isInitialised = conditions.get('ScaleTargetInitialized')?.status === 'True';
    const threshold = activeThreshold({ ...settings.limits, isInitialised });
    if (counts.ready >= threshold && status.serviceName !== '') conditions.markTrue('ScaleTargetInitialized');
    const activity = activityOf(conditions.get('Active'));
    const active = planActive({ want, ready: counts.ready, threshold, activity });
    if (active) conditions.copy('Active', active);
    this.#options.onPods?.(podAutoscaler, want, counts);
  }
}

function readyMessage(services: ServerlessService): string {
  return findCondition(services.status, READY)?.message ?? '';
}
