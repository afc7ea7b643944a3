/** PATCH: JSON, merge and strategic merge change the stored object; server-side apply may also create it. */
import { isObject } from '#base/json.ts';
import { type FieldError, forbiddenField, requiredField } from '#kube/field-error.ts';
import { applyPatch } from '#kube/apply/apply-patch.ts';
import type { KubeObject } from '#kube/object.ts';
import { applyJsonPatch } from '#kube/patch/json-patch.ts';
import { applyMergePatch } from '#kube/patch/merge-patch.ts';
import { applyStrategicMerge } from '#kube/patch/strategic-merge.ts';
import { invalid } from '#kube/status.ts';
import type { PatchOptions, PatchType } from '#client/transport.ts';
import { type Api, refOf, type Target } from '#apiserver/api.ts';
import { changeObject } from '#apiserver/change.ts';
import { type DecodeContext, decodeApplied, decodeMerged, decodePatched } from '#apiserver/decode.ts';
import { managerOf, resetFieldsOf } from '#apiserver/ownership.ts';
import { present } from '#apiserver/registry.ts';
import type { Caller } from '#apiserver/user.ts';
import { createDecoded, reconcileWithUrl, requireName } from '#apiserver/verbs/create.ts';
import { patchScale } from '#apiserver/verbs/scale.ts';
import type { Written } from '#apiserver/verbs/update.ts';

export interface PatchRequest {
  readonly target: Target;
  readonly patchType: PatchType;
  readonly body: unknown;
  readonly options: PatchOptions;
}

export async function patchObject(api: Api, request: PatchRequest, caller: Caller): Promise<Written> {
  const { target, patchType, options } = request;
  checkOptions(patchType, options);
  if (target.subresource === 'scale') return { object: await patchScale(api, request, caller), isNew: false };
  if (patchType === 'apply') return applyObject(api, request, caller);
  if (patchType === 'json') warnOfMembers(request.body, caller);
  const change = (current: KubeObject): KubeObject => {
    const shown = present(target.served, current);
    const patched = patchedBy(request, shown as unknown as Record<string, unknown>);
    const object = decodedBy(request, patched, { options, caller });
    reconcileWithUrl(object, target);
    return object;
  };
  return { object: await changeObject(api, { target, options, change }, caller), isNew: false };
}

const OPERATION_MEMBERS = ['op', 'path', 'from', 'value'];

function warnOfMembers(patch: unknown, caller: Caller): void {
  if (!Array.isArray(patch)) return;
  patch.forEach((operation: unknown, position) => {
    for (const name of Object.keys(isObject(operation) ? operation : {})) {
      if (!OPERATION_MEMBERS.includes(name)) caller.warn(`json patch unknown field "[${position}].${name}"`);
    }
  });
}

/** The document after a patch, not yet looked at. */
function patchedBy({ target, patchType, body }: PatchRequest, document: Readonly<Record<string, unknown>>): unknown {
  switch (patchType) {
    case 'json':
      return applyJsonPatch(document, body);
    case 'merge':
      return applyMergePatch(document, body);
    default:
      return applyStrategicMerge(target.served.kind.schema, document, body);
  }
}

function decodedBy({ target, patchType, body }: PatchRequest, patched: unknown, context: DecodeContext): KubeObject {
  if (patchType !== 'strategic') return decodePatched(target.served, patched, context);
  return decodeMerged(target.served, { merged: patched, patch: body }, context);
}

async function applyObject(api: Api, request: PatchRequest, caller: Caller): Promise<Written> {
  const { target, options } = request;
  const isThere = api.store.get(target.served.resource, refOf(target)) !== undefined;
  if (!isThere && target.subresource === undefined) {
    const object = appliedTo(api, request, undefined, caller);
    requireName(object, target);
    reconcileWithUrl(object, target);
    const creation = { target, object, options, ownership: 'set', origin: 'update' } as const;
    return { object: await createDecoded(api, creation, caller), isNew: true };
  }
  const change = (current: KubeObject): KubeObject => {
    const object = appliedTo(api, request, present(target.served, current), caller);
    requireName(request.body as KubeObject, target);
    reconcileWithUrl(object, target);
    return object;
  };
  const object = await changeObject(api, { target, options, change, ownership: 'set' }, caller);
  return { object, isNew: false };
}

function appliedTo(
  api: Api,
  { target, body, options }: PatchRequest,
  live: KubeObject | undefined,
  caller: Caller,
): KubeObject {
  const { kind } = target.served;
  const merged = applyPatch({
    kind,
    live,
    applied: body as KubeObject,
    manager: managerOf(options, caller),
    force: options.force === true,
    ...(target.subresource === undefined ? {} : { subresource: target.subresource }),
    nowMs: api.clock.now(),
    resetFields: resetFieldsOf(target),
  });
  return decodeApplied(target.served, merged);
}

function checkOptions(patchType: PatchType, { force, fieldManager }: PatchOptions): void {
  const errors: FieldError[] = [];
  if (patchType === 'apply' && !fieldManager) {
    errors.push(requiredField('fieldManager', 'is required for apply patch'));
  }
  if (patchType !== 'apply' && force !== undefined) {
    errors.push(forbiddenField('force', 'may not be specified for non-apply patch'));
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', errors);
}
