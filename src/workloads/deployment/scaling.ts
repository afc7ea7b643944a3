/**
 * What a new size of a Deployment means for the ReplicaSets that it has. Each of them notes the size that it was made
 * for; where that is another one, nothing is rolled out any further before every set has its share of the new size and
 * notes it. Pure; the rules are those of Kubernetes' deployment controller.
 */
import type { Deployment } from '#kube/kinds/apps/deployment.ts';
import type { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { annotationsOf, nameOf } from '#kube/object.ts';
import { available, boundsOf, createdAt, size, type Sizes, total } from '#workloads/deployment/rolling.ts';

export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/** What a ReplicaSet notes of its Deployment's size. */
export function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const { replicas, maxSurge } = boundsOf(deployment);
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + maxSurge) };
}

/** Whether a ReplicaSet with pods was made for another size. */
export function isResized(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  const { replicas } = boundsOf(deployment);
  return sets
    .filter((one) => size(one) > 0)
    .map((one) => annotationsOf(one)[DESIRED_REPLICAS])
    .some((noted) => noted !== undefined && noted !== String(replicas));
}

/** The size of every ReplicaSet that has pods, or gets the first ones. `old`: oldest first. */
export function resizedSizes(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): Sizes {
  const { replicas } = boundsOf(deployment);
  const active = [...old, ...(current ? [current] : [])].filter((one) => size(one) > 0);
  const only = active.length > 0 ? active[0] : (current ?? old.at(-1));
  if (active.length < 2) return only ? new Map([[nameOf(only), replicas]]) : new Map();
  if (current && isSaturated(deployment, current)) {
    return new Map(active.map((one) => [nameOf(one), one === current ? replicas : 0]));
  }
  if (deployment.spec.strategy?.type === 'Recreate') return new Map(active.map((one) => [nameOf(one), size(one)]));
  return proportionalSizes(deployment, active);
}

/** The newest ReplicaSet is all that the Deployment wants. */
function isSaturated(deployment: Deployment, current: ReplicaSet): boolean {
  const { replicas } = boundsOf(deployment);
  const noted = annotationsOf(current)[DESIRED_REPLICAS];
  return size(current) === replicas && available(current) === replicas && noted === String(replicas);
}

/** In the middle of a rollout every ReplicaSet keeps its share; the largest one takes what rounding leaves over. */
function proportionalSizes(deployment: Deployment, active: readonly ReplicaSet[]): Sizes {
  const { replicas, maxSurge } = boundsOf(deployment);
  const allowed = replicas === 0 ? 0 : replicas + maxSurge;
  const change = allowed - total(active, size);
  if (change === 0) return new Map(active.map((one) => [nameOf(one), size(one)]));
  const age = change > 0 ? -1 : 1;
  const ordered = active.toSorted((a, b) => size(b) - size(a) || age * (createdAt(a) - createdAt(b)));
  const sizes = new Map<string, number>();
  let left = change;
  for (const one of ordered) {
    const share = shareOf(one, deployment);
    const step = change > 0 ? Math.min(share, left) : Math.max(share, left);
    sizes.set(nameOf(one), Math.max(0, size(one) + step));
    left -= step;
  }
  const [largest] = ordered;
  if (largest) sizes.set(nameOf(largest), Math.max(0, (sizes.get(nameOf(largest)) ?? 0) + left));
  return sizes;
}

/** By how much a ReplicaSet would change if it grew or shrank as the whole Deployment does. */
function shareOf(one: ReplicaSet, deployment: Deployment): number {
  const { replicas, maxSurge } = boundsOf(deployment);
  if (replicas === 0) return -size(one);
  const most = Number(annotationsOf(one)[MAX_REPLICAS] ?? deployment.status?.replicas ?? 0);
  return most === 0 ? 0 : Math.round((size(one) * (replicas + maxSurge)) / most) - size(one);
}
