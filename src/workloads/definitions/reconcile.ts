/**
 * The life of a CustomResourceDefinition: its names are accepted or refused, with that it is established and the API
 * server serves it; once it is deleted, its objects go first, as slowly as their finalizers want, and then it does.
 */
import { deepEqual } from '#base/json.ts';
import { Controller, type Outcome, watching } from '#controller/controller.ts';
import { definedKind, isTrueOf, storageVersionOf } from '#kube/defined-kind.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { type Kind, resourceOf } from '#kube/kind.ts';
import { isBeingDeleted, keyOf, type KubeObject, type ObjectKey, type Stored } from '#kube/object.ts';
import { isConflict, isNotFound } from '#kube/status.ts';
import { type DefinitionStatus, planStatus, terminatingStatus } from '#workloads/definitions/plan.ts';
import type { WorkloadEnvironment } from '#workloads/replica-set/reconcile.ts';

const BUILTIN_STAYS = 'instances overlap with built-in resources in storage';
const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/** While objects of a definition that was deleted remain, they are looked at again after this long. */
const AGAIN_MS = 500;

/** Objects that are deleted side by side; then other definitions have their turn. */
const MAX_DELETIONS = 256;

type Definition = Stored<CustomResourceDefinition>;

export interface DefinitionOptions extends WorkloadEnvironment {
  /** Those of the program, which no definition brings or takes. */
  readonly kinds: readonly Kind[];
}

export function createDefinitionController(options: DefinitionOptions): Controller {
  const definitions = options.caches.of(CustomResourceDefinition);
  const reconciler = new DefinitionReconciler(options);
  // A name that somebody gives up, or takes, concerns the whole group.
  const groupOf = ({ object }: { object: CustomResourceDefinition }): ObjectKey[] =>
    definitions
      .list()
      .filter(({ spec }) => spec.group === object.spec.group)
      .map(keyOf);
  return new Controller({
    ...options,
    name: 'custom-resource-definition',
    sources: [watching(definitions, groupOf)],
    reconcile: (key) => reconciler.reconcile(key),
    // One after the other, so that two that want one name are seen in turn.
    concurrency: 1,
  });
}

class DefinitionReconciler {
  readonly #options: DefinitionOptions;

  constructor(options: DefinitionOptions) {
    this.#options = options;
  }

  async reconcile(key: ObjectKey): Promise<Outcome> {
    const { caches, clock } = this.#options;
    const definition = caches.of(CustomResourceDefinition).byKey(key);
    if (!definition) return;
    if (isBeingDeleted(definition)) return this.#finish(definition);
    const { group } = definition.spec;
    const siblings = caches
      .of(CustomResourceDefinition)
      .list()
      .filter(({ spec }) => spec.group === group);
    await this.#write(definition, planStatus({ definition, group: siblings, nowMs: clock.now() }));
  }

  async #finish(definition: Definition): Promise<Outcome> {
    if (!definition.metadata.finalizers?.includes(CLEANUP_FINALIZER)) return;
    if (this.#options.kinds.some((kind) => resourceOf(kind) === definition.metadata.name)) {
      return this.#release(definition, 'OverlappingBuiltInResource', BUILTIN_STAYS);
    }
    const kind = instanceKind(definition);
    if (!kind) return this.#release(definition, 'NeverEstablished', 'resource was never established');
    const left = await this.#deleteInstances(definition, kind);
    if (left.length === 0) return this.#release(definition, 'InstanceDeletionCompleted', 'removed all instances');
    const [reason, message] = ['InstanceDeletionInProgress', 'CustomResource deletion is in progress'];
    await this.#write(definition, this.#terminating(definition, { status: 'True', reason, message }));
    return { requeueAfterMs: left.every(isBeingDeleted) ? AGAIN_MS : 0 };
  }

  /** The objects that are there still. */
  async #deleteInstances(definition: Definition, kind: Kind): Promise<readonly KubeObject[]> {
    const { client } = this.#options;
    try {
      const { items } = await client.list(kind);
      const next = items.filter((object) => !isBeingDeleted(object)).slice(0, MAX_DELETIONS);
      await Promise.all(next.map((object) => this.#delete(kind, object)));
      return (await client.list(kind)).items;
    } catch (error) {
      const message = `could not list instances: ${error instanceof Error ? error.message : String(error)}`;
      const claim = { status: 'True', reason: 'InstanceDeletionFailed', message };
      await this.#write(definition, this.#terminating(definition, claim));
      throw error;
    }
  }

  async #delete(kind: Kind, { metadata: { namespace, name, uid } }: Stored<KubeObject>): Promise<void> {
    try {
      await this.#options.client.delete(kind, { namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #release(definition: Definition, reason: string, message: string): Promise<void> {
    const finalizers = definition.metadata.finalizers?.filter((name) => name !== CLEANUP_FINALIZER);
    const status = this.#terminating(definition, { status: 'False', reason, message });
    await this.#write({ ...definition, metadata: { ...definition.metadata, finalizers } }, status);
  }

  #terminating(definition: Definition, claim: { status: string; reason: string; message: string }): DefinitionStatus {
    return terminatingStatus(definition, claim, this.#options.clock.now());
  }

  /** Its finalizers may go through the status, as in Kubernetes. A lost race is made up for by the next change. */
  async #write(definition: Definition, status: DefinitionStatus): Promise<void> {
    const { caches, client } = this.#options;
    const known = caches.of(CustomResourceDefinition).get(definition.metadata);
    if (deepEqual(known?.status, status) && deepEqual(known?.metadata, definition.metadata)) return;
    try {
      await client.updateStatus(CustomResourceDefinition, { ...definition, status });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

/** How objects are reached, whatever is served of them; undefined when there never were any. */
function instanceKind(definition: CustomResourceDefinition): Kind | undefined {
  const storage = storageVersionOf(definition);
  return storage && isTrueOf(definition, 'Established') ? definedKind(definition, storage) : undefined;
}
