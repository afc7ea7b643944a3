/** Has an object of a PodAutoscaler be there as wanted: made when it is missing, its spec put right when it differs. */
import { deepEqual } from '#base/json.ts';
import type { Caches } from '#client/caches.ts';
import type { Client } from '#client/client.ts';
import { asLostRace, type PlannedWrite } from '#controller/lost-race.ts';
import { NotOwnedError } from '#autoscaler/errors.ts';
import type { Kind } from '#kube/kind.ts';
import { type KubeObject, nameOf, type Stored } from '#kube/object.ts';
import { isControlledBy } from '#kube/owner.ts';

type WithSpec = KubeObject & { spec?: unknown };

export interface OwnedObject<T extends WithSpec> {
  readonly kind: Kind<T>;
  readonly owner: KubeObject;
  readonly wanted: T;
  /** The error about an object that is somebody else's. */
  readonly notOwned: string;
  /** Whether the spec that is there will do; equality when absent. */
  readonly isAsWanted?: (there: T) => boolean;
}

/**
 * Making the object is durable, since others refer to its UID; its spec follows from the PodAutoscaler and its scale,
 * so changing it is derived and waits for no disk.
 */
export async function ensureOwned<T extends WithSpec>(
  { client, caches }: { readonly client: Client; readonly caches: Caches },
  { kind, owner, wanted, notOwned, isAsWanted }: OwnedObject<T>,
): Promise<Stored<T>> {
  const name = nameOf(wanted);
  const there = caches.of(kind).get({ namespace: wanted.metadata.namespace, name });
  if (!there) return planned({ verb: 'create', kind, name }, client.create(kind, wanted));
  if (!isControlledBy(there, owner)) throw new NotOwnedError(notOwned, { kind: kind.kind, name });
  if (isAsWanted ? isAsWanted(there) : deepEqual(there.spec, wanted.spec)) return there;
  return planned({ verb: 'change', kind, name }, client.derived.update(kind, { ...there, spec: wanted.spec }));
}

async function planned<T>(write: PlannedWrite, done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (error) {
    throw asLostRace(error, write);
  }
}
