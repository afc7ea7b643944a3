/**
 * Rolls a Deployment out: one ReplicaSet per template, sized step by step (`rolling.ts`, `scaling.ts`), with the status
 * that says how far it got (`status.ts`). Sizes and status are written derived: the template in the Deployment says it all again.
 */
import { clone, deepEqual } from '#base/json.ts';
import { Controller, controllerOwner, type Outcome, watching } from '#controller/controller.ts';
import type { EventRecorder } from '#controller/event-recorder.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import { annotationsOf, isBeingDeleted, nameOf, type ObjectKey, type ObjectRef, type Stored } from '#kube/object.ts';
import { controllerOf, controllerRefTo } from '#kube/owner.ts';
import { isAlreadyExists, isNotFound } from '#kube/status.ts';
import { createdAt, newReplicas, recreateStep, rollingStep, type Sizes } from '#workloads/deployment/rolling.ts';
import {
  DESIRED_REPLICAS,
  isResized,
  MAX_REPLICAS,
  resizedSizes,
  sizeAnnotations,
} from '#workloads/deployment/scaling.ts';
import { deploymentStatus, isComplete, type NewSetNews, progressCheckMs } from '#workloads/deployment/status.ts';
import { POD_TEMPLATE_HASH, sameTemplate, templateHash } from '#workloads/deployment/template-hash.ts';
import { isPodFinished } from '#workloads/pods.ts';
import { BY_CONTROLLER, indexByController, type WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';

const REVISION = 'deployment.kubernetes.io/revision';
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);

const DEFAULT_HISTORY_LIMIT = 10;

export function createDeploymentController(environment: WorkloadEnvironment): Controller {
  const { caches } = environment;
  const replicaSets = caches.of(ReplicaSet);
  replicaSets.addIndex(BY_CONTROLLER, (one) => [controllerOf(one)?.uid ?? '']);
  indexByController(caches.of(Pod));
  const reconciler = new DeploymentReconciler(environment, environment.eventsOf('deployment-controller'));
  return new Controller({
    ...environment,
    name: 'deployment',
    isUrgent: true,
    sources: [watching(caches.of(Deployment)), watching(replicaSets, controllerOwner(Deployment))],
    reconcile: (key) => reconciler.reconcile(key),
  });
}

/** The ReplicaSets of one Deployment, as they are now. */
interface Sets {
  readonly current: Stored<ReplicaSet> | undefined;
  /** Oldest first. */
  readonly old: readonly Stored<ReplicaSet>[];
}

class DeploymentReconciler {
  readonly #environment: WorkloadEnvironment;
  readonly #events: EventRecorder;

  constructor(environment: WorkloadEnvironment, events: EventRecorder) {
    this.#environment = environment;
    this.#events = events;
  }

  async reconcile(key: ObjectKey): Promise<Outcome> {
    const deployment = this.#environment.caches.of(Deployment).byKey(key);
    if (!deployment) return;
    if (isBeingDeleted(deployment)) return this.#writeStatus(deployment, undefined);
    const { current, old } = this.#sets(deployment);
    const isHeld = deployment.spec.paused || isResized(deployment, [...old, ...(current ? [current] : [])]);
    const news = isHeld ? await this.#resize(deployment) : await this.#rollOut(deployment);
    const outcome = await this.#writeStatus(deployment, news);
    await this.#forgetHistory(deployment);
    return outcome;
  }

  /** Each ReplicaSet gets its share of the Deployment's size; no new one is made meanwhile. */
  async #resize(deployment: Stored<Deployment>): Promise<undefined> {
    const { current, old } = this.#sets(deployment);
    await this.#setSizes(deployment, resizedSizes(deployment, current, old));
  }

  async #rollOut(deployment: Stored<Deployment>): Promise<NewSetNews> {
    const news = await this.#ensureCurrent(deployment);
    for (let round = 0; round < 2; round += 1) {
      const sizes = this.#nextSizes(deployment, this.#sets(deployment));
      if (sizes.size === 0) break;
      await this.#setSizes(deployment, sizes);
    }
    await this.#annotate(deployment);
    return news;
  }

  #sets(deployment: Stored<Deployment>): Sets {
    const owned = this.#environment.caches.of(ReplicaSet).byIndex(BY_CONTROLLER, deployment.metadata.uid);
    const sorted = owned.toSorted((a, b) => createdAt(a) - createdAt(b) || nameOf(a).localeCompare(nameOf(b)));
    const current = sorted.find((one) => sameTemplate(one.spec.template, deployment.spec.template));
    return { current, old: sorted.filter((one) => one !== current) };
  }

  async #ensureCurrent(deployment: Stored<Deployment>): Promise<NewSetNews> {
    const { current, old } = this.#sets(deployment);
    if (current) {
      await this.#update(current, annotatedSet(deployment, current, old));
      return undefined;
    }
    const replicas = newReplicas(deployment, undefined, old);
    const wanted = newReplicaSet(deployment, { replicas, revision: highestRevision(old) + 1 });
    try {
      // Durable: pods name it by UID, and must find it again after a crash.
      const created = await this.#environment.client.create(ReplicaSet, wanted);
      if (replicas > 0) this.#scaled(deployment, { name: created.metadata.name, from: 0, to: replicas });
      return 'created';
    } catch (error) {
      if (isAlreadyExists(error)) await this.#countCollision(deployment);
      throw error;
    }
  }

  #nextSizes(deployment: Stored<Deployment>, { current, old }: Sets): Sizes {
    if (!current) return new Map();
    if (deployment.spec.strategy?.type !== 'Recreate') return rollingStep(deployment, current, old);
    return recreateStep(deployment, current, old, this.#hasPods(old));
  }

  async #setSizes(deployment: Stored<Deployment>, sizes: Sizes): Promise<void> {
    const { current, old } = this.#sets(deployment);
    for (const one of [...old, ...(current ? [current] : [])]) {
      const wanted = sizes.get(nameOf(one));
      if (wanted !== undefined) await this.#setSize(deployment, one, wanted);
    }
  }

  #hasPods(sets: readonly Stored<ReplicaSet>[]): boolean {
    const pods = this.#environment.caches.of(Pod);
    return sets.some((one) => pods.byIndex(BY_CONTROLLER, one.metadata.uid).some((pod) => !isPodFinished(pod)));
  }

  async #setSize(deployment: Stored<Deployment>, replicaSet: Stored<ReplicaSet>, replicas: number): Promise<void> {
    const from = replicaSet.spec.replicas ?? 0;
    const annotations = { ...annotationsOf(replicaSet), ...sizeAnnotations(deployment) };
    const changed = {
      ...replicaSet,
      metadata: { ...replicaSet.metadata, annotations },
      spec: { ...replicaSet.spec, replicas },
    };
    await this.#update(replicaSet, changed);
    if (from !== replicas) this.#scaled(deployment, { name: nameOf(replicaSet), from, to: replicas });
  }

  async #update(before: Stored<ReplicaSet>, after: ReplicaSet): Promise<void> {
    if (!deepEqual(before, after)) await this.#environment.client.derived.update(ReplicaSet, after);
  }

  #scaled(deployment: Stored<Deployment>, { name, from, to }: { name: string; from: number; to: number }): void {
    const direction = to > from ? 'up' : 'down';
    this.#events.normal(
      deployment,
      'ScalingReplicaSet',
      `Scaled ${direction} replica set ${name} from ${from} to ${to}`,
    );
  }

  /** The Deployment carries the revision of its newest ReplicaSet. Through its status, so that no generation counts. */
  async #annotate(deployment: Stored<Deployment>): Promise<void> {
    const { current } = this.#sets(deployment);
    const revision = current && annotationsOf(current)[REVISION];
    if (revision === undefined || annotationsOf(deployment)[REVISION] === revision) return;
    const body = { metadata: { annotations: { [REVISION]: revision } } };
    await this.#environment.client.derived.patch(Deployment, refOf(deployment), {
      type: 'merge',
      body,
      subresource: 'status',
    });
  }

  async #countCollision(deployment: Stored<Deployment>): Promise<void> {
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    const raise = (current: Stored<Deployment>) => ({ ...current, status: { ...current.status, collisionCount } });
    await this.#environment.client.derived.modify(Deployment, refOf(deployment), raise, 'status');
  }

  async #writeStatus(deployment: Stored<Deployment>, news: NewSetNews): Promise<Outcome> {
    const { clock, client } = this.#environment;
    const nowMs = clock.now();
    const status = deploymentStatus({ deployment, ...this.#sets(deployment), nowMs, news });
    if (!deepEqual(deployment.status, status)) {
      const write = (current: Stored<Deployment>) => ({ ...current, status });
      try {
        await client.derived.modify(Deployment, refOf(deployment), write, 'status');
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    const requeueAfterMs = progressCheckMs({ ...deployment, status }, nowMs);
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  /** Removes empty old ReplicaSets beyond the history limit once the rollout is complete. */
  async #forgetHistory(deployment: Stored<Deployment>): Promise<void> {
    const limit = deployment.spec.revisionHistoryLimit ?? DEFAULT_HISTORY_LIMIT;
    const fresh = this.#environment.caches.of(Deployment).get(refOf(deployment));
    if (!fresh?.status || !isComplete(fresh, fresh.status)) return;
    const { old } = this.#sets(deployment);
    const empty = old.filter(
      (one) => (one.spec.replicas ?? 0) === 0 && (one.status?.replicas ?? 0) === 0 && !isBeingDeleted(one),
    );
    for (const one of empty.slice(0, Math.max(0, empty.length - limit))) {
      await this.#environment.client.derived.remove(ReplicaSet, refOf(one));
    }
  }
}

function refOf({ metadata }: Stored<Deployment> | Stored<ReplicaSet>): ObjectRef {
  return { namespace: metadata.namespace, name: metadata.name };
}

function revisionOf(replicaSet: ReplicaSet): number {
  return Number(annotationsOf(replicaSet)[REVISION] ?? 0);
}

function highestRevision(sets: readonly ReplicaSet[]): number {
  return Math.max(0, ...sets.map(revisionOf));
}

function copiedAnnotations(deployment: Deployment): Record<string, string> {
  return Object.fromEntries(Object.entries(annotationsOf(deployment)).filter(([key]) => !NOT_COPIED.has(key)));
}

/** The newest ReplicaSet with the annotations that it should have; a rollback makes an old one the newest again. */
function annotatedSet(deployment: Deployment, current: Stored<ReplicaSet>, old: readonly ReplicaSet[]): ReplicaSet {
  const others = highestRevision(old);
  const revision = revisionOf(current) > others ? revisionOf(current) : others + 1;
  const annotations = { ...annotationsOf(current), ...copiedAnnotations(deployment), [REVISION]: String(revision) };
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  const spec =
    (current.spec.minReadySeconds ?? 0) === minReadySeconds ? current.spec : { ...current.spec, minReadySeconds };
  return { ...current, metadata: { ...current.metadata, annotations }, spec };
}

function newReplicaSet(
  deployment: Stored<Deployment>,
  { replicas, revision }: { replicas: number; revision: number },
): ReplicaSet {
  const hash = templateHash(deployment.spec.template, deployment.status?.collisionCount ?? 0);
  const template = clone(deployment.spec.template);
  const labels = { ...template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
  template.metadata = { ...template.metadata, labels };
  const selector = clone(deployment.spec.selector);
  selector.matchLabels = { ...selector.matchLabels, [POD_TEMPLATE_HASH]: hash };
  const metadata = {
    name: `${nameOf(deployment)}-${hash}`,
    namespace: deployment.metadata.namespace,
    labels,
    annotations: { ...copiedAnnotations(deployment), ...sizeAnnotations(deployment), [REVISION]: String(revision) },
    ownerReferences: [controllerRefTo(deployment)],
  };
  return typed(ReplicaSet, {
    metadata,
    spec: { replicas, minReadySeconds: deployment.spec.minReadySeconds, selector, template },
  });
}
