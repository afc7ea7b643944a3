/**
 * How many pods a ReplicaSet lacks or has too many, and which of them go. Pure.
 *
 * Order of removal (Kubernetes' ReplicaSet controller): not assigned before assigned, pending before unknown before
 * running, not ready before ready, lower deletion cost first, ready for a shorter time first, more restarts first,
 * younger first.
 */
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import type { ReplicaSetCondition, ReplicaSetStatus } from '#kube/kinds/apps/replica-set-spec.ts';
import { annotationsOf, labelsOf } from '#kube/object.ts';
import { formatTime, parseTime } from '#kube/time.ts';
import { isPodActive, isPodAvailable, isPodReady, podCondition } from '#workloads/pods.ts';

/** Most pods that one reconcile makes or removes. */
const BURST_REPLICAS = 500;

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

export interface ReplicaSetPlan {
  readonly create: number;
  readonly remove: readonly Pod[];
}

export function planReplicas(replicaSet: ReplicaSet, pods: readonly Pod[]): ReplicaSetPlan {
  const active = pods.filter(isPodActive);
  const difference = (replicaSet.spec.replicas ?? 1) - active.length;
  if (difference >= 0) return { create: Math.min(difference, BURST_REPLICAS), remove: [] };
  const victims = active.sort(byRemovalOrder).slice(0, Math.min(-difference, BURST_REPLICAS));
  return { create: 0, remove: victims };
}

export function byRemovalOrder(left: Pod, right: Pod): number {
  return compareAll(removalRank(left), removalRank(right));
}

/** Compared member by member; the smaller goes first. */
function removalRank(pod: Pod): number[] {
  const readySince = parseTime(podCondition(pod, 'Ready')?.lastTransitionTime) ?? 0;
  const restarts = (pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount);
  return [
    pod.spec.nodeName ? 1 : 0,
    PHASE_RANK[pod.status?.phase ?? 'Pending'] ?? 0,
    isPodReady(pod) ? 1 : 0,
    Number(annotationsOf(pod)[DELETION_COST] ?? 0),
    isPodReady(pod) ? -readySince : 0,
    -Math.max(0, ...restarts),
    -(parseTime(pod.metadata.creationTimestamp) ?? 0),
  ];
}

function compareAll(left: readonly number[], right: readonly number[]): number {
  for (const [index, value] of left.entries()) {
    const difference = value - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** @param failure why pods could not be made or removed, when they could not. */
export function replicaSetStatus(
  replicaSet: ReplicaSet,
  pods: readonly Pod[],
  { nowMs, failure }: { nowMs: number; failure?: { reason: string; message: string } | undefined },
): ReplicaSetStatus {
  const active = pods.filter(isPodActive);
  const template = Object.entries(replicaSet.spec.template?.metadata?.labels ?? {});
  const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0;
  const status: ReplicaSetStatus = { replicas: active.length };
  const counts = {
    fullyLabeledReplicas: active.filter((pod) => template.every(([key, value]) => labelsOf(pod)[key] === value)).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter((pod) => isPodAvailable(pod, minReadySeconds, nowMs)).length,
  };
  for (const [name, count] of Object.entries(counts)) if (count > 0) status[name as keyof typeof counts] = count;
  status.observedGeneration = replicaSet.metadata.generation;
  const conditions = failureCondition(replicaSet, failure, nowMs);
  if (conditions) status.conditions = conditions;
  return status;
}

function failureCondition(
  replicaSet: ReplicaSet,
  failure: { reason: string; message: string } | undefined,
  nowMs: number,
): ReplicaSetCondition[] | undefined {
  if (!failure) return undefined;
  const known = replicaSet.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  // Its message names the pod that was tried, which has another name each time: it is left as it was, or else the
  // status would change with every attempt, and every change be a reason for the next.
  if (known?.reason === failure.reason) return [known];
  return [{ type: 'ReplicaFailure', status: 'True', lastTransitionTime: formatTime(nowMs), ...failure }];
}
