/** POST of a subresource: each is an action of its own. */
import { methodNotAllowed, type Status } from '#kube/status.ts';
import type { Api } from '#apiserver/api.ts';
import type { Caller } from '#apiserver/user.ts';
import { bindPod } from '#apiserver/verbs/binding.ts';
import type { CreateRequest } from '#apiserver/verbs/create.ts';
import { evictPod } from '#apiserver/verbs/eviction.ts';

type Action = (api: Api, request: CreateRequest, caller: Caller) => Promise<Status>;

const ACTIONS: Readonly<Record<string, Action>> = { 'pods/binding': bindPod, 'pods/eviction': evictPod };

export function createSubresource(api: Api, request: CreateRequest, caller: Caller): Promise<Status> {
  const { served, subresource = '' } = request.target;
  const action = ACTIONS[`${served.resource}/${subresource}`];
  if (!action) throw methodNotAllowed();
  return action(api, request, caller);
}
