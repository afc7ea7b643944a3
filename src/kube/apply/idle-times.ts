/** Keeps a write that changes nothing from being one because of a time. */
import { deepEqual } from '#base/json.ts';
import type { KubeObject, ManagedFieldsEntry } from '#kube/object.ts';

/**
 * What is to be stored: `after`, but with the stored times where times of managedFields are all that changed. An apply
 * of `1000m`, which is kept as `1`, would otherwise count as a change every time.
 */
export function withoutIdleTimes<T extends KubeObject>(before: KubeObject, after: T): T {
  const { managedFields } = before.metadata;
  if (managedFields === undefined || !deepEqual(timeless(before), timeless(after))) return after;
  return { ...after, metadata: { ...after.metadata, managedFields } };
}

function timeless(object: KubeObject): unknown {
  const managedFields = object.metadata.managedFields?.map(({ time: _, ...entry }: ManagedFieldsEntry) => entry);
  return { ...object, metadata: { ...object.metadata, managedFields } };
}
