import type { KubeObject } from '#kube/object.ts';
import { notFound } from '#kube/status.ts';
import { type Api, refOf, type Target } from '#apiserver/api.ts';
import { present } from '#apiserver/registry.ts';
import { scaleOf } from '#apiserver/scale.ts';
import type { TableEntry } from '#store/table.ts';

/** The object in the version asked for; a reading of `scale` gives the Scale view of it. */
export function getObject(api: Api, target: Target): KubeObject {
  const { object } = storedEntry(api, target);
  if (target.subresource === 'scale') return scaleOf(target.served, object);
  return present(target.served, object);
}

/** What the store holds; 404 when it holds nothing. */
export function storedEntry(api: Api, target: Target): TableEntry {
  const entry = api.store.get(target.served.resource, refOf(target));
  if (!entry) throw notFound(target.served.kind, target.name);
  return entry;
}
