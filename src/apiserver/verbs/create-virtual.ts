/** POST of a kind without storage: decoded and admitted like any other, then answered. */
import type { KubeObject } from '#kube/object.ts';
import { createOptions } from '#apiserver/admission/options.ts';
import { admissionRequest, type Api } from '#apiserver/api.ts';
import { decode } from '#apiserver/decode.ts';
import type { Caller } from '#apiserver/user.ts';
import { type CreateRequest, reconcileWithUrl } from '#apiserver/verbs/create.ts';
import type { VirtualKind } from '#apiserver/virtual-kind.ts';

export async function createVirtual(
  api: Api,
  { target, body, options }: CreateRequest,
  { virtual, caller }: { readonly virtual: VirtualKind; readonly caller: Caller },
): Promise<KubeObject> {
  const { served } = target;
  const object = decode(served, body, { options, caller });
  reconcileWithUrl(object, target);
  if (!served.kind.namespaced) delete object.metadata.namespace;
  const isDryRun = options.dryRun === true;
  const admitted = { operation: 'CREATE', object, old: undefined, isDryRun, options: createOptions(options) } as const;
  await api.admission.mutate(served.resource, admissionRequest(target, caller, admitted));
  await api.admission.validate(served.resource, admissionRequest(target, caller, admitted));
  return virtual.answer({ object, isDryRun }, caller);
}
