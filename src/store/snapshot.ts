/** Rebuilds an earlier state of a list by undoing later events, newest first. */
import { keyOf, type KubeObject } from '#kube/object.ts';
import type { StoreEvent } from '#store/history.ts';
import { compareKeys } from '#store/table.ts';

/**
 * @param objects the current list, in key order
 * @param events what happened since the wanted revision, oldest first
 * @param namespace only objects of this namespace, when given
 */
export function rollBack(
  objects: readonly KubeObject[],
  events: readonly StoreEvent[],
  namespace?: string,
): KubeObject[] {
  const byKey = new Map(objects.map((object) => [keyOf(object), object]));
  for (const event of events.toReversed()) {
    if (namespace !== undefined && event.object.metadata.namespace !== namespace) continue;
    const key = keyOf(event.object);
    if (event.previous) byKey.set(key, event.previous);
    else byKey.delete(key);
  }
  return [...byKey].sort(([a], [b]) => compareKeys(a, b)).map(([, object]) => object);
}
