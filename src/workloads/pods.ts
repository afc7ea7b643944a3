/** What the controllers ask about a pod. Pure. */
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { PodCondition } from '#kube/kinds/core/pod-status.ts';
import { isBeingDeleted } from '#kube/object.ts';
import { parseTime } from '#kube/time.ts';

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** Ready for at least `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return false;
  const since = parseTime(ready.lastTransitionTime);
  return minReadySeconds === 0 || (since !== undefined && since + minReadySeconds * 1_000 <= nowMs);
}

/** Counts towards a ReplicaSet: neither ended nor ending. */
export function isPodActive(pod: Pod): boolean {
  return !isPodFinished(pod) && !isBeingDeleted(pod);
}

export function isPodFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
