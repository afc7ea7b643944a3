/**
 * Before anything else looks at the store: pods whose containers run but whose objects never reached the disk are put
 * back, and their ReplicaSets and Deployments want them again. See `#runtime/pod/adoption.ts`.
 */
import { clone } from '#base/json.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import { type KubeObject, namespaceOf, nameOf, uidOf } from '#kube/object.ts';
import { controllerOf } from '#kube/owner.ts';
import { planAdoption } from '#runtime/pod/adoption.ts';
import { type PodFolders, readRecords } from '#runtime/pod/record.ts';
import type { Store } from '#store/store.ts';
import { isRunning } from '#sys/proc.ts';

export interface AdoptOptions {
  readonly store: Store;
  readonly podFolders: PodFolders;
  readonly clock: Clock;
  readonly logger: Logger;
}

export async function adoptPods({ store, podFolders, clock, logger }: AdoptOptions): Promise<void> {
  const { states: records } = readRecords(podFolders);
  if (records.length === 0) return;
  const replicaSets = objectsOf(store, ReplicaSet);
  const input = { records, isAlive: isRunning, pods: objectsOf(store, Pod), replicaSets, now: clock.now() };
  const { pods, sizes } = planAdoption(input);
  for (const pod of pods) await put(store, Pod, pod);
  for (const [uid, replicas] of sizes) {
    const replicaSet = replicaSets.find((one) => uidOf(one) === uid);
    if (replicaSet) await resize(store, replicaSet, replicas);
  }
  if (pods.length > 0 || sizes.size > 0)
    logger.info('running pods were taken over', { restored: pods.length, resized: sizes.size });
}

async function resize(store: Store, replicaSet: ReplicaSet, replicas: number): Promise<void> {
  await put(store, ReplicaSet, { ...replicaSet, spec: { ...replicaSet.spec, replicas } });
  const owner = controllerOf(replicaSet);
  const deployment = objectsOf(store, Deployment).find((one) => uidOf(one) === owner?.uid);
  if (deployment) await put(store, Deployment, { ...deployment, spec: { ...deployment.spec, replicas } });
}

function objectsOf<T extends KubeObject>(store: Store, kind: Kind<T>): T[] {
  return store.list(resourceOf(kind)).objects as T[];
}

async function put<T extends KubeObject>(store: Store, kind: Kind<T>, object: T): Promise<void> {
  const ref = { namespace: namespaceOf(object), name: nameOf(object) };
  const expected = store.get(resourceOf(kind), ref)?.revision ?? 0;
  await store.write({ resource: resourceOf(kind), ref, object: clone(object), expected, durability: 'derived' });
}
