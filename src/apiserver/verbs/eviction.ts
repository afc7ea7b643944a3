/** POST of `pods/NAME/eviction`: a deletion that would mind disruption budgets, if there were any. */
import { isObject } from '#base/json.ts';
import type { Status } from '#kube/status.ts';
import type { DeleteOptions, PropagationPolicy } from '#client/transport.ts';
import type { Api } from '#apiserver/api.ts';
import type { Caller } from '#apiserver/user.ts';
import type { CreateRequest } from '#apiserver/verbs/create.ts';
import { bodyView } from '#apiserver/admission/body-view.ts';
import { deleteObject } from '#apiserver/verbs/delete.ts';

const EVICTION = { group: 'policy', version: 'v1', kind: 'Eviction' };

export async function evictPod(api: Api, { target, body, options }: CreateRequest, caller: Caller): Promise<Status> {
  const asked = isObject(body.value) && isObject(body.value['deleteOptions']) ? body.value['deleteOptions'] : {};
  const { gracePeriodSeconds, propagationPolicy } = asked;
  const deletion: DeleteOptions = {
    gracePeriodSeconds: typeof gracePeriodSeconds === 'number' ? gracePeriodSeconds : undefined,
    propagationPolicy: typeof propagationPolicy === 'string' ? (propagationPolicy as PropagationPolicy) : undefined,
    dryRun: options.dryRun,
    durability: options.durability,
  };
  const view = bodyView('eviction', EVICTION, body);
  await deleteObject(api, { target: { ...target, subresource: undefined }, options: deletion, view }, caller);
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}
