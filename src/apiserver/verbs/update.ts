/** PUT of an object or of one of its subresources. */
import { clone } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';
import { conflict } from '#kube/status.ts';
import type { WriteOptions } from '#client/transport.ts';
import { type Api, refOf, type Target } from '#apiserver/api.ts';
import { changeObject } from '#apiserver/change.ts';
import { decode } from '#apiserver/decode.ts';
import type { Caller } from '#apiserver/user.ts';
import { createDecoded, reconcileWithUrl } from '#apiserver/verbs/create.ts';
import { updateScale } from '#apiserver/verbs/scale.ts';

export interface UpdateRequest {
  readonly target: Target;
  readonly body: unknown;
  readonly options: WriteOptions;
}

export async function updateObject(api: Api, request: UpdateRequest, caller: Caller): Promise<KubeObject> {
  const { target, body, options } = request;
  if (target.subresource === 'scale') return updateScale(api, request, caller);
  const sent = decode(target.served, body);
  reconcileWithUrl(sent, target);
  const isThere = api.store.get(target.served.resource, refOf(target)) !== undefined;
  if (!isThere && target.served.strategy.allowsCreateOnUpdate && target.subresource === undefined) {
    return createDecoded(api, { target, object: sent, options }, caller);
  }
  const uid = sent.metadata.uid;
  const change = (current: KubeObject): KubeObject => {
    if (uid && uid !== current.metadata.uid) throw wrongUid(target, uid, current);
    return clone(sent);
  };
  return changeObject(api, { target, options, change }, caller);
}

function wrongUid({ served, namespace, name }: Target, uid: string, current: KubeObject) {
  const { group, plural } = served.storedAs;
  const key = ['/registry', ...(group === '' ? [] : [group]), plural, ...(namespace ? [namespace] : []), name].join(
    '/',
  );
  const detail = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`;
  const why = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${detail}`;
  return conflict(served.kind, name, why);
}
