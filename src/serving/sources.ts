/**
 * Which changes concern whom. Pods come and go without end; a change that only says how many there are must not wake
 * everybody who ever looked at the Revision.
 */
import { deepEqual } from '#base/json.ts';
import type { Cache, Change } from '#client/cache.ts';
import type { Source } from '#controller/controller.ts';
import { type KubeObject, labelsOf, annotationsOf, namespaceOf, type ObjectKey, type Stored } from '#kube/object.ts';
import { findCondition, READY } from '#knative/conditions.ts';
import type { Revision } from '#knative/kinds/revision.ts';

/** Index of objects by the names that they refer to: `NAMESPACE/NAME`. */
export function namesIn(namespace: string, names: Iterable<string | undefined>): string[] {
  const known = new Set<string>();
  for (const name of names) if (name) known.add(`${namespace}/${name}`);
  return [...known];
}

/** Like `watching`, for changes that pass `isRelevant`. */
export function watchingWhen<T extends KubeObject>(
  cache: Cache<T>,
  isRelevant: (change: Change<T>) => boolean,
  map: (object: Stored<T>) => Iterable<ObjectKey>,
): Source {
  let subscription: Disposable | undefined;
  return {
    start(enqueue) {
      subscription = cache.subscribe((change) => {
        if (!isRelevant(change)) return;
        for (const key of map(change.object)) enqueue(key);
        if (change.previous) for (const key of map(change.previous)) enqueue(key);
      });
    },
    *keys() {
      for (const object of cache.list()) yield* map(object);
    },
    [Symbol.dispose]: () => subscription?.[Symbol.dispose](),
  };
}

/** More than its scale changed: metadata, or whether it is ready. */
export function isMoreThanScale({ object, previous }: Change<Revision>): boolean {
  if (!previous) return true;
  return !deepEqual(essence(object), essence(previous));
}

function essence(revision: Revision): unknown {
  const { generation, deletionTimestamp, ownerReferences } = revision.metadata;
  const ready = findCondition(revision.status, READY);
  return {
    labels: labelsOf(revision),
    annotations: annotationsOf(revision),
    metadata: { generation, deletionTimestamp, ownerReferences },
    observed: revision.status?.observedGeneration,
    ready: ready && { status: ready.status, reason: ready.reason, message: ready.message },
  };
}

/** The key of an object's name in the changed object's namespace. */
export function keyIn(object: KubeObject, name: string): ObjectKey {
  return `${namespaceOf(object)}/${name}`;
}
