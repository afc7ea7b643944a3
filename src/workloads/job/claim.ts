/**
 * Which pods a Job takes in and lets go. Pure.
 *
 * A Job takes in pods that its selector means and nobody controls; it lets go of those that it controls and that the
 * selector no longer means. A Job or pod that is being deleted changes hands no more.
 */
import type { Job } from '#kube/kinds/batch/job.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { isBeingDeleted, namespaceOf, type Stored } from '#kube/object.ts';
import { isControlledBy } from '#kube/owner.ts';
import { ParseError } from '#kube/parse-error.ts';
import { matchesLabels, selectorOf } from '#kube/selectors.ts';

export interface Claims {
  readonly adopt: readonly Stored<Pod>[];
  readonly release: readonly Stored<Pod>[];
}

/** @param orphans pods without a controller, of any namespace. */
export function planClaims(job: Job, own: readonly Stored<Pod>[], orphans: readonly Stored<Pod>[]): Claims {
  if (isBeingDeleted(job)) return { adopt: [], release: [] };
  return {
    adopt: orphans.filter((pod) => !isBeingDeleted(pod) && isMeantBy(job, pod)),
    release: own.filter((pod) => !isBeingDeleted(pod) && isControlledBy(pod, job) && !isMeantBy(job, pod)),
  };
}

export function isMeantBy({ spec, metadata }: Job, pod: Pod): boolean {
  if (namespaceOf(pod) !== metadata.namespace || !spec.selector) return false;
  const selector = selectorOf(spec.selector);
  return !(selector instanceof ParseError) && matchesLabels(selector, pod.metadata.labels);
}
