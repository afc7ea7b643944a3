/**
 * The shape that every API object shares. Objects that come out of the store, a cache or the client are frozen:
 * `clone` (from `#base/json.ts`) before a change.
 */

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean | undefined;
  blockOwnerDeletion?: boolean | undefined;
}

export interface ManagedFieldsEntry {
  manager?: string | undefined;
  operation?: string | undefined;
  apiVersion?: string | undefined;
  time?: string | undefined;
  fieldsType?: string | undefined;
  fieldsV1?: unknown;
  subresource?: string | undefined;
}

export interface ObjectMeta {
  name?: string | undefined;
  generateName?: string | undefined;
  namespace?: string | undefined;
  uid?: string | undefined;
  /** Opaque to clients; a decimal number here. */
  resourceVersion?: string | undefined;
  generation?: number | undefined;
  creationTimestamp?: string | null | undefined;
  deletionTimestamp?: string | undefined;
  deletionGracePeriodSeconds?: number | undefined;
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
  ownerReferences?: OwnerReference[] | undefined;
  finalizers?: string[] | undefined;
  managedFields?: ManagedFieldsEntry[] | undefined;
  selfLink?: string | undefined;
}

/** Any API object. `spec` and `status` are typed by each kind. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** An object that the API server has stored: name, uid and resourceVersion are there. */
export type Stored<T extends KubeObject> = T & {
  metadata: { name: string; uid: string; resourceVersion: string; creationTimestamp: string };
};

export interface ListMeta {
  resourceVersion: string;
  continue?: string | undefined;
  remainingItemCount?: number | undefined;
}

export interface ObjectList<T extends KubeObject> {
  apiVersion: string;
  kind: string;
  metadata: ListMeta;
  items: T[];
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';

export interface WatchEvent<T extends KubeObject> {
  type: WatchEventType;
  object: T;
}

/** Names an object within its kind; `namespace` is absent for cluster-scoped kinds. */
export interface ObjectRef {
  namespace?: string | undefined;
  name: string;
}

/** `namespace/name`, or `name` for cluster-scoped objects: the key of work queues and caches. */
export type ObjectKey = string;

export function keyOf(object: { metadata: ObjectMeta }): ObjectKey {
  const { namespace, name = '' } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

export function keyOfRef({ namespace, name }: ObjectRef): ObjectKey {
  return namespace ? `${namespace}/${name}` : name;
}

export function refOfKey(key: ObjectKey): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

export function nameOf(object: { metadata: ObjectMeta }): string {
  return object.metadata.name ?? '';
}

export function namespaceOf(object: { metadata: ObjectMeta }): string {
  return object.metadata.namespace ?? '';
}

export function uidOf(object: { metadata: ObjectMeta }): string {
  return object.metadata.uid ?? '';
}

export function labelsOf(object: { metadata: ObjectMeta }): Readonly<Record<string, string>> {
  return object.metadata.labels ?? {};
}

export function annotationsOf(object: { metadata: ObjectMeta }): Readonly<Record<string, string>> {
  return object.metadata.annotations ?? {};
}

export function isBeingDeleted(object: { metadata: ObjectMeta }): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}
