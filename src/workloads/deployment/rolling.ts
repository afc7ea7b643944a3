/**
 * How many replicas each ReplicaSet of a Deployment gets next, by rolling update or recreation. (`scaling.ts`: when the
 * Deployment's own size changes.) Pure; the rules are those of Kubernetes' deployment controller.
 */
import { scaledValue } from '#kube/int-or-string.ts';
import type { Deployment } from '#kube/kinds/apps/deployment.ts';
import type { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { nameOf } from '#kube/object.ts';
import { parseTime } from '#kube/time.ts';

/** Name of a ReplicaSet → the replicas that it should have. Only those that change are in it. */
export type Sizes = ReadonlyMap<string, number>;

export interface Bounds {
  readonly replicas: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** Percentages resolved: surge rounds up, unavailable rounds down, and not both may be zero. */
export function boundsOf({ spec }: Deployment): Bounds {
  const replicas = spec.replicas ?? 1;
  if (spec.strategy?.type === 'Recreate') return { replicas, maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, replicas, 'up') ?? 0;
  const unavailable = scaledValue(maxUnavailable, replicas, 'down') ?? 0;
  return {
    replicas,
    maxSurge: surge,
    maxUnavailable: surge === 0 && unavailable === 0 ? 1 : Math.min(unavailable, replicas),
  };
}

export const size = (replicaSet: ReplicaSet) => replicaSet.spec.replicas ?? 0;
export const available = (replicaSet: ReplicaSet) => replicaSet.status?.availableReplicas ?? 0;
export const total = (sets: readonly ReplicaSet[], count: (one: ReplicaSet) => number) =>
  sets.reduce((sum, one) => sum + count(one), 0);

/** Replicas of a ReplicaSet that is the newest, given the others. */
export function newReplicas(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): number {
  const { replicas, maxSurge } = boundsOf(deployment);
  const have = current ? size(current) : 0;
  if (deployment.spec.strategy?.type === 'Recreate') return replicas;
  if (have >= replicas) return replicas;
  const room = replicas + maxSurge - have - total(old, size);
  return room <= 0 ? have : have + Math.min(room, replicas - have);
}

/** One step of a rolling update; empty when nothing can move until pods become available. */
export function rollingStep(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Sizes {
  const wanted = newReplicas(deployment, current, old);
  if (wanted !== size(current)) return new Map([[nameOf(current), wanted]]);
  return shrinkOld(
    deployment,
    current,
    old.filter((one) => size(one) > 0),
  );
}

function shrinkOld(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Sizes {
  const { replicas, maxUnavailable } = boundsOf(deployment);
  const minAvailable = replicas - maxUnavailable;
  const all = [current, ...old];
  const removable = total(all, size) - minAvailable - (size(current) - available(current));
  if (removable <= 0 || old.length === 0) return new Map();
  const sizes = new Map(old.map((one) => [nameOf(one), size(one)]));
  shrinkUnhealthy(old, sizes, removable);
  const spare = total(all, available) - minAvailable;
  if (spare > 0) shrinkInOrder(old, sizes, spare);
  return new Map(
    [...sizes].filter(([name, wanted]) => wanted !== size(old.find((one) => nameOf(one) === name) ?? current)),
  );
}

/** Pods that are not available go first: they cost nobody anything. */
function shrinkUnhealthy(old: readonly ReplicaSet[], sizes: Map<string, number>, most: number): void {
  let left = most;
  for (const one of oldestFirst(old)) {
    const unhealthy = Math.max(0, size(one) - available(one));
    const step = Math.min(left, unhealthy);
    sizes.set(nameOf(one), size(one) - step);
    left -= step;
  }
}

function shrinkInOrder(old: readonly ReplicaSet[], sizes: Map<string, number>, most: number): void {
  let left = most;
  for (const one of oldestFirst(old)) {
    const have = sizes.get(nameOf(one)) ?? 0;
    const step = Math.min(left, have);
    sizes.set(nameOf(one), have - step);
    left -= step;
  }
}

/** Recreate: first all old pods go, then the new ones come. */
export function recreateStep(
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
  hasOldPods: boolean,
): Sizes {
  const leftovers = old.filter((one) => size(one) > 0);
  if (leftovers.length > 0) return new Map(leftovers.map((one) => [nameOf(one), 0]));
  const { replicas } = boundsOf(deployment);
  return hasOldPods || size(current) === replicas ? new Map() : new Map([[nameOf(current), replicas]]);
}

export function createdAt(replicaSet: ReplicaSet): number {
  return parseTime(replicaSet.metadata.creationTimestamp) ?? 0;
}

function oldestFirst(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.toSorted((a, b) => createdAt(a) - createdAt(b));
}
