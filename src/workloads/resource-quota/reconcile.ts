/**
 * Keeps the status of ResourceQuotas: what is used in their namespaces. It only tells; that nobody uses more is seen to
 * by the API server at each write.
 */
import { deepEqual } from '#base/json.ts';
import type { Cache, Change } from '#client/cache.ts';
import type { Caches } from '#client/caches.ts';
import { Controller, type Outcome, type Source, watching } from '#controller/controller.ts';
import { ResourceQuota } from '#kube/kinds/core/resource-quota.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import { keyOf, type KubeObject, namespaceOf, type ObjectKey, refOfKey } from '#kube/object.ts';
import { isNotFound } from '#kube/status.ts';
import type { FollowedKinds } from '#workloads/definitions/followed-kinds.ts';
import { isPodFinished } from '#workloads/pods.ts';
import type { WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';
import { quotaStatus } from '#workloads/resource-quota/plan.ts';

export interface ResourceQuotaEnvironment extends WorkloadEnvironment {
  readonly kinds: FollowedKinds;
}

const BY_NAMESPACE = 'namespace';

export function createResourceQuotaController(environment: ResourceQuotaEnvironment): Controller {
  const { caches, client, clock, kinds } = environment;
  const quotas = caches.of(ResourceQuota);
  quotas.addIndex(BY_NAMESPACE, (quota) => [namespaceOf(quota)]);
  const objectsOf = (namespace: string) => (resource: string) => {
    const kind = kinds.list().find((one) => one.namespaced && resourceOf(one) === resource);
    return kind ? caches.of(kind).list(namespace) : [];
  };
  return new Controller({
    ...environment,
    name: 'resource-quota',
    sources: [watching(quotas), new CountedObjects(kinds, caches, quotas)],
    reconcile: async (key): Promise<Outcome> => {
      const quota = quotas.byKey(key);
      if (!quota) return;
      const status = quotaStatus(quota, objectsOf(namespaceOf(quota)), clock.now());
      if (deepEqual(status, quota.status ?? {})) return;
      try {
        await client.derived.modify(ResourceQuota, refOfKey(key), (current) => ({ ...current, status }), 'status');
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  });
}

/** Whatever a quota may count, of every kind, as kinds come and go. Where no quota is, a change costs a look-up. */
class CountedObjects implements Source {
  readonly #kinds: FollowedKinds;
  readonly #caches: Caches;
  readonly #quotas: Cache<ResourceQuota>;
  readonly #sources = new Map<Kind, Disposable>();
  #subscription: Disposable | undefined;

  constructor(kinds: FollowedKinds, caches: Caches, quotas: Cache<ResourceQuota>) {
    this.#kinds = kinds;
    this.#caches = caches;
    this.#quotas = quotas;
  }

  start(enqueue: (key: ObjectKey) => void): void {
    this.#subscription = this.#kinds.subscribe({
      onKind: (kind) => this.#follow(kind, enqueue),
      onKindGone: (kind) => {
        this.#sources.get(kind)?.[Symbol.dispose]();
        this.#sources.delete(kind);
      },
    });
  }

  *keys(): Iterable<ObjectKey> {
    for (const quota of this.#quotas.list()) yield keyOf(quota);
  }

  [Symbol.dispose](): void {
    this.#subscription?.[Symbol.dispose]();
    for (const source of this.#sources.values()) source[Symbol.dispose]();
  }

  #follow(kind: Kind, enqueue: (key: ObjectKey) => void): void {
    if (!kind.namespaced || resourceOf(kind) === resourceOf(ResourceQuota)) return;
    const subscription = this.#caches.of(kind).subscribe((change) => {
      if (this.#quotas.size === 0 || !mayChangeUse(kind, change)) return;
      for (const quota of this.#quotas.byIndex(BY_NAMESPACE, namespaceOf(change.object))) enqueue(keyOf(quota));
    });
    this.#sources.set(kind, subscription);
  }
}

function mayChangeUse(kind: Kind, change: Change<KubeObject>): boolean {
  if (change.type !== 'updated') return true;
  if (resourceOf(kind) === 'services') return true;
  return resourceOf(kind) === 'pods' && isPodFinished(change.object as Pod) !== isPodFinished(change.previous as Pod);
}
