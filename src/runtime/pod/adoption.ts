/**
 * What to do, after a crash of control, about pods that still run while the API has forgotten them. Pure.
 *
 * Pods of controllers are written derived: the last few may never have reached the disk. Their containers run, though,
 * and their records say what they are; they are put back as they were, and their ReplicaSet wants at least as many.
 * A pod that nobody owns was written durably: if the API does not know it, somebody deleted it, and it ends.
 */
import { Pod } from '#kube/kinds/core/pod.ts';
import type { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { isBeingDeleted, keyOf, uidOf } from '#kube/object.ts';
import { controllerOf } from '#kube/owner.ts';
import type { PodState } from '#runtime/pod/state.ts';
import { podStatus } from '#runtime/pod/status.ts';

export interface AdoptionInput {
  readonly records: readonly PodState[];
  /** Whether a process of a container still runs. */
  readonly isAlive: (identity: { pid: number; startTicks: number }) => boolean;
  readonly pods: readonly Pod[];
  readonly replicaSets: readonly ReplicaSet[];
  readonly now: number;
}

export interface Adoption {
  /** To be stored as they are, UID included. */
  readonly pods: readonly Pod[];
  /** UID of a ReplicaSet → the number of pods that run for it, where that is more than it asks for. */
  readonly sizes: ReadonlyMap<string, number>;
}

export function planAdoption({ records, isAlive, pods, replicaSets, now }: AdoptionInput): Adoption {
  const known = new Set(pods.map(uidOf));
  const names = new Set(pods.map(keyOf));
  const owners = new Map(replicaSets.map((one) => [uidOf(one), one]));
  const restored = records
    .filter(({ pod }) => !known.has(uidOf(pod)) && !names.has(keyOf(pod)))
    .filter(({ pod, endingSince }) => endingSince === undefined && owners.has(controllerOf(pod)?.uid ?? ''))
    .filter((record) => hasLife(record, isAlive))
    .map((record) => ({
      ...record.pod,
      status: podStatus({ state: record, before: record.pod.status, hostIp: record.pod.status?.hostIP ?? '', now }),
    }));
  return { pods: restored, sizes: sizesOf([...pods, ...restored], owners) };
}

function hasLife({ containers }: PodState, isAlive: AdoptionInput['isAlive']): boolean {
  return Object.values(containers).some(({ life }) => life.type === 'running' && isAlive(life));
}

function sizesOf(pods: readonly Pod[], owners: ReadonlyMap<string, ReplicaSet>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const pod of pods) {
    const owner = controllerOf(pod)?.uid ?? '';
    const isActive = !isBeingDeleted(pod) && pod.status?.phase === 'Running';
    if (isActive && owners.has(owner)) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  return new Map([...counts].filter(([uid, count]) => count > (owners.get(uid)?.spec.replicas ?? 1)));
}
