/**
 * GET of a collection: one consistent snapshot, whole or in pages. Nothing is copied: in process the items are the
 * stored objects themselves.
 */
import { apiVersionOf } from '#kube/kind.ts';
import type { KubeObject, ObjectList } from '#kube/object.ts';
import type { ListOptions } from '#client/transport.ts';
import type { Api, Target } from '#apiserver/api.ts';
import { present } from '#apiserver/registry.ts';
import { selectionOf } from '#apiserver/selection.ts';

export function listObjects(api: Api, target: Target, options: ListOptions): ObjectList<KubeObject> {
  const { served, namespace } = target;
  const selects = selectionOf(served, target, options);
  const { objects, revision } = api.store.list(served.resource, { namespace });
  const selected = selects ? objects.filter(selects) : objects;
  return {
    apiVersion: apiVersionOf(served.kind),
    kind: `${served.kind.kind}List`,
    metadata: { resourceVersion: String(revision) },
    items: served.conversion ? selected.map((object) => present(served, object)) : (selected as KubeObject[]),
  };
}
