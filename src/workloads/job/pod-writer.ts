/** What a Job does to pods. All of it is durable, as a pod may have done by then what must not be done twice. */
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import type { Job } from '#kube/kinds/batch/job.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import type { Stored } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { isNotFound, isStatus } from '#kube/status.ts';
import { isTracked, TRACKING_FINALIZER } from '#workloads/job/names.ts';

/** Pods made by the first attempt; each next one makes twice as many, until one fails. */
const FIRST_BATCH = 1;

export class PodWriter {
  readonly #client: Client;
  readonly #events: EventRecorder;

  constructor(client: Client, events: EventRecorder) {
    this.#client = client;
    this.#events = events;
  }

  /** Makes them in growing batches: where none can be made, as for a quota, few are tried. */
  async createAll(job: Stored<Job>, pods: readonly Pod[]): Promise<void> {
    for (let done = 0, batch = FIRST_BATCH; done < pods.length; done += batch, batch *= 2) {
      await allOf(pods.slice(done, done + batch), (pod) => this.#create(job, pod));
    }
  }

  /** Those that are not to count lose their finalizer first. */
  async removeAll(
    job: Stored<Job>,
    pods: readonly Stored<Pod>[],
    { isCounted }: { isCounted: boolean },
  ): Promise<void> {
    await allOf(pods, async (pod) => {
      if (!isCounted) await this.release(pod);
      await this.#remove(job, pod);
    });
  }

  async releaseAll(pods: readonly Stored<Pod>[]): Promise<void> {
    await allOf(pods, (pod) => this.release(pod));
  }

  /** Takes the tracking finalizer off; a pod that is gone has none. */
  async release(pod: Stored<Pod>): Promise<void> {
    if (isTracked(pod)) await this.#patch(pod, withoutFinalizer);
  }

  async adopt(job: Stored<Job>, pod: Stored<Pod>): Promise<void> {
    const { uid } = pod.metadata;
    await this.#patch(pod, { uid, ownerReferences: [controllerRefTo(job)], finalizers: [TRACKING_FINALIZER] });
  }

  /** Gives the pod up: it is nobody's, and nobody counts it. */
  async disown(job: Stored<Job>, pod: Stored<Pod>): Promise<void> {
    const ownerReferences = [{ $patch: 'delete', uid: job.metadata.uid }];
    await this.#patch(pod, { uid: pod.metadata.uid, ownerReferences, ...withoutFinalizer });
  }

  async #patch({ metadata: { namespace, name } }: Stored<Pod>, metadata: object): Promise<void> {
    try {
      await this.#client.patch(Pod, { namespace, name }, { type: 'strategic', body: { metadata } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #create(job: Stored<Job>, pod: Pod): Promise<void> {
    try {
      const { metadata } = await this.#client.create(Pod, pod);
      this.#events.normal(job, 'SuccessfulCreate', `Created pod: ${metadata.name}`);
    } catch (error) {
      // The namespace is going away: nothing to complain about.
      if (isStatus(error, 'Forbidden') && isTerminating(error)) return;
      this.#events.warning(job, 'FailedCreate', `Error creating: ${messageOf(error)}`);
      throw error;
    }
  }

  async #remove(job: Stored<Job>, { metadata: { namespace, name, uid } }: Stored<Pod>): Promise<void> {
    try {
      await this.#client.delete(Pod, { namespace, name }, { preconditions: { uid } });
      this.#events.normal(job, 'SuccessfulDelete', `Deleted pod: ${name}`);
    } catch (error) {
      if (isNotFound(error)) return;
      this.#events.warning(job, 'FailedDelete', `Error deleting: ${messageOf(error)}`);
      throw error;
    }
  }
}

const withoutFinalizer = { '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] };

/** Does it for all side by side; throws the first failure once all are done. */
async function allOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(items.map(work));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

function isTerminating(error: {
  status: { details?: { causes?: { reason?: string | undefined }[] | undefined } | undefined };
}): boolean {
  return error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false;
}
