/**
 * JSON merge patch (RFC 7386): objects merge, null removes, everything else replaces. As in Kubernetes, and other
 * than in the RFC, null members of objects within a list go as well (unless the list takes the place of an object).
 */
import { clone, getMember, isObject, setMember } from '#base/json.ts';
import { goJsonType } from '#kube/go-text.ts';
import { checkDepth } from '#kube/patch/limits.ts';
import { badRequest } from '#kube/status.ts';

type JsonMap = Record<string, unknown>;

/** A new document; neither argument is changed. Throws a 400 when the patch is no object. */
export function applyMergePatch(document: Readonly<JsonMap>, patch: unknown): JsonMap {
  if (!isObject(patch)) {
    const problem = `json: cannot unmarshal ${goJsonType(patch)} into Go value of type map[string]interface {}`;
    throw badRequest(`error decoding patch: ${problem}`);
  }
  checkDepth(document, patch);
  return merge(clone(document), patch);
}

/** Merges into `target`, which is changed. */
function merge(target: JsonMap, patch: Readonly<JsonMap>): JsonMap {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete target[key];
    else setMember(target, key, merged(getMember(target, key), value));
  }
  return target;
}

function merged(current: unknown, value: unknown): unknown {
  if (!isObject(current)) return withoutNulls(value);
  return isObject(value) ? merge(current, value) : clone(value);
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  return isObject(value) ? merge({}, value) : value;
}
