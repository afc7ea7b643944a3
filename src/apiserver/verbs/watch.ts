/**
 * A watch: what is there first, unless a version was named, then every change in order, each delivered in the same
 * turn in which the store publishes it. What leaves or enters the selection looks deleted or added.
 */
import type { KubeObject, WatchEvent } from '#kube/object.ts';
import { expired, plainError } from '#kube/status.ts';
import type { Subscription, WatchRequest } from '#client/transport.ts';
import { RevisionCompacted } from '#store/errors.ts';
import type { StoreEvent } from '#store/history.ts';
import type { Api, Target } from '#apiserver/api.ts';
import { versionError } from '#apiserver/list-options.ts';
import { present, type ServedKind } from '#apiserver/registry.ts';
import { type Selects, selectionOf } from '#apiserver/selection.ts';

export interface Watch {
  readonly target: Target;
  readonly options: WatchRequest['options'];
}

/** Throws a StatusError when the watch cannot begin; afterwards it goes on until it is closed. */
export function watchObjects(
  api: Api,
  { target, options }: Watch,
  deliver: (event: WatchEvent<KubeObject>) => void,
): Subscription {
  const { served, namespace } = target;
  const { selects } = selectionOf(served, target, options);
  const from = startOf(options.resourceVersion);
  const snapshot = from === undefined ? api.store.list(served.resource, { namespace }) : undefined;
  for (const object of snapshot?.objects ?? []) {
    if (!selects || selects(object)) deliver({ type: 'ADDED', object: present(served, object) });
  }
  const listener = (event: StoreEvent) => {
    // A watch may begin at a version that is yet to come.
    if (from !== undefined && event.revision <= from) return;
    const seen = eventFor(served, event, selects);
    if (seen) deliver(seen);
  };
  try {
    return api.store.watch(served.resource, from ?? snapshot?.revision ?? api.store.revision, listener);
  } catch (error) {
    if (error instanceof RevisionCompacted) throw tooOld(error);
    throw error;
  }
}

/** Undefined when the watch begins with everything that is there. */
function startOf(version: string | undefined): number | undefined {
  if (version === undefined || version === '' || version === '0') return undefined;
  const revision = Number(version);
  if (!/^\d+$/.test(version)) throw plainError(versionError(version));
  return revision;
}

/** What a watcher of a selection sees of a change, if anything. */
function eventFor(
  served: ServedKind,
  { type, object, previous }: StoreEvent,
  selects: Selects | undefined,
): WatchEvent<KubeObject> | undefined {
  const isIn = type !== 'deleted' && (!selects || selects(object));
  const wasIn = previous !== undefined && (!selects || selects(previous));
  if (!isIn && !wasIn) return undefined;
  if (isIn) return { type: wasIn ? 'MODIFIED' : 'ADDED', object: present(served, object) };
  const last = type === 'deleted' ? object : withVersionOf(previous ?? object, object);
  return { type: 'DELETED', object: present(served, last) };
}

/** An object that left the selection is seen as it last was in it, at the version of the change. */
function withVersionOf(previous: KubeObject, object: KubeObject): KubeObject {
  const metadata = { ...previous.metadata, resourceVersion: object.metadata.resourceVersion };
  return Object.freeze({ ...previous, metadata: Object.freeze(metadata) });
}

export function tooOld({ requested, oldest }: RevisionCompacted) {
  return expired(`too old resource version: ${requested} (${oldest})`);
}
