/**
 * Tells the node agent when an ending pod of a Revision may be told to end: once no gateway sends it anything and
 * nothing that one sent is still running. It says so by an annotation on the pod (derived: it matters only while the
 * pod ends). A pod that no table names gets no requests, so there is nothing to wait for.
 */
import type { Client } from '#client/client.ts';
import type { Change } from '#client/cache.ts';
import type { Caches } from '#client/caches.ts';
import { Controller, type ControllerEnvironment, type Outcome, watching } from '#controller/controller.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { annotationsOf, isBeingDeleted, keyOf, type ObjectKey, refOfKey, uidOf } from '#kube/object.ts';
import { isConflict, isNotFound } from '#kube/status.ts';
import { formatTime } from '#kube/time.ts';
import { REVISION_LABEL } from '#knative/labels.ts';
import type { Drained } from '#protocol/link.ts';
import { DRAINED_ANNOTATION } from '#protocol/timeline.ts';

/** A pod may leave the table without a word of the gateway's: its Revision went, or every gateway did. */
const LOOK_AGAIN_MS = 250;

/** Pods that a gateway called idle are remembered until they are told or gone, at most so many. */
const MAX_REMEMBERED = 10_000;

export interface DrainOptions extends ControllerEnvironment {
  readonly client: Client;
  readonly caches: Caches;
  /** Whether a gateway may still send to the pod: it is in the routing table. */
  readonly isRouted: (podUid: string) => boolean;
}

export interface Drain {
  readonly controller: Controller;
  onDrained(message: Drained): void;
}

export function createDrain(options: DrainOptions): Drain {
  const pods = options.caches.of(Pod);
  const idle = new Set<string>();
  pods.addIndex('uid', (pod) => [pod.metadata.uid]);
  const controller = new Controller({
    ...options,
    name: 'drain',
    sources: [watching(pods, concerned)],
    reconcile: (key) => reconcile(key),
  });

  function concerned({ object, type }: Change<Pod>): ObjectKey[] {
    if (type === 'deleted') idle.delete(uidOf(object));
    return type !== 'deleted' && isBeingDeleted(object) ? [keyOf(object)] : [];
  }

  async function reconcile(key: ObjectKey): Promise<Outcome> {
    const pod = pods.byKey(key);
    if (!pod || !isBeingDeleted(pod) || !isRevisionPod(pod) || DRAINED_ANNOTATION in annotationsOf(pod)) return;
    if (!idle.has(uidOf(pod)) && options.isRouted(uidOf(pod))) return { requeueAfterMs: LOOK_AGAIN_MS };
    idle.delete(uidOf(pod));
    const annotations = { [DRAINED_ANNOTATION]: formatTime(options.clock.now()) };
    const body = { metadata: { uid: uidOf(pod), annotations } };
    try {
      await options.client.derived.patch(Pod, refOfKey(key), { type: 'merge', body });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  return {
    controller,
    onDrained({ endpoints }) {
      for (const uid of endpoints) {
        const [pod] = pods.byIndex('uid', uid);
        if (!pod) continue;
        if (idle.size < MAX_REMEMBERED) idle.add(uid);
        controller.enqueue(keyOf(pod));
      }
    },
  };
}

function isRevisionPod(pod: Pod): boolean {
  return REVISION_LABEL in (pod.metadata.labels ?? {});
}
