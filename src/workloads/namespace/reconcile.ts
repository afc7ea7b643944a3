/**
 * The life of a namespace: a living one gets its default ServiceAccount and the root CA; one that is being deleted is
 * emptied of every kind and then let go.
 */
import { deepEqual } from '#base/json.ts';
import { Controller, type Outcome, watching } from '#controller/controller.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import type { Kind } from '#kube/kind.ts';
import { typed } from '#kube/kind.ts';
import { isBeingDeleted, type KubeObject, type ObjectKey, type Stored } from '#kube/object.ts';
import { isAlreadyExists, isConflict, isNotFound, isStatus } from '#kube/status.ts';
import type { FollowedKinds } from '#workloads/definitions/followed-kinds.ts';
import { deletionConditions, type Remaining } from '#workloads/namespace/plan.ts';
import type { WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';

const ROOT_CA_CONFIG_MAP = 'kube-root-ca.crt';
const DEFAULT_ACCOUNT = 'default';
const KUBERNETES_FINALIZER = 'kubernetes';

/** While content remains, it is looked at again after this long. */
const AGAIN_MS = 200;

export interface NamespaceOptions extends WorkloadEnvironment {
  /** Every kind that is served. */
  readonly kinds: FollowedKinds;
  /** The API server's certificate authority, in PEM. */
  readonly rootCa: string;
}

export function createNamespaceController(options: NamespaceOptions): Controller {
  const { caches } = options;
  const reconciler = new NamespaceReconciler(options);
  const namespaceOfObject = ({ object }: { object: KubeObject }) => [object.metadata.namespace ?? ''];
  return new Controller({
    ...options,
    name: 'namespace',
    sources: [
      watching(caches.of(Namespace)),
      watching(caches.of(ServiceAccount), namespaceOfObject),
      watching(caches.of(ConfigMap), (change) =>
        change.object.metadata.name === ROOT_CA_CONFIG_MAP ? namespaceOfObject(change) : [],
      ),
    ],
    reconcile: (key) => reconciler.reconcile(key),
  });
}

class NamespaceReconciler {
  readonly #options: NamespaceOptions;

  constructor(options: NamespaceOptions) {
    this.#options = options;
  }

  async reconcile(key: ObjectKey): Promise<Outcome> {
    const namespace = this.#options.caches.of(Namespace).byKey(key);
    if (!namespace) return;
    return isBeingDeleted(namespace) ? this.#empty(namespace) : this.#furnish(namespace);
  }

  async #furnish({ metadata: { name: namespace } }: Stored<Namespace>): Promise<void> {
    const { caches, rootCa } = this.#options;
    const ref = { namespace, name: ROOT_CA_CONFIG_MAP };
    const known = caches.of(ConfigMap).get(ref);
    const data = { 'ca.crt': rootCa };
    if (!known) {
      const annotations = {
        'kubernetes.io/description': 'The certificate authority of the API server, for clients inside pods.',
      };
      await this.#create(ConfigMap, typed(ConfigMap, { metadata: { ...ref, annotations }, data }));
    } else if (!deepEqual(known.data, data)) await this.#options.client.derived.update(ConfigMap, { ...known, data });
    // Last: pods wait for the account, and show the authority.
    if (!caches.of(ServiceAccount).get({ namespace, name: DEFAULT_ACCOUNT })) {
      await this.#create(ServiceAccount, typed(ServiceAccount, { metadata: { namespace, name: DEFAULT_ACCOUNT } }));
    }
  }

  async #create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<void> {
    try {
      await this.#options.client.derived.create(kind, object);
    } catch (error) {
      if (!isAlreadyExists(error) && !isStatus(error, 'Forbidden', 'NotFound')) throw error;
    }
  }

  async #empty(namespace: Stored<Namespace>): Promise<Outcome> {
    const { name } = namespace.metadata;
    const kinds = this.#options.kinds.list().filter(({ namespaced }) => namespaced);
    for (const kind of kinds) await this.#deleteAll(kind, name);
    const remaining = await this.#remaining(kinds, name);
    await this.#writeConditions(namespace, remaining);
    if (remaining.length > 0) return { requeueAfterMs: AGAIN_MS };
    await this.#release(name);
    return undefined;
  }

  async #deleteAll(kind: Kind, namespace: string): Promise<void> {
    const { items } = await this.#options.client.list(kind, { namespace });
    for (const object of items) {
      if (isBeingDeleted(object)) continue;
      const { name, uid } = object.metadata;
      try {
        await this.#options.client.delete(
          kind,
          { namespace, name },
          { propagationPolicy: 'Background', preconditions: { uid } },
        );
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    }
  }

  async #remaining(kinds: readonly Kind[], namespace: string): Promise<Remaining[]> {
    const lists = kinds.map(async (kind) => ({
      kind,
      objects: (await this.#options.client.list(kind, { namespace })).items,
    }));
    return (await Promise.all(lists)).filter(({ objects }) => objects.length > 0);
  }

  async #writeConditions(namespace: Stored<Namespace>, remaining: readonly Remaining[]): Promise<void> {
    const { client, clock } = this.#options;
    const conditions = deletionConditions(namespace, remaining, clock.now());
    if (deepEqual(namespace.status?.conditions, conditions)) return;
    const write = (current: Stored<Namespace>) => ({
      ...current,
      status: { ...current.status, phase: 'Terminating' as const, conditions },
    });
    try {
      await client.derived.modify(Namespace, { name: namespace.metadata.name }, write, 'status');
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Takes the finalizer away through the `finalize` subresource; with it goes the namespace. */
  async #release(name: string): Promise<void> {
    const { client } = this.#options;
    const current = await client.find(Namespace, { name });
    if (!current) return;
    const finalizers = (current.spec?.finalizers ?? []).filter((finalizer) => finalizer !== KUBERNETES_FINALIZER);
    const body = { ...current, spec: { ...current.spec, finalizers } };
    try {
      await client.updateSubresource(Namespace, { name }, { subresource: 'finalize', body });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
