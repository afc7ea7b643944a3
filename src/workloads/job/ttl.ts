/** Deletes Jobs that have finished, and their pods, once their `ttlSecondsAfterFinished` are over. */
import { Controller, type Outcome, watching } from '#controller/controller.ts';
import { Job } from '#kube/kinds/batch/job.ts';
import { isBeingDeleted } from '#kube/object.ts';
import { finishedAt } from '#workloads/job/conditions.ts';
import type { WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';

export function createJobTtlController(environment: WorkloadEnvironment): Controller {
  const { caches, client, clock } = environment;
  const jobs = caches.of(Job);
  return new Controller({
    ...environment,
    name: 'job-ttl',
    sources: [watching(jobs)],
    reconcile: async (key): Promise<Outcome> => {
      const job = jobs.byKey(key);
      const leftMs = job ? remainingTtlMs(job, clock.now()) : undefined;
      if (!job || leftMs === undefined) return;
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      const { namespace, name, uid } = job.metadata;
      await client.remove(Job, { namespace, name }, { propagationPolicy: 'Foreground', preconditions: { uid } });
    },
  });
}

/** Undefined for a Job that is not to be deleted by the passing of time. */
function remainingTtlMs(job: Job, nowMs: number): number | undefined {
  const { ttlSecondsAfterFinished: seconds } = job.spec;
  const end = finishedAt(job);
  if (seconds === undefined || end === undefined || isBeingDeleted(job)) return undefined;
  return end + seconds * 1_000 - nowMs;
}
