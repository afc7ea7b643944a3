/** The controller of PodAutoscalers: hands each to the reconciler of its class, and leaves other classes alone. */
import type { AutoscalerEnvironment } from '#autoscaler/environment.ts';
import type { HpaReconciler } from '#autoscaler/hpa-reconciler.ts';
import type { KpaReconciler } from '#autoscaler/kpa-reconciler.ts';
import type { Durability } from '#client/transport.ts';
import { Controller, controllerOwner, labelled, type Outcome, watching } from '#controller/controller.ts';
import { onConfigChange } from '#controller/live-configs.ts';
import { reconcileStatus } from '#controller/status-reconcile.ts';
import { HorizontalPodAutoscaler } from '#kube/kinds/autoscaling/horizontal-pod-autoscaler.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { annotationsOf, isBeingDeleted, keyOf, type ObjectKey, type Stored } from '#kube/object.ts';
import { findCondition, podAutoscalerConditions, type StatusWithConditions } from '#knative/conditions.ts';
import { Metric } from '#knative/kinds/metric.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { ServerlessService } from '#knative/kinds/serverless-service.ts';
import { autoscalingKeys, HPA_CLASS, KPA_CLASS, REVISION_LABEL, valueByKeys } from '#knative/labels.ts';

export interface Reconcilers {
  readonly kpa: KpaReconciler;
  readonly hpa: HpaReconciler;
  /** Told of a PodAutoscaler that is gone, or is of another class now. */
  readonly forget: (key: ObjectKey) => void;
}

export function createPodAutoscalerController(
  environment: AutoscalerEnvironment,
  reconcilers: Reconcilers,
): Controller {
  const { caches, configs, clock, client } = environment;
  const cache = caches.of(PodAutoscaler);
  const events = environment.eventsOf('podautoscaler-controller');
  const reconcile = async (key: ObjectKey): Promise<Outcome> => {
    const podAutoscaler = cache.byKey(key);
    const reconciler = podAutoscaler && reconcilerFor(podAutoscaler, environment, reconcilers);
    if (reconciler !== reconcilers.kpa) reconcilers.forget(key);
    if (!podAutoscaler || !reconciler || isBeingDeleted(podAutoscaler)) return;
    return reconcileStatus({
      kind: PodAutoscaler,
      object: podAutoscaler,
      conditions: podAutoscalerConditions,
      client,
      clock,
      events,
      durability: durabilityOf,
      work: async (status, conditions) =>
        (await reconciler.reconcile(podAutoscaler, { status, conditions })) ?? undefined,
    });
  };
  return new Controller({
    ...environment,
    name: 'podautoscaler',
    sources: [
      watching(cache),
      watching(caches.of(ServerlessService), controllerOwner(PodAutoscaler)),
      watching(caches.of(Metric), controllerOwner(PodAutoscaler)),
      watching(caches.of(HorizontalPodAutoscaler), controllerOwner(PodAutoscaler)),
      watching(caches.of(Pod), labelled(REVISION_LABEL)),
      onConfigChange(configs, ['config-autoscaler', 'config-deployment'], () => cache.list().map(keyOf)),
    ],
    reconcile,
  });
}

function reconcilerFor(
  podAutoscaler: Stored<PodAutoscaler>,
  { configs }: AutoscalerEnvironment,
  { kpa, hpa }: Reconcilers,
): KpaReconciler | HpaReconciler | undefined {
  const annotated = valueByKeys(annotationsOf(podAutoscaler), autoscalingKeys.class);
  const name = annotated ?? configs.current.autoscaler.podAutoscalerClass;
  if (name === KPA_CLASS) return kpa;
  return name === HPA_CLASS ? hpa : undefined;
}

/**
 * A status follows from the world, except that a revision once had all its initial pods: that is history, and without
 * it a revision at rest would count as one that never came up.
 */
function durabilityOf(before: StatusWithConditions | undefined, after: StatusWithConditions): Durability {
  const isInitialised = (status: StatusWithConditions | undefined) =>
    findCondition(status, 'ScaleTargetInitialized')?.status === 'True';
  return isInitialised(before) === isInitialised(after) ? 'derived' : 'durable';
}
