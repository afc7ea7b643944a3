/**
 * Keeps as many pods as a ReplicaSet wants. Pods are made and removed derived: after a crash the ReplicaSet and the
 * containers that still run say what has to be there.
 */
import { clone, deepEqual } from '#base/json.ts';
import type { Clock } from '#base/clock.ts';
import type { Client } from '#client/client.ts';
import type { Caches } from '#client/caches.ts';
import type { Cache } from '#client/cache.ts';
import {
  Controller,
  type ControllerEnvironment,
  controllerOwner,
  type Outcome,
  watching,
} from '#controller/controller.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import { isBeingDeleted, type ObjectKey, refOfKey, type Stored } from '#kube/object.ts';
import { controllerOf, controllerRefTo } from '#kube/owner.ts';
import { isNotFound, isStatus } from '#kube/status.ts';
import { isPodReady } from '#workloads/pods.ts';
import { planReplicas, replicaSetStatus } from '#workloads/replica-set/plan.ts';

export interface WorkloadEnvironment extends ControllerEnvironment {
  readonly client: Client;
  readonly caches: Caches;
  readonly clock: Clock;
  /** Makes the recorder of one controller. */
  readonly eventsOf: (component: string) => EventRecorder;
}

/** Index of pods by the UID of their controller. */
export const BY_CONTROLLER = 'controller';

export function indexByController(pods: Cache<Pod>): void {
  pods.addIndex(BY_CONTROLLER, (pod) => [controllerOf(pod)?.uid ?? '']);
}

interface Failure {
  readonly reason: string;
  readonly message: string;
}

export function createReplicaSetController(environment: WorkloadEnvironment): Controller {
  const { caches } = environment;
  const pods = caches.of(Pod);
  indexByController(pods);
  const reconciler = new ReplicaSetReconciler(environment, environment.eventsOf('replicaset-controller'));
  return new Controller({
    ...environment,
    name: 'replicaset',
    isUrgent: true,
    sources: [watching(caches.of(ReplicaSet)), watching(pods, controllerOwner(ReplicaSet))],
    reconcile: (key) => reconciler.reconcile(key),
  });
}

class ReplicaSetReconciler {
  readonly #environment: WorkloadEnvironment;
  readonly #events: EventRecorder;

  constructor(environment: WorkloadEnvironment, events: EventRecorder) {
    this.#environment = environment;
    this.#events = events;
  }

  async reconcile(key: ObjectKey): Promise<Outcome> {
    const { caches } = this.#environment;
    const replicaSet = caches.of(ReplicaSet).byKey(key);
    if (!replicaSet) return;
    const pods = () => caches.of(Pod).byIndex(BY_CONTROLLER, replicaSet.metadata.uid);
    const failure = isBeingDeleted(replicaSet) ? undefined : await this.#converge(replicaSet, pods());
    await this.#writeStatus(replicaSet, pods(), failure);
    if (failure) throw new Error(failure.message);
    return availabilityCheck(replicaSet, pods());
  }

  async #converge(replicaSet: Stored<ReplicaSet>, pods: readonly Stored<Pod>[]): Promise<Failure | undefined> {
    const { create, remove } = planReplicas(replicaSet, pods);
    const removals = remove.map((pod) => this.#remove(replicaSet, pod as Stored<Pod>));
    const creations = Array.from({ length: create }, () => this.#create(replicaSet));
    const failures = await Promise.all([...removals, ...creations]);
    return failures.find((failure) => failure !== undefined);
  }

  async #create(replicaSet: Stored<ReplicaSet>): Promise<Failure | undefined> {
    try {
      const pod = await this.#environment.client.derived.create(Pod, podOf(replicaSet));
      this.#events.normal(replicaSet, 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
      return undefined;
    } catch (error) {
      // The namespace is going away: nothing to complain about.
      if (isStatus(error, 'Forbidden') && isTerminating(error)) return undefined;
      const message = error instanceof Error ? error.message : 'unknown error';
      this.#events.warning(replicaSet, 'FailedCreate', `Error creating: ${message}`);
      return { reason: 'FailedCreate', message };
    }
  }

  async #remove(replicaSet: Stored<ReplicaSet>, pod: Stored<Pod>): Promise<Failure | undefined> {
    const { namespace, name, uid } = pod.metadata;
    try {
      await this.#environment.client.derived.delete(Pod, { namespace, name }, { preconditions: { uid } });
      this.#events.normal(replicaSet, 'SuccessfulDelete', `Deleted pod: ${name}`);
      return undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      const message = error instanceof Error ? error.message : 'unknown error';
      this.#events.warning(replicaSet, 'FailedDelete', `Error deleting: ${message}`);
      return { reason: 'FailedDelete', message };
    }
  }

  async #writeStatus(
    replicaSet: Stored<ReplicaSet>,
    pods: readonly Pod[],
    failure: Failure | undefined,
  ): Promise<void> {
    const { clock, client } = this.#environment;
    const status = replicaSetStatus(replicaSet, pods, { nowMs: clock.now(), failure });
    if (deepEqual(replicaSet.status, status)) return;
    try {
      await client.derived.modify(
        ReplicaSet,
        refOfKey(keyOfMeta(replicaSet)),
        (current) => ({ ...current, status }),
        'status',
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** Ready pods become available by the passing of time alone: look again when `minReadySeconds` may be over. */
function availabilityCheck(replicaSet: ReplicaSet, pods: readonly Pod[]): Outcome {
  const { minReadySeconds = 0 } = replicaSet.spec;
  const waiting = minReadySeconds > 0 && (replicaSet.status?.availableReplicas ?? 0) < pods.filter(isPodReady).length;
  return waiting ? { requeueAfterMs: minReadySeconds * 1_000 } : undefined;
}

function keyOfMeta(object: Stored<ReplicaSet>): ObjectKey {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

function isTerminating(error: {
  status: { details?: { causes?: { reason?: string | undefined }[] | undefined } | undefined };
}): boolean {
  return error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false;
}

function podOf(replicaSet: ReplicaSet): Pod {
  const template = clone(replicaSet.spec.template ?? {});
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const metadata = {
    generateName: `${replicaSet.metadata.name ?? ''}-`,
    namespace: replicaSet.metadata.namespace,
    labels,
    annotations,
    finalizers,
    ownerReferences: [controllerRefTo(replicaSet)],
  };
  return typed(Pod, { metadata, spec: template.spec ?? { containers: [] } });
}
