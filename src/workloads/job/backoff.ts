/**
 * How long a Job waits before it replaces a pod that failed: 10 s after the first failure in a row, then twice as long
 * each time, at most 10 minutes. With a limit per index each index waits for itself. Pure.
 *
 * The failures in a row are read off the pods that are there, and off what is remembered of those that are gone. Losing
 * that memory shortens a wait and nothing else.
 */
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { ContainerStatus } from '#kube/kinds/core/pod-status.ts';
import { parseTime } from '#kube/time.ts';
import { failuresOfIndex, ignoredFailuresOfIndex } from '#workloads/job/names.ts';
import { podCondition } from '#workloads/pods.ts';

const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 10 * 60_000;

/** After so many failures the wait grows no more, so that older ones need not be remembered. */
const MAX_REMEMBERED = 1 + Math.ceil(Math.log2(LONGEST_WAIT_MS / FIRST_WAIT_MS));

/** When each of the latest failures since the last success was, by the UID of the pod. */
export type FailuresInRow = ReadonlyMap<string, number>;

export const NO_FAILURES: FailuresInRow = new Map();

export interface Outcomes {
  readonly succeeded: readonly Pod[];
  readonly failed: readonly Pod[];
}

/** Adds what is seen of the Job's pods; seeing the same again changes nothing. */
export function observeOutcomes(before: FailuresInRow, { succeeded, failed }: Outcomes): FailuresInRow {
  const lastSuccess = Math.max(-Infinity, ...succeeded.map(finishTimeOf));
  const failures = new Map(before);
  for (const pod of failed) failures.set(pod.metadata.uid ?? '', finishTimeOf(pod));
  const inRow = [...failures].filter(([, time]) => time > lastSuccess).sort(([, left], [, right]) => left - right);
  return new Map(inRow.slice(-MAX_REMEMBERED));
}

/** Milliseconds until the next pod may be made; 0 when it may be now. */
export function remainingBackoffMs(failures: FailuresInRow, nowMs: number): number {
  return remainingMs(failures.size, Math.max(0, ...failures.values()), nowMs);
}

/** The same for one index, from the last pod that failed at it. */
export function remainingIndexBackoffMs(failed: Pod | undefined, nowMs: number): number {
  if (!failed) return 0;
  return remainingMs(failuresOfIndex(failed) + ignoredFailuresOfIndex(failed) + 1, finishTimeOf(failed), nowMs);
}

function remainingMs(failures: number, lastFailureMs: number, nowMs: number): number {
  if (failures === 0) return 0;
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
  return Math.max(0, lastFailureMs + waitMs - nowMs);
}

/**
 * When a pod ended: its last container did; else since when it is not ready; else when its deletion was asked for; else
 * its creation.
 */
export function finishTimeOf(pod: Pod): number {
  return endOfContainers(pod) ?? notReadySince(pod) ?? deletionAskedAt(pod) ?? creationTimeOf(pod);
}

function endOfContainers({ spec, status }: Pod): number | undefined {
  const sidecars = new Set(
    (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
  );
  const meant = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)),
  ];
  const ends = meant.map(endOf);
  if (ends.length === 0 || ends.includes(undefined)) return undefined;
  return Math.max(...ends.map((end) => end ?? 0));
}

function endOf({ state }: ContainerStatus): number | undefined {
  return parseTime(state?.terminated?.finishedAt);
}

function notReadySince(pod: Pod): number | undefined {
  const ready = podCondition(pod, 'Ready');
  return ready?.status === 'False' ? parseTime(ready.lastTransitionTime) : undefined;
}

function deletionAskedAt({ metadata }: Pod): number | undefined {
  const until = parseTime(metadata.deletionTimestamp);
  return until === undefined ? undefined : until - (metadata.deletionGracePeriodSeconds ?? 0) * 1_000;
}

function creationTimeOf({ metadata }: Pod): number {
  return parseTime(metadata.creationTimestamp) ?? 0;
}
