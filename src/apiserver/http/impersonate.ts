/**
 * Acting as somebody else: the `Impersonate-…` headers of a caller who may, looked at before anything else is authorised.
 * From then on the request is that user's, and nothing tells it from one; the headers are gone.
 *
 * Each thing that is asked for (the user, each group, the UID, each extra value) needs a right of its own, to the verb
 * `impersonate`. The headers are anybody's; how many there can be is limited by the size of a request's head.
 *
 * k8s.io/apiserver/pkg/endpoints/filters/impersonation.go
 */
import type { IncomingMessage } from 'node:http';
import type { ResourceAttributes } from '#apiserver/authorize.ts';
import { requireAllowed } from '#apiserver/http/access.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { PlainFailure } from '#apiserver/http/plain-failure.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import {
  ANONYMOUS,
  AUTHENTICATED,
  serviceAccountGroups,
  serviceAccountOf,
  UNAUTHENTICATED,
  type User,
} from '#apiserver/user.ts';

const AUTHENTICATION = 'authentication.k8s.io';
const PREFIX = 'impersonate-';
const EXTRA = 'impersonate-extra-';

interface Wanted {
  /** Empty for nobody. */
  readonly user: string;
  readonly groups: readonly string[];
  readonly uid: string;
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

export function impersonate({ api }: HttpApi, exchange: Exchange): void {
  const wanted = readHeaders(exchange.request);
  if (!wanted) return;
  if (wanted.user === '') throw withoutUser(exchange, wanted);
  for (const attributes of neededRights(wanted)) {
    requireAllowed(api.rights.authorizer, exchange, { type: 'resource', ...attributes });
  }
  exchange.user = userOf(wanted);
}

/** What the headers ask for, which are taken off the request; undefined when they ask for nothing. */
function readHeaders(request: IncomingMessage): Wanted | undefined {
  const values = new Map<string, string[]>();
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = (request.rawHeaders[index] ?? '').toLowerCase();
    if (!name.startsWith(PREFIX)) continue;
    values.set(name, [...(values.get(name) ?? []), utf8(request.rawHeaders[index + 1] ?? '')]);
    delete request.headers[name];
  }
  const user = values.get('impersonate-user')?.[0] ?? '';
  const groups = values.get('impersonate-group') ?? [];
  const uid = values.get('impersonate-uid')?.[0] ?? '';
  const extra = new Map<string, readonly string[]>();
  for (const [name, list] of values) if (name.startsWith(EXTRA)) extra.set(decoded(name.slice(EXTRA.length)), list);
  const isAsked = user !== '' || groups.length > 0 || uid !== '' || extra.size > 0;
  return isAsked ? { user, groups, uid, extra } : undefined;
}

/** Node reads headers as Latin-1. */
function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** Keys may be percent-encoded; what is not so after all is taken as it stands. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function* neededRights({ user, groups, uid, extra }: Wanted): Generator<ResourceAttributes> {
  const base = { verb: 'impersonate', group: '', subresource: undefined, namespace: undefined };
  const account = serviceAccountOf(user);
  if (account) yield { ...base, resource: 'serviceaccounts', ...account };
  else yield { ...base, resource: 'users', name: user };
  for (const name of groups) yield { ...base, resource: 'groups', name };
  for (const [key, values] of extra) {
    const subresource = key === '' ? undefined : key;
    for (const name of values) yield { ...base, group: AUTHENTICATION, resource: 'userextras', subresource, name };
  }
  if (uid !== '') yield { ...base, group: AUTHENTICATION, resource: 'uids', name: uid };
}

function userOf({ user, groups, uid, extra }: Wanted): User {
  const account = serviceAccountOf(user);
  const given = groups.length === 0 && account ? serviceAccountGroups(account.namespace) : groups;
  return {
    name: user,
    groups: [...given, ...standardGroup(user, given)],
    ...(uid === '' ? {} : { uid }),
    ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}

/** Everybody is in one of the two groups; who asks for one of them means it. */
function standardGroup(user: string, groups: readonly string[]): string[] {
  if (user === ANONYMOUS.name) return groups.includes(UNAUTHENTICATED) ? [] : [UNAUTHENTICATED];
  return groups.includes(AUTHENTICATED) || groups.includes(UNAUTHENTICATED) ? [] : [AUTHENTICATED];
}

/** Go's print of the references that it would have asked about. */
function withoutUser({ request }: Exchange, { groups, uid, extra }: Wanted): PlainFailure {
  const version = `${AUTHENTICATION}/v1`;
  const references = [
    ...groups.map((name) => ['Group', name, '', '']),
    ...[...extra].flatMap(([key, values]) => values.map((name) => ['UserExtra', name, version, key])),
    ...(uid === '' ? [] : [['UID', uid, version, '']]),
  ].map(([kind, name, apiVersion, field]) => `{${[kind, '', name, '', apiVersion, '', field].join(' ')}}`);
  const why = `requested [${references.join(' ')}] without impersonating a user`;
  return new PlainFailure(500, sanitized(`Internal Server Error: ${JSON.stringify(request.url)}: ${why}`));
}

/** As for a browser. */
function sanitized(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
