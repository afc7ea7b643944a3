/** The objects that a PodAutoscaler of class kpa makes. Pure. */
import type { ServeMode } from '#autoscaler/activity.ts';
import type { Windows } from '#autoscaler/settings.ts';
import { annotationsOf, labelsOf, namespaceOf, nameOf, type ObjectMeta } from '#kube/object.ts';
import { typed } from '#kube/kind.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { Metric } from '#knative/kinds/metric.ts';
import type { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { ServerlessService } from '#knative/kinds/serverless-service.ts';
import { autoscalingKeys, withoutKeys } from '#knative/labels.ts';

const NS_PER_MS = 1_000_000;

/** Asks for the load of the pods behind `scrapeTarget` to be measured; empty: only what the activator tells. */
export function metricFor(podAutoscaler: PodAutoscaler, windows: Windows, scrapeTarget: string): Metric {
  return typed(Metric, {
    metadata: { ...childMetadata(podAutoscaler), annotations: { ...annotationsOf(podAutoscaler) } },
    spec: { stableWindow: windows.stableMs * NS_PER_MS, panicWindow: windows.panicMs * NS_PER_MS, scrapeTarget },
  });
}

export function serverlessServiceFor(
  podAutoscaler: PodAutoscaler,
  { mode, activators }: { mode: ServeMode; activators: number },
): ServerlessService {
  const annotations = withoutKeys(annotationsOf(podAutoscaler), autoscalingKeys.metric);
  const { apiVersion, kind, name } = podAutoscaler.spec?.scaleTargetRef ?? {};
  return typed(ServerlessService, {
    metadata: { ...childMetadata(podAutoscaler), annotations },
    spec: {
      mode,
      objectRef: { apiVersion, kind, name },
      protocolType: podAutoscaler.spec?.protocolType ?? '',
      // Go leaves a zero out, and so must whoever compares.
      ...(activators === 0 ? {} : { numActivators: activators }),
    },
  });
}

export function childMetadata(podAutoscaler: PodAutoscaler): ObjectMeta {
  return {
    name: nameOf(podAutoscaler),
    namespace: namespaceOf(podAutoscaler),
    labels: { ...labelsOf(podAutoscaler) },
    ownerReferences: [controllerRefTo(podAutoscaler)],
  };
}
