/** PATCH in its four kinds; server-side apply is in `apply.ts`. */
import { clone, isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';
import { badRequest } from '#kube/status.ts';
import type { PatchOptions, PatchType } from '#client/transport.ts';
import type { Api, Target } from '#apiserver/api.ts';
import { changeObject } from '#apiserver/change.ts';
import { decode } from '#apiserver/decode.ts';
import { present } from '#apiserver/registry.ts';
import type { Caller } from '#apiserver/user.ts';
import type { Written } from '#apiserver/verbs/update.ts';

export interface PatchRequest {
  readonly target: Target;
  readonly patchType: PatchType;
  readonly body: unknown;
  readonly options: PatchOptions;
}

export async function patchObject(
  api: Api,
  { target, patchType, body, options }: PatchRequest,
  caller: Caller,
): Promise<Written> {
  if (patchType !== 'merge') throw badRequest(`patch type ${patchType} is not served yet`);
  const change = (current: KubeObject): KubeObject => {
    const patched = mergePatch(present(target.served, current), body);
    return decode(target.served, { value: patched });
  };
  return { object: await changeObject(api, { target, options, change }, caller), isNew: false };
}

function mergePatch(value: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return clone(patch);
  const merged: Record<string, unknown> = isObject(value) ? { ...value } : {};
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], change);
  }
  return merged;
}
