/**
 * The token by which a client asks for the next page: the version of the first page and where to go on. In form it
 * is Kubernetes' own, so that a token that is damaged is refused in the same words.
 */
import { isObject } from '#base/json.ts';
import type { ObjectKey } from '#kube/object.ts';
import { badRequest, failure, StatusError } from '#kube/status.ts';
import { jsonSyntaxError } from '#apiserver/go-json.ts';

const TOKEN_VERSION = 'meta.k8s.io/v1';

const TOO_OLD =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
  'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
  'deleted between the time the first chunk was returned and now may show up in the list.';

export interface ContinueToken {
  /** `latest` in a token that was given out because its version was forgotten. */
  readonly revision: number | 'latest';
  /** The last key of the page before. */
  readonly start: ObjectKey;
}

/** Keys in a token are relative to the namespace of the list. */
export function formatToken({ revision, start }: ContinueToken, namespace: string | undefined): string {
  const key = namespace === undefined ? start : start.slice(namespace.length + 1);
  const content = { v: TOKEN_VERSION, rv: revision === 'latest' ? -1 : revision, start: `${key}\u0000` };
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

export function parseToken(text: string, namespace: string | undefined): ContinueToken {
  const content = parseContent(Buffer.from(text, 'base64url'));
  const { v: version, rv: revision, start } = content;
  if (version !== TOKEN_VERSION) {
    const shown = typeof version === 'string' ? version : '';
    throw invalidToken(`continue key is not valid: server does not recognize this encoded version ${shown}`);
  }
  if (revision === 0 || typeof revision !== 'number') {
    throw invalidToken('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof start !== 'string' || start === '') {
    throw invalidToken('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  }
  const key = start.endsWith('\0') ? start.slice(0, -1) : start;
  const prefix = namespace === undefined ? '' : `${namespace}/`;
  return { revision: revision < 0 ? 'latest' : revision, start: prefix + key };
}

function parseContent(bytes: Buffer): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(content) ? content : {};
  } catch {
    throw invalidToken(`continue key is not valid: ${jsonSyntaxError(bytes.toString('latin1'))}`);
  }
}

function invalidToken(why: string): StatusError {
  return badRequest(`invalid continue token: ${why}`);
}

/** 410 with a token by which the rest can be had as it is now. */
export function expiredToken(start: ObjectKey, namespace: string | undefined): StatusError {
  const status = failure({ code: 410, reason: 'Expired', message: TOO_OLD });
  return new StatusError({ ...status, metadata: { continue: formatToken({ revision: 'latest', start }, namespace) } });
}
