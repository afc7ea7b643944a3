/** What a POST does: it makes an object, asks a question, or is an action of its own on an object. */
import type { KubeObject } from '#kube/object.ts';
import type { Status } from '#kube/status.ts';
import type { Api } from '#apiserver/api.ts';
import type { Caller } from '#apiserver/user.ts';
import { createObject, type CreateRequest } from '#apiserver/verbs/create.ts';
import { createSubresource } from '#apiserver/verbs/create-subresource.ts';
import { createVirtual } from '#apiserver/verbs/create-virtual.ts';

export function post(api: Api, request: CreateRequest, caller: Caller): Promise<KubeObject | Status> {
  const { served, subresource } = request.target;
  if (served.virtual) return createVirtual(api, request, { virtual: served.virtual, caller });
  return subresource === undefined ? createObject(api, request, caller) : createSubresource(api, request, caller);
}
