/**
 * The request's head as the application gets it: the client's bytes in runs, without what ends here, with what the
 * route and the platform add. What Knative's two proxies do to a head, in one go (facts: observed, section 1).
 *
 * Taken away: hop-by-hop fields, the internal Knative-Serving-Revision and -Namespace, K-Original-Host,
 * K-Proxy-Request and K-Network-Hash, whoever sent them. Added: the client's address to X-Forwarded-For,
 * X-Forwarded-Proto where there is none, Forwarded made of both where there is none, K-Proxy-Request.
 */
import { isIPv6 } from 'node:net';
import { NAME } from '#dataplane/gateway/names.ts';
import type { CompiledPath, FieldSet } from '#dataplane/gateway/router.ts';
import { CLASS, equalsIgnoreCase, ESCAPE, QUESTION } from '#dataplane/proxy/bytes.ts';
import { copyFields, type DropTable, dropTable, HOP_BY_HOP } from '#dataplane/proxy/compose.ts';
import type { Peer } from '#dataplane/proxy/exchange.ts';
import { FIELD } from '#dataplane/proxy/fields.ts';
import type { RequestHead } from '#dataplane/proxy/request-head.ts';
import type { Slab } from '#dataplane/proxy/slab.ts';

export interface RulesInput {
  readonly peer: Peer;
  readonly path: Pick<CompiledPath, 'rewriteHost'>;
  readonly fields: FieldSet;
  /** The backend is a Revision: the activator's and the queue-proxy's rules hold. */
  readonly toRevision: boolean;
  readonly tagHeaderRouting: boolean;
  /** Whether the head asks to switch protocols (a request with a body does not). */
  readonly upgrade: boolean;
}

const ALWAYS_DROPPED = [
  ...HOP_BY_HOP,
  NAME.xForwardedFor,
  NAME.originalHost,
  NAME.proxyRequest,
  NAME.networkHash,
  NAME.servingRevision,
  NAME.servingNamespace,
  NAME.timing,
];

const HOST = 1;
const TAGS = 2;
const TRAILER = 4;

/** By what else is dropped: Host, the tag fields, Trailer. */
const DROPS: readonly DropTable[] = Array.from({ length: 8 }, (_, kind) =>
  dropTable(
    ...ALWAYS_DROPPED,
    ...((kind & HOST) === 0 ? [] : [FIELD.host]),
    ...((kind & TAGS) === 0 ? [] : [NAME.servingTag, NAME.defaultRoute]),
    ...((kind & TRAILER) === 0 ? [] : [FIELD.trailer]),
  ),
);

const VERSION = ' HTTP/1.1\r\n';
/** More than what is added apart from the head's own bytes and the route's fields. */
const EXTRA_BYTES = 512;

/** Writes the head into the slab; the answer is that region. */
export function composeRequest(slab: Slab, head: RequestHead, input: RulesInput): Buffer {
  const added = input.toRevision ? input.fields.revisionLines : input.fields.serviceLines;
  const forwarded = forwardedFields(head, input);
  const start = slab.reserve(sizeOf(head, input, added.length + forwarded.length));
  requestLine(slab, head);
  const rewrites = input.path.rewriteHost !== undefined || head.form !== 'origin';
  if (rewrites) slab.text(`Host: ${input.path.rewriteHost ?? head.host}\r\n`);
  const first = head.fields.count > 0 ? head.fields.nameStart(0) : head.end - 2;
  copyFields(slab, withOverrides(head, input), first, DROPS[dropKind(head, input, rewrites)] as DropTable);
  if (added !== '') slab.text(added);
  if (head.acceptsTrailers) slab.text('TE: trailers\r\n');
  if (input.upgrade) slab.text(`Connection: Upgrade\r\nUpgrade: ${head.value(FIELD.upgrade) ?? ''}\r\n`);
  slab.text(forwarded);
  return slab.since(start);
}

function sizeOf(head: RequestHead, input: RulesInput, added: number): number {
  // An escaped path triples at worst.
  const path = head.pathNeedsEscape ? 3 * (head.pathEnd - head.pathStart) : 0;
  return head.end - head.start + path + added + (input.path.rewriteHost?.length ?? 0) + EXTRA_BYTES;
}

function dropKind(head: RequestHead, input: RulesInput, rewrites: boolean): number {
  return (rewrites ? HOST : 0) | (input.tagHeaderRouting ? 0 : TAGS) | (head.framing === 'chunked' ? 0 : TRAILER);
}

function requestLine(slab: Slab, head: RequestHead): void {
  if (head.form === 'origin' && !head.pathNeedsEscape) slab.copy(head.buf, head.start, head.pathEnd);
  else {
    slab.copy(head.buf, head.start, head.methodEnd);
    slab.text(' ');
    if (head.pathEnd === head.pathStart || head.buf[head.pathStart] === QUESTION) slab.text('/');
    slab.text(head.pathNeedsEscape ? escapePath(head.path) : head.path);
  }
  slab.text(VERSION);
}

/** Percent-encodes what has no place in a path; the query stays as it came. */
function escapePath(target: string): string {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  const escaped = path.replaceAll(/[^!-~]|[[\]|^"<>\\{}`]/g, (character) => {
    const code = character.charCodeAt(0);
    if (((CLASS[code] as number) & ESCAPE) === 0) return character;
    return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return query < 0 ? escaped : escaped + target.slice(query);
}

/** Field names that the route sets are dropped from what the client sent, as if Connection had listed them. */
function withOverrides(head: RequestHead, { fields }: RulesInput): RequestHead {
  const names = fields.overrides;
  if (names.length === 0) return head;
  for (let i = 0; i < head.fields.count; i += 1) {
    const start = head.fields.nameStart(i);
    const end = head.fields.nameEnd(i);
    if (names.some((name) => equalsIgnoreCase(head.buf, start, end, name))) head.listed.push(start, end);
  }
  return head;
}

const tails = new WeakMap<Peer, { readonly revision: string; readonly service: string }>();

/** X-Forwarded-*, Forwarded and K-Proxy-Request, and the empty line. */
function forwardedFields(head: RequestHead, { peer, toRevision }: RulesInput): string {
  const { fields } = head;
  for (let i = 0; i < fields.count; i += 1) {
    const id = fields.ids[i] as number;
    if (id >= NAME.xForwardedFor && id <= NAME.forwarded) return computeForwarded(head, peer, toRevision);
  }
  let tail = tails.get(peer);
  if (!tail) {
    tail = { revision: computeForwarded(head, peer, true), service: computeForwarded(head, peer, false) };
    tails.set(peer, tail);
  }
  return toRevision ? tail.revision : tail.service;
}

function computeForwarded(head: RequestHead, peer: Peer, toRevision: boolean): string {
  const sent = valuesOf(head, NAME.xForwardedFor).filter((value) => value !== '');
  const hops = [...sent, peer.address];
  const scheme = peer.listener === 'https' ? 'https' : 'http';
  const proto = head.value(NAME.xForwardedProto);
  let lines = `X-Forwarded-For: ${hops.join(', ')}\r\n`;
  if (proto === undefined) lines += `X-Forwarded-Proto: ${scheme}\r\n`;
  if (toRevision) {
    if (head.value(NAME.forwarded) === undefined)
      lines += `Forwarded: ${forwardedValue(hops.join(', '), head.value(NAME.xForwardedHost), proto ?? scheme)}\r\n`;
    lines += 'K-Proxy-Request: activator\r\n';
  }
  return `${lines}\r\n`;
}

function valuesOf(head: RequestHead, id: number): string[] {
  const values: string[] = [];
  for (let i = 0; i < head.fields.count; i += 1) if (head.fields.ids[i] === id) values.push(head.valueAt(i));
  return values;
}

/** `for=first;host=…;proto=…, for=next …` (RFC 7239), addresses of version 6 in quotes and brackets. */
function forwardedValue(forwardedFor: string, host: string | undefined, proto: string): string {
  const [first = '', ...others] = forwardedFor.split(',').map((hop) => `for=${node(hop.trim())}`);
  const parts = [first, ...(host === undefined ? [] : [`host=${host}`]), `proto=${proto}`];
  return [parts.join(';'), ...others].join(', ');
}

function node(address: string): string {
  return isIPv6(address) ? `"[${address}]"` : address;
}
