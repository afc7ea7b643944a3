/** How many pods a revision has, by what they are good for (facts: 7.5). */
import type { Cache } from '#client/cache.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { isBeingDeleted, keyOfRef, labelsOf, namespaceOf, type ObjectRef } from '#kube/object.ts';
import { REVISION_LABEL } from '#knative/labels.ts';

export interface PodCounts {
  readonly ready: number;
  /** All that exist and aren't ready, the next two included. */
  readonly notReady: number;
  readonly pending: number;
  readonly terminating: number;
}

export type PodState = 'ready' | 'not-ready' | 'pending' | 'terminating' | 'ended';

export function podState(pod: Pod): PodState {
  const phase = pod.status?.phase;
  if (phase === 'Pending') return 'pending';
  if (phase !== 'Running') return 'ended';
  if (isBeingDeleted(pod)) return 'terminating';
  return isReady(pod) ? 'ready' : 'not-ready';
}

export function countPods(pods: Iterable<Pod>): PodCounts {
  const counts = { ready: 0, 'not-ready': 0, pending: 0, terminating: 0, ended: 0 };
  for (const pod of pods) counts[podState(pod)] += 1;
  const { ready, pending, terminating } = counts;
  return { ready, notReady: counts['not-ready'] + pending + terminating, pending, terminating };
}

const INDEX = 'autoscaler/revision';

/** Counts the pods of revisions in the shared cache. */
export class PodCounter {
  readonly #pods: Cache<Pod>;

  constructor(pods: Cache<Pod>) {
    this.#pods = pods;
    pods.addIndex(INDEX, (pod) => {
      const name = labelsOf(pod)[REVISION_LABEL];
      return name === undefined ? [] : [keyOfRef({ namespace: namespaceOf(pod), name })];
    });
  }

  count(revision: ObjectRef): PodCounts {
    return countPods(this.#pods.byIndex(INDEX, keyOfRef(revision)));
  }

  ready(key: string): number {
    return this.#pods.byIndex(INDEX, key).reduce((ready, pod) => ready + (podState(pod) === 'ready' ? 1 : 0), 0);
  }
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}
