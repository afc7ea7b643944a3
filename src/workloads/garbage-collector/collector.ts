/**
 * Collects objects whose owners are gone, for every kind that is served. Follows all of them through the caches, so it
 * knows an owner's fate as soon as anybody does; an owner that it has never seen is asked for by name before its
 * dependents go.
 */
import type { Cache } from '#client/cache.ts';
import type { Subscription } from '#client/transport.ts';
import { Controller, type Outcome, type Source } from '#controller/controller.ts';
import type { Kind } from '#kube/kind.ts';
import { splitApiVersion } from '#kube/kind.ts';
import { isBeingDeleted, type KubeObject, type OwnerReference, type Stored } from '#kube/object.ts';
import { isConflict, isNotFound } from '#kube/status.ts';
import type { FollowedKinds } from '#workloads/definitions/followed-kinds.ts';
import { type GraphNode, OwnerGraph, ownersOf, type Uid } from '#workloads/garbage-collector/graph.ts';
import { FOREGROUND_FINALIZER, type OwnerState, planCollection, type Step } from '#workloads/garbage-collector/plan.ts';
import type { WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';

/** Dependents that must go, and orphans that must be freed, are looked at again after this long while they remain. */
const AGAIN_MS = 500;

export interface GarbageCollectorOptions extends WorkloadEnvironment {
  /** Every kind whose objects may own or be owned. */
  readonly kinds: FollowedKinds;
}

export function createGarbageCollector(options: GarbageCollectorOptions): Controller {
  const collector = new GarbageCollector(options);
  return new Controller({
    ...options,
    name: 'garbage-collector',
    sources: [collector.source],
    reconcile: (uid) => collector.reconcile(uid),
  });
}

class GarbageCollector {
  readonly #options: GarbageCollectorOptions;
  readonly #graph = new OwnerGraph();
  readonly #subscriptions = new Map<Kind, Subscription>();
  #kindsFollowed: Subscription | undefined;

  constructor(options: GarbageCollectorOptions) {
    this.#options = options;
    for (const kind of options.kinds.list()) options.caches.of(kind);
  }

  get source(): Source {
    return {
      start: (enqueue) => {
        this.#kindsFollowed = this.#options.kinds.subscribe({
          onKind: (kind) => this.#follow(kind, enqueue),
          onKindGone: (kind) => this.#unfollow(kind),
        });
      },
      keys: () => this.#graph.uids(),
      [Symbol.dispose]: () => {
        this.#kindsFollowed?.close();
        for (const subscription of this.#subscriptions.values()) subscription.close();
      },
    };
  }

  async reconcile(uid: Uid): Promise<Outcome> {
    const node = this.#graph.get(uid);
    if (!node) return;
    const states = new Map<Uid, OwnerState>();
    for (const owner of ownersOf(node.object)) states.set(owner.uid, await this.#stateOf(node, owner));
    const stateOf = (owner: OwnerReference) => states.get(owner.uid) ?? 'living';
    const steps = planCollection({ object: node.object, dependents: this.#graph.dependentsOf(uid), stateOf });
    for (const step of steps) await this.#apply(node, step);
    const isWaiting = steps.some(({ type }) => type === 'strike-from');
    return isWaiting ? { requeueAfterMs: AGAIN_MS } : undefined;
  }

  #follow(kind: Kind, enqueue: (uid: Uid) => void): void {
    const cache: Cache<KubeObject> = this.#options.caches.of(kind);
    const subscription = cache.subscribe(({ type, object, previous }) => {
      const { uid } = object.metadata;
      if (previous && previous.metadata.uid !== uid) this.#gone(previous.metadata.uid, enqueue);
      if (type === 'deleted') return this.#gone(uid, enqueue, object);
      this.#graph.put({ kind, object });
      if (ownersOf(object).length > 0 || isBeingDeleted(object)) enqueue(uid);
      if (isForeground(object))
        for (const dependent of this.#graph.dependentsOf(uid)) enqueue(dependent.object.metadata.uid);
      for (const owner of ownersOf(object)) this.#wakeOwner(owner.uid, enqueue);
    });
    this.#subscriptions.set(kind, subscription);
  }

  /** Its objects have gone one by one, or go on in another version. */
  #unfollow(kind: Kind): void {
    this.#subscriptions.get(kind)?.close();
    this.#subscriptions.delete(kind);
    this.#options.caches.drop(kind);
  }

  #gone(uid: Uid, enqueue: (uid: Uid) => void, object?: Stored<KubeObject>): void {
    const dependents = this.#graph.dependentsOf(uid);
    this.#graph.remove(uid);
    for (const dependent of dependents) enqueue(dependent.object.metadata.uid);
    for (const owner of object ? ownersOf(object) : []) this.#wakeOwner(owner.uid, enqueue);
  }

  /** An owner that waits for its dependents hears of each change among them. */
  #wakeOwner(uid: Uid, enqueue: (uid: Uid) => void): void {
    const owner = this.#graph.get(uid);
    if (owner && isBeingDeleted(owner.object)) enqueue(uid);
  }

  async #stateOf(node: GraphNode, owner: OwnerReference): Promise<OwnerState> {
    const known = this.#graph.get(owner.uid);
    if (known) return isForeground(known.object) ? 'waiting' : 'living';
    const kind = this.#kindOf(owner);
    // Nothing can be said about an owner of a kind that is not served: leave the object alone.
    if (!kind) return 'living';
    const namespace = kind.namespaced ? node.object.metadata.namespace : undefined;
    const found = await this.#options.client.find(kind, { namespace, name: owner.name });
    return found?.metadata.uid === owner.uid ? 'living' : 'gone';
  }

  #kindOf({ apiVersion, kind }: OwnerReference): Kind | undefined {
    const [group] = splitApiVersion(apiVersion);
    return this.#options.kinds.list().find((one) => one.kind === kind && one.group === group);
  }

  async #apply(node: GraphNode, step: Step): Promise<void> {
    try {
      await this.#carryOut(node, step);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #carryOut({ kind, object }: GraphNode, step: Step): Promise<void> {
    const { client } = this.#options;
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const ref = { namespace, name };
    switch (step.type) {
      case 'delete': {
        const preconditions = { uid, resourceVersion };
        await client.delete(kind, ref, { propagationPolicy: step.policy, preconditions });
        return;
      }
      case 'strike-owners':
        await this.#strike(kind, object, step.uids);
        return;
      case 'strike-from':
        await this.#strike(step.dependent.kind, step.dependent.object, [uid]);
        return;
      case 'drop-finalizer':
        await this.#patch(kind, object, {
          finalizers: object.metadata.finalizers?.filter((one) => one !== step.finalizer) ?? null,
        });
    }
  }

  async #strike(kind: Kind, object: Stored<KubeObject>, uids: readonly Uid[]): Promise<void> {
    const left = ownersOf(object).filter(({ uid }) => !uids.includes(uid));
    await this.#patch(kind, object, { ownerReferences: left.length > 0 ? left : null });
  }

  /** Guarded by the version that the decision was made on. */
  async #patch(kind: Kind, object: Stored<KubeObject>, metadata: Record<string, unknown>): Promise<void> {
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const body = { metadata: { uid, resourceVersion, ...metadata } };
    await this.#options.client.patch(kind, { namespace, name }, { type: 'merge', body });
  }
}

function isForeground(object: KubeObject): boolean {
  return isBeingDeleted(object) && (object.metadata.finalizers ?? []).includes(FOREGROUND_FINALIZER);
}
