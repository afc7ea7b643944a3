/** The PodAutoscaler of a Revision, and bringing one that exists along. Pure. */
import { deepEqual } from '#base/json.ts';
import { typed } from '#kube/kind.ts';
import type { Deployment } from '#kube/kinds/apps/deployment.ts';
import { annotationsOf, labelsOf, nameOf, type Stored } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import type { AutoscalerConfig } from '#knative/config/autoscaler.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import { autoscalingKeys, ROUTING_STATE_LABEL } from '#knative/labels.ts';
import { deploymentName } from '#knative/names.ts';
import { childAnnotations, childLabels, isAutoscalingKey } from '#serving/revision/metadata.ts';
import { protocolOf } from '#serving/revision/protocol.ts';

export type Reachability = NonNullable<PodAutoscaler['spec']['reachability']>;

const [CLASS_ANNOTATION] = autoscalingKeys.class;
const [METRIC_ANNOTATION] = autoscalingKeys.metric;
/** Filled in by admission where the Revision says nothing. */
const DEFAULTED = new Set<string>([CLASS_ANNOTATION, METRIC_ANNOTATION]);

export interface PodAutoscalerInput {
  readonly revision: Revision;
  readonly deployment?: Deployment | undefined;
  /** ResourcesAvailable or ContainerHealthy is False. */
  readonly hasFailed: boolean;
  readonly autoscaler: AutoscalerConfig;
}

export function desiredPodAutoscaler(input: PodAutoscalerInput): PodAutoscaler {
  const { revision, autoscaler } = input;
  const reachability = reachabilityOf(input);
  return typed(PodAutoscaler, {
    metadata: {
      name: nameOf(revision),
      namespace: revision.metadata.namespace,
      labels: childLabels(revision),
      annotations: { [CLASS_ANNOTATION]: autoscaler.podAutoscalerClass, ...childAnnotations(revision) },
      ownerReferences: [controllerRefTo(revision)],
    },
    spec: {
      containerConcurrency: revision.spec.containerConcurrency || undefined,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deploymentName(nameOf(revision)) },
      protocolType: protocolOf(revision),
      reachability: reachability === '' ? undefined : reachability,
    },
  });
}

/** A Revision that cannot come up, with pods wanted and none ready, is given up: its minimum no longer holds. */
function reachabilityOf({ revision, deployment, hasFailed }: PodAutoscalerInput): Reachability {
  const isStuck = (deployment?.spec.replicas ?? 0) > 0 && (deployment?.status?.readyReplicas ?? 0) === 0;
  if (hasFailed && isStuck) return 'Unreachable';
  const state = labelsOf(revision)[ROUTING_STATE_LABEL];
  if (state === 'active') return 'Reachable';
  return state === 'reserve' ? 'Unreachable' : '';
}

/** The existing one brought to what is wanted; undefined when it is that already. */
export function updatedPodAutoscaler(
  existing: Stored<PodAutoscaler>,
  desired: PodAutoscaler,
  revision: Revision,
): Stored<PodAutoscaler> | undefined {
  const annotations = syncedAnnotations(annotationsOf(existing), childAnnotations(revision));
  const changed = { ...existing, metadata: { ...existing.metadata, annotations }, spec: desired.spec };
  return deepEqual(existing, changed) ? undefined : changed;
}

/** The Revision is the source of the autoscaler's settings: what it no longer has goes. */
function syncedAnnotations(
  existing: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(existing).filter(
    ([key]) => key in wanted || DEFAULTED.has(key) || !isAutoscalingKey(key),
  );
  return { ...Object.fromEntries(kept), ...wanted };
}
