import type { KubeObject, ObjectList } from '#kube/object.ts';
import { isNotFound } from '#kube/status.ts';
import type { DeleteOptions, ListOptions } from '#client/transport.ts';
import type { Api, Target } from '#apiserver/api.ts';
import type { Caller } from '#apiserver/user.ts';
import { deleteObject } from '#apiserver/verbs/delete.ts';
import { listObjects } from '#apiserver/verbs/list.ts';

export interface DeleteCollectionRequest {
  readonly target: Target;
  readonly list: ListOptions;
  readonly options: DeleteOptions;
}

/** Deletes everything selected, one after the other; answers the list as it was. */
export async function deleteCollection(
  api: Api,
  { target, list, options }: DeleteCollectionRequest,
  caller: Caller,
): Promise<ObjectList<KubeObject>> {
  const found = listObjects(api, target, list);
  for (const { metadata } of found.items) {
    const one: Target = { ...target, namespace: metadata.namespace, name: metadata.name ?? '' };
    try {
      await deleteObject(api, { target: one, options }, caller);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return found;
}
