/**
 * What the garbage collector does about one object. Pure.
 *
 * - An object all of whose owners are gone goes, in the background, or as the owner that is still being deleted in the
 *   foreground wants it.
 * - Owners that are gone, or being deleted in the foreground, are struck from an object that has another, living one.
 * - An owner with finalizer `foregroundDeletion` waits until no dependent blocks it any more; one with `orphan` has the
 *   references to it taken away first.
 */
import type { GraphNode, Uid } from '#workloads/garbage-collector/graph.ts';
import { ownersOf } from '#workloads/garbage-collector/graph.ts';
import { isBeingDeleted, type KubeObject, type OwnerReference } from '#kube/object.ts';

export const FOREGROUND_FINALIZER = 'foregroundDeletion';
const ORPHAN_FINALIZER = 'orphan';

export type OwnerState = 'living' | 'gone' | 'waiting';

export type Step =
  | { readonly type: 'delete'; readonly policy: 'Foreground' | 'Background' | 'Orphan' }
  | { readonly type: 'strike-owners'; readonly uids: readonly Uid[] }
  | { readonly type: 'strike-from'; readonly dependent: GraphNode }
  | { readonly type: 'drop-finalizer'; readonly finalizer: string };

export interface PlanInput {
  readonly object: KubeObject;
  readonly dependents: readonly GraphNode[];
  /** `waiting`: being deleted in the foreground. */
  readonly stateOf: (owner: OwnerReference) => OwnerState;
}

export function planCollection(input: PlanInput): Step[] {
  const finalizers = input.object.metadata.finalizers ?? [];
  if (isBeingDeleted(input.object)) {
    if (finalizers.includes(ORPHAN_FINALIZER)) return orphanSteps(input);
    if (finalizers.includes(FOREGROUND_FINALIZER)) return foregroundSteps(input);
    return [];
  }
  return ownerSteps(input);
}

function ownerSteps({ object, dependents, stateOf }: PlanInput): Step[] {
  const owners = ownersOf(object);
  if (owners.length === 0) return [];
  const states = owners.map((owner) => ({ owner, state: stateOf(owner) }));
  const lost = states.filter(({ state }) => state !== 'living').map(({ owner }) => owner.uid);
  if (lost.length === 0) return [];
  if (lost.length < owners.length) return [{ type: 'strike-owners', uids: lost }];
  const isAwaited = states.some(({ state }) => state === 'waiting');
  return [
    { type: 'delete', policy: policyFor(object, isAwaited && dependents.length > 0 ? 'Foreground' : 'Background') },
  ];
}

/** A finalizer that was set before says how the object itself wants to go. */
function policyFor(object: KubeObject, otherwise: 'Foreground' | 'Background'): 'Foreground' | 'Background' | 'Orphan' {
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(ORPHAN_FINALIZER)) return 'Orphan';
  return finalizers.includes(FOREGROUND_FINALIZER) ? 'Foreground' : otherwise;
}

function orphanSteps({ dependents }: PlanInput): Step[] {
  if (dependents.length === 0) return [{ type: 'drop-finalizer', finalizer: ORPHAN_FINALIZER }];
  return dependents.map((dependent) => ({ type: 'strike-from', dependent }));
}

/** Dependents that block are deleted by their own turn (their owner is `waiting`); here only the end is noticed. */
function foregroundSteps({ object, dependents }: PlanInput): Step[] {
  const blocks = ({ object: dependent }: GraphNode) =>
    ownersOf(dependent).some(
      ({ uid, blockOwnerDeletion }) => uid === object.metadata.uid && blockOwnerDeletion === true,
    );
  return dependents.some(blocks) ? [] : [{ type: 'drop-finalizer', finalizer: FOREGROUND_FINALIZER }];
}
