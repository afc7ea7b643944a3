/**
 * Header fields on their way to a program behind `pods/proxy` and `services/proxy`, and back: what belongs to one
 * connection only, what names the caller to us, and what would let a page of that program speak for the API server is
 * left out. What comes back was written by anybody. Pure.
 */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** Of one connection only (RFC 9110, 7.6.1), and those that HTTP clients of old send. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const CREDENTIALS = new Set(['authorization', 'impersonate-user', 'impersonate-group', 'impersonate-uid']);
const CREDENTIAL_PREFIXES = ['impersonate-extra-', 'x-remote-'];

/** Ours to say of every answer, or not at all. */
const CROSS_ORIGIN = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
]);

export type Fields = readonly (readonly [name: string, value: string])[];

export interface Forwarding {
  readonly request: IncomingMessage;
  /** Path of the API that leads to the root of the program. */
  readonly prefix: string;
  /** Path and query over there. */
  readonly path: string;
}

/** @param connection whether the client's wish for an upgrade is passed on. */
export function forwardedFields(
  { request, prefix, path }: Forwarding,
  connection: 'upgraded' | 'ordinary',
): OutgoingHttpHeaders {
  const dropped = connection === 'upgraded' ? new Set<string>() : hopByHop(request);
  const fields = fieldsOf(request).filter(([name]) => {
    const lower = name.toLowerCase();
    const isCredential = CREDENTIALS.has(lower) || CREDENTIAL_PREFIXES.some((prefix) => lower.startsWith(prefix));
    return !dropped.has(lower) && !isCredential && lower !== 'x-forwarded-for' && lower !== 'expect';
  });
  const before = request.headers['x-forwarded-for'];
  const client = request.socket.remoteAddress ?? '';
  const chain = [...(before === undefined ? [] : [before].flat()), client].join(', ');
  const uri: Fields = connection === 'upgraded' ? [] : [['X-Forwarded-Uri', `${prefix}${path.split('?')[0] ?? ''}`]];
  return grouped([
    ...fields.filter(([name]) => name.toLowerCase() !== 'x-forwarded-uri'),
    ...uri,
    ['X-Forwarded-For', chain],
  ]);
}

export interface Answered {
  readonly answer: IncomingMessage;
  readonly prefix: string;
  /** Host and port of the program, as URLs have them. */
  readonly host: string;
  /** Host field of the client's request. */
  readonly requestedHost: string;
}

/** Fields of an answer, for the client. */
export function answeredFields({ answer, ...place }: Answered): OutgoingHttpHeaders {
  const dropped = hopByHop(answer);
  const fields = fieldsOf(answer).filter(([name]) => {
    const lower = name.toLowerCase();
    return !dropped.has(lower) && !CROSS_ORIGIN.has(lower);
  });
  return grouped(
    fields.map(([name, value]) => [name, name.toLowerCase() === 'location' ? throughProxy(value, place) : value]),
  );
}

/** A redirection within the program leads through the API again; any other stays as it is. */
function throughProxy(location: string, { prefix, host, requestedHost }: Omit<Answered, 'answer'>): string {
  const absolute = /^(?:https?:)?\/\/([^/?#]*)([^]*)$/i.exec(location);
  const [, target = '', rest = location] = absolute ?? [];
  if (absolute && target !== host && target !== requestedHost) return location;
  const path = absolute && !rest.startsWith('/') ? `/${rest}` : rest;
  if (!path.startsWith('/') || path.startsWith(prefix)) return path;
  return `${prefix}${path}`;
}

/** What is of the connection only, by the standard and by what the message says itself. */
function hopByHop({ headers }: IncomingMessage): Set<string> {
  const named = [headers.connection ?? []].flat().flatMap((text) => text.split(','));
  return new Set([...HOP_BY_HOP, ...named.map((name) => name.trim().toLowerCase())]);
}

function fieldsOf({ rawHeaders }: IncomingMessage): Fields {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
    rawHeaders[index * 2] ?? '',
    rawHeaders[index * 2 + 1] ?? '',
  ]);
}

/** Fields of one name, in whatever case, together. */
function grouped(fields: Fields): OutgoingHttpHeaders {
  const byName = Map.groupBy(fields, ([name]) => name.toLowerCase());
  const pairs = [...byName].map(([lower, same]): [string, string | string[]] => {
    const values = same.map(([, value]) => value);
    return [same[0]?.[0] ?? lower, values.length === 1 ? (values[0] ?? '') : values];
  });
  return Object.fromEntries(pairs);
}
