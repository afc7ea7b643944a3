/**
 * From what a client sent to an object of our own in the stored version: its kind checked, unknown members dropped
 * and reported as `fieldValidation` asks, defaults filled in.
 */
import { clone, isObject } from '#base/json.ts';
import { apiVersionOf } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { badRequest } from '#kube/status.ts';
import type { ServedKind } from '#apiserver/registry.ts';

/** What a client sent, parsed. */
export interface SentBody {
  readonly value: unknown;
  /** `data.a`: keys that stood more than once in the text. */
  readonly duplicates?: readonly string[];
}

export function decode(served: ServedKind, { value: body }: SentBody): KubeObject {
  if (!isObject(body)) throw badRequest(`the object provided is unrecognized (must be of type ${served.kind.kind})`);
  const object = clone(body) as unknown as KubeObject;
  checkTypes(served, object);
  if (!isObject(object.metadata)) object.metadata = {};
  return toStored(served, object);
}

/** Converts and defaults an object in the served version that nobody else holds. */
export function toStored(served: ServedKind, object: KubeObject): KubeObject {
  const stored = served.conversion ? served.conversion.toStored(object) : object;
  served.strategy.setDefaults?.(stored);
  return stored;
}

function checkTypes({ kind }: ServedKind, object: KubeObject): void {
  object.apiVersion ||= apiVersionOf(kind);
  object.kind ||= kind.kind;
  const isSame = object.apiVersion === apiVersionOf(kind) && object.kind === kind.kind;
  if (!isSame) throw badRequest(wrongKind(kind, object));
}

function wrongKind(kind: ServedKind['kind'], object: KubeObject): string {
  const wanted = `must be of type ${kind.kind} and version ${apiVersionOf(kind)}`;
  return `the object provided is unrecognized (${wanted}): got ${object.kind} in version ${object.apiVersion}`;
}
