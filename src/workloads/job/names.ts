/** What Jobs and their pods are marked with. */
import type { Job } from '#kube/kinds/batch/job.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { annotationsOf } from '#kube/object.ts';

/** Holds a pod until the Job has counted how it ended. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

/** Annotation and label of the pods of an indexed Job. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** How often the index of the pod has failed before, and how often that was ignored. */
export const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count';
export const INDEX_IGNORED_FAILURES = 'batch.kubernetes.io/job-index-ignored-failure-count';

export const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX';

/** The `managedBy` of Jobs that are left to us. */
const OURSELVES = 'kubernetes.io/job-controller';

export function isManagedElsewhere({ spec }: Job): boolean {
  return spec.managedBy !== undefined && spec.managedBy !== OURSELVES;
}

export function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === 'Indexed';
}

export function isSuspended({ spec }: Job): boolean {
  return spec.suspend === true;
}

/** A pod that is ending is replaced only once it has ended, and has failed only then. */
export function replacesFailedOnly({ spec }: Job): boolean {
  return spec.podReplacementPolicy === 'Failed';
}

export function isTracked({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(TRACKING_FINALIZER) ?? false;
}

/** The index that a pod is for; undefined when it says none. */
export function indexOf(pod: Pod): number | undefined {
  return wholeNumber(annotationsOf(pod)[COMPLETION_INDEX]);
}

/** The index of a pod, when it is one that its Job has. */
export function validIndexOf(pod: Pod, { spec }: Job): number | undefined {
  const index = indexOf(pod);
  return index !== undefined && index < (spec.completions ?? 0) ? index : undefined;
}

export function failuresOfIndex(pod: Pod): number {
  return wholeNumber(annotationsOf(pod)[INDEX_FAILURES]) ?? 0;
}

export function ignoredFailuresOfIndex(pod: Pod): number {
  return wholeNumber(annotationsOf(pod)[INDEX_IGNORED_FAILURES]) ?? 0;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
