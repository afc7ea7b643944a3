/**
 * Whether what a token stands on is still there: the account, and the object that the token is bound to, each the very
 * one (by its UID). An object that is being deleted counts until it should have ended, and a little longer. The texts
 * are what a TokenReview says.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Secret } from '#kube/kinds/core/secret.ts';
import type { KubeObject } from '#kube/object.ts';
import { parseTime } from '#kube/time.ts';
import type { Store } from '#store/store.ts';
import type { BoundClaims, ObjectName, SecretClaims } from '#apiserver/tokens/claims.ts';

/** How far clocks may be apart. */
export const LEEWAY_SECONDS = 60;

/** A token of a Secret that carries this label is refused. */
const INVALID_SINCE_LABEL = 'kubernetes.io/legacy-token-invalid-since';

export interface Lookup {
  readonly store: Store;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** What is wrong; undefined when all is there. */
export function boundObjectProblem(lookup: Lookup, claims: BoundClaims): string | undefined {
  const { namespace, pod, secret, node } = claims;
  return (
    accountProblem(lookup, claims) ??
    (secret && objectProblem(lookup, { resource: 'secrets', word: 'secret', namespace, bound: secret })) ??
    (pod && objectProblem(lookup, { resource: 'pods', word: 'pod', namespace, bound: pod })) ??
    (node && !pod
      ? objectProblem(lookup, { resource: 'nodes', word: 'node', namespace: undefined, bound: node })
      : undefined)
  );
}

export function secretProblem(lookup: Lookup, claims: SecretClaims, token: string): string | undefined {
  const { namespace, secretName, account } = claims;
  const secret: Secret | undefined = lookup.store.get('secrets', { namespace, name: secretName })?.object;
  if (!secret || secret.metadata.deletionTimestamp !== undefined) return 'Token has been invalidated';
  if (!isSame(Buffer.from(secret.data?.['token'] ?? '', 'base64'), token)) return "Token does not match server's copy";
  const problem = accountProblem(lookup, claims);
  if (problem !== undefined || !secret.metadata.labels?.[INVALID_SINCE_LABEL]) return problem;
  const subject = `the token in secret ${namespace}/${secretName} for service account ${namespace}/${account.name}`;
  return `${subject} has been marked invalid`;
}

function accountProblem(
  { store, now }: Lookup,
  { namespace, account }: BoundClaims | SecretClaims,
): string | undefined {
  const { name, uid } = account;
  const found = store.get('serviceaccounts', { namespace, name })?.object;
  if (!found) return `serviceaccounts ${JSON.stringify(name)} not found`;
  const known = found.metadata.uid ?? '';
  if (known !== uid) return `service account UID (${known}) does not match claim (${uid})`;
  return isOver(found, now) ? `service account ${namespace}/${name} has been deleted` : undefined;
}

interface Bound {
  readonly resource: string;
  readonly word: string;
  readonly namespace: string | undefined;
  readonly bound: ObjectName;
}

function objectProblem({ store, now }: Lookup, { resource, word, namespace, bound }: Bound): string | undefined {
  const found = store.get(resource, namespace === undefined ? { name: bound.name } : { namespace, name: bound.name });
  if (!found) return 'service account token has been invalidated';
  const { uid = '' } = found.object.metadata;
  if (uid !== bound.uid) return `${word} UID (${uid}) does not match service account ${word} ref claim (${bound.uid})`;
  return isOver(found.object, now) ? 'service account token has been invalidated' : undefined;
}

function isOver({ metadata: { deletionTimestamp } }: KubeObject, now: number): boolean {
  const at = parseTime(deletionTimestamp);
  return at !== undefined && at / 1_000 < now - LEEWAY_SECONDS;
}

function isSame(known: Buffer, token: string): boolean {
  const given = Buffer.from(token);
  return known.length === given.length && timingSafeEqual(known, given);
}
