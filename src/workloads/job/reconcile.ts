/**
 * Runs Jobs: makes their pods, counts how they end, and says so.
 *
 * One reconcile goes through the stages below until none has anything left to do; each reads the world anew, which is
 * safe since at home a cache holds what was written by the time the write is acknowledged.
 *
 *     decide the end, and write it down → remove or make pods → write the status → let go of pods that are counted
 *
 * Not here: pods that outlive their Job (`orphans.ts`), Jobs that outlive their use (`ttl.ts`).
 */
import type { Caches } from '#client/caches.ts';
import type { Client } from '#client/client.ts';
import type { Clock } from '#base/clock.ts';
import type { Change } from '#client/cache.ts';
import { Controller, controllerOwner, type Outcome, watching } from '#controller/controller.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import { Job } from '#kube/kinds/batch/job.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { isBeingDeleted, keyOf, namespaceOf, type ObjectKey, type Stored } from '#kube/object.ts';
import { controllerOf } from '#kube/owner.ts';
import { isNotFound } from '#kube/status.ts';
import { type FailuresInRow, NO_FAILURES, observeOutcomes } from '#workloads/job/backoff.ts';
import { type Census, isPodFailed, isSucceeded, takeCensus } from '#workloads/job/census.ts';
import { isMeantBy, planClaims } from '#workloads/job/claim.ts';
import { isJobFinished } from '#workloads/job/conditions.ts';
import { decideEnding, type Ending, recordedEnding, remainingDeadlineMs } from '#workloads/job/decide.ts';
import { isManagedElsewhere, isTracked } from '#workloads/job/names.ts';
import { PodWriter } from '#workloads/job/pod-writer.ts';
import { planPods } from '#workloads/job/pods.ts';
import { planStatus, podsToRelease, type StatusPlan } from '#workloads/job/status.ts';
import { BY_CONTROLLER, indexByController, type WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';

/** Rounds of one reconcile, so that a huge Job lets others in between. */
const MAX_ROUNDS = 20;

export function createJobController(environment: WorkloadEnvironment): Controller {
  const { caches } = environment;
  const pods = caches.of(Pod);
  indexByController(pods);
  const reconciler = new JobReconciler(environment);
  return new Controller({
    ...environment,
    name: 'job',
    sources: [
      watching(caches.of(Job)),
      watching(pods, controllerOwner(Job)),
      watching(pods, (change) => adopters(caches, change)),
    ],
    reconcile: (key) => reconciler.reconcile(key),
  });
}

/** The Jobs that may take in a pod which nobody controls. */
function adopters(caches: Caches, { object: pod }: Change<Pod>): ObjectKey[] {
  if (controllerOf(pod) || isBeingDeleted(pod)) return [];
  const jobs = caches.of(Job).list(namespaceOf(pod));
  return jobs.filter((job) => isMeantBy(job, pod)).map(keyOf);
}

/** A Job and its pods at one moment. */
interface World {
  readonly job: Stored<Job>;
  readonly pods: readonly Stored<Pod>[];
  readonly census: Census;
  readonly ending: Ending | undefined;
  readonly nowMs: number;
}

type Progress = 'again' | { readonly waitMs: number };

class JobReconciler {
  readonly #caches: Caches;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #events: EventRecorder;
  readonly #writer: PodWriter;
  /** Failures in a row by UID of the Job. */
  readonly #failures = new Map<string, FailuresInRow>();
  readonly #uids = new Map<ObjectKey, string>();

  constructor({ caches, client, clock, eventsOf }: WorkloadEnvironment) {
    this.#caches = caches;
    this.#client = client;
    this.#clock = clock;
    this.#events = eventsOf('job-controller');
    this.#writer = new PodWriter(client, this.#events);
  }

  async reconcile(key: ObjectKey): Promise<Outcome> {
    const job = this.#caches.of(Job).byKey(key);
    if (this.#uids.get(key) !== job?.metadata.uid) this.#forget(key);
    if (!job || isManagedElsewhere(job) || isJobFinished(job)) return this.#forget(key);
    this.#uids.set(key, job.metadata.uid);
    await this.#claim(job);
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const progress = await this.#round(key);
      if (progress !== 'again') return progress.waitMs < Infinity ? { requeueAfterMs: progress.waitMs } : undefined;
    }
    return { requeueAfterMs: 0 };
  }

  async #round(key: ObjectKey): Promise<Progress> {
    const world = this.#look(key);
    if (!world) return { waitMs: Infinity };
    const isNews = world.ending !== undefined && recordedEnding(world.job) === undefined;
    if (isNews) return this.#writeStatus(world, planStatus(world.job, world));
    const { waitMs, work } = this.#podWork(world);
    if (work) {
      try {
        await work();
      } catch (error) {
        // Pods that have ended are counted all the same: a quota may hold up the next ones for long.
        await this.#countAll(key);
        throw error;
      }
      return 'again';
    }
    if (await this.#count(world)) return 'again';
    return { waitMs: Math.max(0, Math.min(waitMs, remainingDeadlineMs(world.job, world.nowMs))) };
  }

  #look(key: ObjectKey): World | undefined {
    const job = this.#caches.of(Job).byKey(key);
    if (!job || isJobFinished(job)) return undefined;
    const nowMs = this.#clock.now();
    const pods = this.#podsOf(job);
    const census = takeCensus(job, pods);
    const ending = recordedEnding(job) ?? decideEnding(job, { pods, census, nowMs });
    return { job, pods, census, ending, nowMs };
  }

  #podsOf(job: Stored<Job>): Stored<Pod>[] {
    return this.#caches.of(Pod).byIndex(BY_CONTROLLER, job.metadata.uid);
  }

  #podWork(world: World): { waitMs: number; work?: () => Promise<void> } {
    const { job } = world;
    const { create, remove, removedCount, waitMs } = planPods(job, { ...world, failures: this.#observe(world) });
    if (remove.length > 0) {
      return { waitMs: 0, work: () => this.#writer.removeAll(job, remove, { isCounted: removedCount }) };
    }
    if (create.length > 0) return { waitMs: 0, work: () => this.#writer.createAll(job, create) };
    return { waitMs: waitMs ?? Infinity };
  }

  #observe({ job, pods }: World): FailuresInRow {
    const succeeded = pods.filter(isSucceeded);
    // Pods that were removed without being counted, as for a suspension, are no failures.
    const failed = pods.filter((pod) => isPodFailed(pod, job) && (isTracked(pod) || !isBeingDeleted(pod)));
    const before = this.#failures.get(job.metadata.uid) ?? NO_FAILURES;
    const failures = observeOutcomes(before, { succeeded, failed });
    this.#failures.set(job.metadata.uid, failures);
    return failures;
  }

  /** Writes the status, or else lets go of the pods that it tells of; true when there was something to do. */
  async #count(world: World): Promise<boolean> {
    const plan = planStatus(world.job, world);
    if (plan) {
      await this.#writeStatus(world, plan);
      return true;
    }
    const counted = podsToRelease(world.job, world);
    await this.#writer.releaseAll(counted);
    return counted.length > 0;
  }

  async #countAll(key: ObjectKey): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const world = this.#look(key);
      if (!world || !(await this.#count(world))) return;
    }
  }

  /** Somebody else's write in between is a conflict, and everything is looked at again. */
  async #writeStatus({ job }: World, plan: StatusPlan | undefined): Promise<Progress> {
    if (!plan) return 'again';
    try {
      const written = await this.#client.updateStatus(Job, { ...job, status: plan.status });
      for (const { type, reason, message } of plan.notes) this.#events[type](written, reason, message);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return 'again';
  }

  async #claim(job: Stored<Job>): Promise<void> {
    const orphans = this.#caches.of(Pod).byIndex(BY_CONTROLLER, '');
    const { adopt, release } = planClaims(job, this.#podsOf(job), orphans);
    for (const pod of adopt) await this.#writer.adopt(job, pod);
    for (const pod of release) await this.#writer.disown(job, pod);
  }

  #forget(key: ObjectKey): void {
    this.#failures.delete(this.#uids.get(key) ?? '');
    this.#uids.delete(key);
  }
}
