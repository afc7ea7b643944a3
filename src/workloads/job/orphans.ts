/**
 * Lets go of pods that no Job will count any more: their Job is gone or has finished, or they are nobody's. Without
 * this their tracking finalizer would hold them for ever.
 */
import type { Caches } from '#client/caches.ts';
import type { Change } from '#client/cache.ts';
import { Controller, type Outcome, watching } from '#controller/controller.ts';
import { Job } from '#kube/kinds/batch/job.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { apiVersionOf } from '#kube/kind.ts';
import { keyOf, type ObjectKey, type Stored } from '#kube/object.ts';
import { controllerOf } from '#kube/owner.ts';
import { isJobFinished } from '#workloads/job/conditions.ts';
import { isManagedElsewhere, isTracked } from '#workloads/job/names.ts';
import { PodWriter } from '#workloads/job/pod-writer.ts';
import { BY_CONTROLLER, indexByController, type WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';

export function createJobOrphanController(environment: WorkloadEnvironment): Controller {
  const { caches, client } = environment;
  const pods = caches.of(Pod);
  indexByController(pods);
  const writer = new PodWriter(client, environment.eventsOf('job-controller'));
  return new Controller({
    ...environment,
    name: 'job-orphans',
    sources: [
      watching(pods, ({ object }) => (isTracked(object) ? [keyOf(object)] : [])),
      watching(caches.of(Job), (change) => podsLeftBy(caches, change)),
    ],
    reconcile: async (key): Promise<Outcome> => {
      const pod = pods.byKey(key);
      if (pod && isTracked(pod) && isForsaken(caches, pod)) await writer.release(pod);
    },
  });
}

function podsLeftBy(caches: Caches, { type, object: job }: Change<Job>): ObjectKey[] {
  if (type !== 'deleted' && !isJobFinished(job)) return [];
  return caches.of(Pod).byIndex(BY_CONTROLLER, job.metadata.uid).filter(isTracked).map(keyOf);
}

function isForsaken(caches: Caches, pod: Stored<Pod>): boolean {
  const owner = controllerOf(pod);
  if (!owner) return true;
  if (owner.kind !== Job.kind || owner.apiVersion !== apiVersionOf(Job)) return false;
  const job = caches.of(Job).get({ namespace: pod.metadata.namespace, name: owner.name });
  if (!job || job.metadata.uid !== owner.uid) return true;
  return !isManagedElsewhere(job) && isJobFinished(job);
}
