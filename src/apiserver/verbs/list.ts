/**
 * GET of a collection: one consistent snapshot, whole or in pages. Nothing is copied: in process the items are the
 * stored objects themselves.
 */
import { apiVersionOf, listKindOf } from '#kube/kind.ts';
import { keyOf, type KubeObject, type ObjectList } from '#kube/object.ts';
import type { ListOptions } from '#client/transport.ts';
import { RevisionCompacted } from '#store/errors.ts';
import { compareKeys } from '#store/table.ts';
import type { Api, Target } from '#apiserver/api.ts';
import { expiredToken, formatToken, parseToken } from '#apiserver/continue-token.ts';
import { futureRevision, versionForgotten } from '#apiserver/errors.ts';
import { checkListOptions, exactRevision } from '#apiserver/list-options.ts';
import { present, type ServedKind } from '#apiserver/registry.ts';
import { type Selection, selectionOf, type Selects } from '#apiserver/selection.ts';

interface Snapshot {
  readonly objects: readonly KubeObject[];
  readonly revision: number;
}

export function listObjects(api: Api, target: Target, options: ListOptions): ObjectList<KubeObject> {
  checkListOptions(options);
  const selection = selectionOf(target.served, target, options);
  if (options.continue) return continued(api, target, { options, selection, token: options.continue });
  const snapshot = read(api, target, { selection, revision: exactRevision(options) });
  // A list "of any version" comes whole, whatever its limit: as from Kubernetes' own cache.
  const limit = options.resourceVersion === '0' ? 0 : (options.limit ?? 0);
  return page(target, snapshot, { selection, limit, isFiltered: isFiltered(options) });
}

interface Continued {
  readonly options: ListOptions;
  readonly selection: Selection;
  readonly token: string;
}

/** The rest of a list that was begun earlier: at the same version, or at the present one once that is forgotten. */
function continued(api: Api, target: Target, { options, selection, token }: Continued): ObjectList<KubeObject> {
  const { revision, start } = parseToken(token, target.namespace);
  const snapshot = read(api, target, { selection, revision: revision === 'latest' ? undefined : revision, start });
  const isAfter = (object: KubeObject) => compareKeys(keyOf(object), start) > 0;
  const objects = snapshot.objects.filter(isAfter);
  const rest = { selection, limit: options.limit ?? 0, isFiltered: isFiltered(options) };
  return page(target, { ...snapshot, objects }, rest);
}

interface Read {
  readonly selection: Selection;
  readonly revision: number | undefined;
  /** Where a continued list goes on, to make a token for the rest when the version is forgotten. */
  readonly start?: string;
}

function read(api: Api, { served, namespace }: Target, { selection, revision, start }: Read): Snapshot {
  const { name } = selection;
  if (name !== undefined && revision === undefined && (namespace !== undefined || !served.kind.namespaced)) {
    const entry = api.store.get(served.resource, namespace === undefined ? { name } : { namespace, name });
    return { objects: entry ? [entry.object] : [], revision: api.store.revision };
  }
  if (revision !== undefined && revision > api.store.revision) throw futureRevision();
  try {
    return api.store.list(served.resource, { namespace, revision });
  } catch (error) {
    if (!(error instanceof RevisionCompacted)) throw error;
    throw start === undefined ? versionForgotten() : expiredToken(start, namespace);
  }
}

interface Page {
  readonly selection: Selection;
  /** 0 for no limit. */
  readonly limit: number;
  /** With a selector nobody can say how much remains without looking at all of it. */
  readonly isFiltered: boolean;
}

function page(target: Target, snapshot: Snapshot, { selection, limit, isFiltered }: Page): ObjectList<KubeObject> {
  const { served, namespace } = target;
  const { items, examined } = take(snapshot.objects, selection.selects, limit);
  const list = listOf(served, items, snapshot.revision);
  const remaining = snapshot.objects.length - examined;
  const last = items.at(-1);
  if (remaining === 0 || last === undefined) return list;
  list.metadata.continue = formatToken({ revision: snapshot.revision, start: keyOf(last) }, namespace);
  if (!isFiltered) list.metadata.remainingItemCount = remaining;
  return list;
}

function take(
  objects: readonly KubeObject[],
  selects: Selects | undefined,
  limit: number,
): { items: readonly KubeObject[]; examined: number } {
  if (limit <= 0) return { items: selects ? objects.filter(selects) : objects, examined: objects.length };
  const items: KubeObject[] = [];
  let examined = 0;
  for (const object of objects) {
    if (items.length === limit) break;
    examined += 1;
    if (!selects || selects(object)) items.push(object);
  }
  return { items, examined };
}

function listOf(served: ServedKind, items: readonly KubeObject[], revision: number): ObjectList<KubeObject> {
  return {
    apiVersion: apiVersionOf(served.kind),
    kind: listKindOf(served.kind),
    // Lists of custom kinds always say how to go on, even where there is nothing more.
    metadata: { ...(served.kind.isCustom ? { continue: '' } : {}), resourceVersion: String(revision) },
    items: served.conversion ? items.map((object) => present(served, object)) : (items as KubeObject[]),
  };
}

function isFiltered({ labelSelector, fieldSelector }: ListOptions): boolean {
  return Boolean(labelSelector) || Boolean(fieldSelector);
}
