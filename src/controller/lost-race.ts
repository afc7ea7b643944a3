/**
 * Writes that were planned on a copy which the server has left behind. At home a cache is never behind; over a network
 * it may miss what was written a moment ago. To make what is there already, or to change what is gone, is then no
 * failure that a user need hear of: it is a race lost, to be tried again in silence once the copy has caught up.
 */
import type { Kind } from '#kube/kind.ts';
import { isAlreadyExists, isNotFound, staleVersion } from '#kube/status.ts';

export interface PlannedWrite {
  /** `create`: the copy had no such object; `change`: it had one. */
  readonly verb: 'create' | 'change';
  readonly kind: Kind;
  readonly name: string;
}

/** The error that a planned write failed with: a Conflict when the copy was to blame, else what it was. */
export function asLostRace(error: unknown, { verb, kind, name }: PlannedWrite): unknown {
  const isBehind = verb === 'create' ? isAlreadyExists(error) : isNotFound(error);
  return isBehind ? staleVersion(kind, name) : error;
}
