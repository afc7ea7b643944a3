/** PUT of an object or of one of its subresources. */
import { clone } from '#base/json.ts';
import type { KubeObject } from '#kube/object.ts';
import { conflict } from '#kube/status.ts';
import type { WriteOptions } from '#client/transport.ts';
import { type Api, refOf, type Target } from '#apiserver/api.ts';
import { changeObject } from '#apiserver/change.ts';
import { decode, type SentBody } from '#apiserver/decode.ts';
import type { Caller } from '#apiserver/user.ts';
import { createDecoded, reconcileWithUrl, requireName } from '#apiserver/verbs/create.ts';
import { updateScale } from '#apiserver/verbs/scale.ts';

export interface UpdateRequest {
  readonly target: Target;
  readonly body: SentBody;
  readonly options: WriteOptions;
}

/** `isNew` when the object was not there, for kinds that a PUT may create. */
export interface Written {
  readonly object: KubeObject;
  readonly isNew: boolean;
}

export async function updateObject(api: Api, request: UpdateRequest, caller: Caller): Promise<Written> {
  const { target, body, options } = request;
  if (target.subresource === 'scale') return { object: await updateScale(api, request, caller), isNew: false };
  const sent = decode(target.served, body, { options, caller });
  requireName(sent, target);
  reconcileWithUrl(sent, target);
  const isThere = api.store.get(target.served.resource, refOf(target)) !== undefined;
  if (!isThere && target.served.strategy.allowsCreateOnUpdate && target.subresource === undefined) {
    const creation = { target, object: sent, options, origin: 'update' } as const;
    return { object: await createDecoded(api, creation, caller), isNew: true };
  }
  const uid = sent.metadata.uid;
  const change = (current: KubeObject): KubeObject => {
    if (uid && uid !== current.metadata.uid) throw wrongUid(target, uid, current);
    return clone(sent);
  };
  return { object: await changeObject(api, { target, options, change }, caller), isNew: false };
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
