/**
 * Heads between HTTP/2 and HTTP/1.1. Inside the proxy every head is HTTP/1.1, so that its rules exist once; the two
 * edges that speak HTTP/2 translate here (RFC 9113 8, RFC 9110 7.6.1).
 */
import type { Fields } from '#dataplane/proxy/fields.ts';

/** Names and values in turn, as `node:http2` gives and takes them. */
export type RawHeaders = string[];

/** Fields that HTTP/2 does not have, or has in another form. */
const NOT_IN_H2 = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'host',
  'http2-settings',
]);

export interface H2Request {
  readonly raw: readonly string[];
  /** No body follows. */
  readonly ended: boolean;
}

/** What would end a line, or become such an octet when it is cut to one. */
const NOT_IN_LINE = /[\r\n\0]|[^\0-\xff]/;

function isSafe(raw: readonly string[]): boolean {
  return raw.every(
    (text, index) => !NOT_IN_LINE.test(text) && (!(raw[index - 1] ?? '').startsWith(':') || !text.includes(' ')),
  );
}

/**
 * A request's head as HTTP/1.1, to be parsed like any other; undefined when a part that it needs is missing, or when
 * one could be taken for something else there.
 */
export function requestToH1({ raw, ended }: H2Request): Buffer | undefined {
  if (!isSafe(raw)) return undefined;
  const pseudo = new Map<string, string>();
  const lines: string[] = [];
  const cookies: string[] = [];
  let hasLength = false;
  let host: string | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name.startsWith(':')) pseudo.set(name, value);
    else if (name === 'cookie') cookies.push(value);
    else if (name === 'host') host ??= value;
    else if (!NOT_IN_H2.has(name)) lines.push(`${name}: ${value}\r\n`);
    hasLength ||= name === 'content-length';
  }
  const method = pseudo.get(':method');
  const path = pseudo.get(':path');
  if (method === undefined || path === undefined) return undefined;
  if (cookies.length > 0) lines.push(`cookie: ${cookies.join('; ')}\r\n`);
  if (!ended && !hasLength) lines.push('transfer-encoding: chunked\r\n');
  const authority = pseudo.get(':authority') ?? host ?? '';
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n${lines.join('')}\r\n`, 'latin1');
}

/** An answer's head as HTTP/1.1; empty, which is none, when a part of it could be taken for something else there. */
export function answerToH1({ raw, ended }: H2Request): Buffer {
  if (!isSafe(raw)) return Buffer.alloc(0);
  const lines: string[] = [];
  let status = '';
  let hasLength = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name === ':status') status = raw[i + 1] as string;
    else if (!name.startsWith(':') && !NOT_IN_H2.has(name)) lines.push(`${name}: ${raw[i + 1]}\r\n`);
    hasLength ||= name === 'content-length';
  }
  if (!hasLength && !ended && Number(status) >= 200) lines.push('transfer-encoding: chunked\r\n');
  return Buffer.from(`HTTP/1.1 ${status} \r\n${lines.join('')}\r\n`, 'latin1');
}

/** The fields of a parsed head in HTTP/2's form, without those that end at this hop or that Connection lists. */
export function fieldsToH2(source: {
  readonly buf: Buffer;
  readonly fields: Fields;
  readonly listed: readonly number[];
}): RawHeaders {
  const { buf, fields, listed } = source;
  const dropped = new Set<string>();
  for (let i = 0; i < listed.length; i += 2)
    dropped.add(buf.toString('latin1', listed[i], listed[i + 1]).toLowerCase());
  const raw: RawHeaders = [];
  for (let i = 0; i < fields.count; i += 1) {
    const name = buf.toString('latin1', fields.nameStart(i), fields.nameEnd(i)).toLowerCase();
    if (NOT_IN_H2.has(name) || dropped.has(name)) continue;
    const value = buf.toString('latin1', fields.valueStart(i), fields.valueEnd(i));
    if (name === 'te' && value.toLowerCase() !== 'trailers') continue;
    raw.push(name, value);
  }
  return raw;
}

/** The other form that `node:http2` takes, where it does not take the first: several values of a name in a list. */
export function rawToObject(raw: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    const known = headers[name];
    headers[name] = known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value];
  }
  return headers;
}

/** Whole field lines, such as trailers, in HTTP/2's form. */
export function linesToH2(lines: Buffer | string): RawHeaders {
  const raw: RawHeaders = [];
  for (const line of lines.toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) raw.push(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return raw;
}

/** HTTP/2 trailers as field lines; undefined when there are none. */
export function trailersToH1(raw: readonly string[]): Buffer | undefined {
  let lines = '';
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (!name.startsWith(':') && !NOT_IN_H2.has(name) && isSafe([name, value])) lines += `${name}: ${value}\r\n`;
  }
  return lines === '' ? undefined : Buffer.from(lines, 'latin1');
}
