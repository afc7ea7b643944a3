/**
 * The PodAutoscaler of class hpa: hands the scaling over to a HorizontalPodAutoscaler and tells what that one does
 * (facts: 7.7). Requests always go straight to the pods, and it never scales to zero.
 */
import { activeThreshold } from '#autoscaler/bounds.ts';
import { serverlessServiceFor } from '#autoscaler/children.ts';
import type { AutoscalerEnvironment } from '#autoscaler/environment.ts';
import { failedCreation, failedTo, NotOwnedError } from '#autoscaler/errors.ts';
import { horizontalPodAutoscalerFor, isSameSpec } from '#autoscaler/hpa.ts';
import type { Draft } from '#autoscaler/kpa-reconciler.ts';
import { ensureOwned } from '#autoscaler/owned.ts';
import { resolveSettings, type ScalingSettings } from '#autoscaler/settings.ts';
import { HorizontalPodAutoscaler } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import { keyOf, nameOf, type Stored } from '#kube/object.ts';
import { isReady } from '#knative/conditions.ts';
import type { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { ServerlessService } from '#knative/kinds/serverless-service.ts';

/** All activators, should they ever be in the way. */
const ALL_ACTIVATORS = 0;

export class HpaReconciler {
  readonly #environment: AutoscalerEnvironment;

  constructor(environment: AutoscalerEnvironment) {
    this.#environment = environment;
  }

  async reconcile(podAutoscaler: Stored<PodAutoscaler>, draft: Draft): Promise<void> {
    const settings = resolveSettings(podAutoscaler, this.#environment.configs.current);
    const { status, conditions } = draft;
    status.serviceName ??= '';
    status.metricsServiceName ??= '';
    const scaler = await this.#ensureScaler(podAutoscaler, settings, draft);
    const services = await this.#ensureServices(podAutoscaler, draft);
    status.metricsServiceName = services.status?.privateServiceName ?? '';
    status.serviceName = services.status?.serviceName ?? '';
    const current = scaler.status?.currentReplicas ?? 0;
    if (isReady(services)) {
      conditions.markTrue('SKSReady');
      const isInitialised = conditions.get('ScaleTargetInitialized')?.status === 'True';
      const threshold = activeThreshold({ ...settings.limits, isInitialised });
      if (!isInitialised && current >= threshold) conditions.markTrue('ScaleTargetInitialized');
    } else {
      conditions.markUnknown('SKSReady', { reason: 'NotReady', message: 'SKS Services are not ready yet' });
    }
    conditions.markTrue('Active');
    status.desiredScale = scaler.status?.desiredReplicas ?? 0;
    status.actualScale = current;
  }

  async #ensureScaler(
    podAutoscaler: Stored<PodAutoscaler>,
    settings: ScalingSettings,
    { conditions }: Draft,
  ): Promise<Stored<HorizontalPodAutoscaler>> {
    const name = nameOf(podAutoscaler);
    const wanted = horizontalPodAutoscalerFor(podAutoscaler, settings);
    const there = this.#environment.caches.of(HorizontalPodAutoscaler).byKey(keyOf(podAutoscaler));
    try {
      return await ensureOwned(this.#environment, {
        kind: HorizontalPodAutoscaler,
        owner: podAutoscaler,
        wanted,
        notOwned: `PodAutoscaler: "${name}" does not own HPA: "${name}"`,
        isAsWanted: ({ spec }) => isSameSpec(spec, wanted.spec),
      });
    } catch (error) {
      if (error instanceof NotOwnedError) {
        conditions.markFalse('Active', error.condition);
        throw error;
      }
      if (!there) conditions.markFalse('Active', failedCreation('HorizontalPodAutoscaler', name));
      throw failedTo(there ? 'failed to update HPA' : 'failed to create HPA', error);
    }
  }

  async #ensureServices(
    podAutoscaler: Stored<PodAutoscaler>,
    { conditions }: Draft,
  ): Promise<Stored<ServerlessService>> {
    const wanted = serverlessServiceFor(podAutoscaler, { mode: 'Serve', activators: ALL_ACTIVATORS });
    const notOwned = `PA: ${nameOf(podAutoscaler)} does not own SKS: ${nameOf(wanted)}`;
    try {
      return await ensureOwned(this.#environment, { kind: ServerlessService, owner: podAutoscaler, wanted, notOwned });
    } catch (error) {
      if (error instanceof NotOwnedError) conditions.markFalse('Active', error.condition);
      throw failedTo('error reconciling SKS', error);
    }
  }
}
