/**
 * From what a client sent to an object of our own in the stored version: its kind checked, unknown members dropped
 * and reported as `fieldValidation` asks, defaults filled in.
 */
import { clone, isObject } from '#base/json.ts';
import { canonicalValue } from '#kube/canonical.ts';
import { apiVersionOf } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { badRequest } from '#kube/status.ts';
import type { WriteOptions } from '#client/transport.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import type { Caller } from '#apiserver/user.ts';

/** What a client sent, parsed. */
export interface SentBody {
  readonly value: unknown;
  /** `data.a`: keys that stood more than once in the text. */
  readonly duplicates?: readonly string[];
}

export interface DecodeContext {
  readonly options: WriteOptions;
  readonly caller: Caller;
}

export function decode(served: ServedKind, { value: body }: SentBody, _context: DecodeContext): KubeObject {
  if (!isObject(body)) throw badRequest(`the object provided is unrecognized (must be of type ${served.kind.kind})`);
  return toStored(served, fitted(served, body));
}

export function decodePatched(served: ServedKind, patched: unknown, context: DecodeContext): KubeObject {
  return decode(served, { value: patched }, context);
}

export function decodeApplied(served: ServedKind, merged: KubeObject): KubeObject {
  return toStored(served, fitted(served, merged as unknown as Record<string, unknown>));
}

function fitted(served: ServedKind, body: Record<string, unknown>): KubeObject {
  const typed = withTypes(served, body);
  const value = served.kind.isCustom ? clone(typed) : canonicalValue(served.kind.schema, typed);
  const object = clone(value) as KubeObject;
  if (!isObject(object.metadata)) object.metadata = {};
  return object;
}

/** Converts and defaults an object in the served version that nobody else holds. */
function toStored(served: ServedKind, object: KubeObject): KubeObject {
  const stored = served.conversion ? served.conversion.toStored(object) : object;
  served.strategy.setDefaults?.(stored);
  return stored;
}

/** Built-in kinds may leave their types to the URL. */
function withTypes({ kind }: ServedKind, body: Record<string, unknown>): Record<string, unknown> {
  const apiVersion = apiVersionOf(kind);
  const object = { ...body, apiVersion: body['apiVersion'] || apiVersion, kind: body['kind'] || kind.kind };
  if (object.apiVersion === apiVersion && object.kind === kind.kind) return object;
  throw badRequest(wrongKind(kind, String(object.apiVersion), String(object.kind)));
}

function wrongKind(kind: ServedKind['kind'], apiVersion: string, given: string): string {
  const version = apiVersion.split('/').at(-1) ?? '';
  const subject = `${given} in version ${JSON.stringify(version)} cannot be handled as a ${kind.kind}`;
  if (given === kind.kind) {
    return `${subject}: no kind ${JSON.stringify(given)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:110"`;
  }
  return `${subject}: converting (${version}.${given}) to (${goPackage(kind.group)}.${kind.kind}): unknown conversion`;
}

/** What Go calls the package of a group's types inside the real server. */
export function goPackage(group: string): string {
  return group === '' ? 'core' : (group.split('.')[0] ?? '');
}
