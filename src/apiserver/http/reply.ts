/** How answers are written: JSON, YAML or protobuf, plain or pretty, compressed when it is worth it and asked for. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { stringify } from 'yaml';
import { isObject } from '#base/json.ts';
import { type Kind, listKindOf } from '#kube/kind.ts';
import type { Status, StatusError } from '#kube/status.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { PROTOBUF_TYPE } from '#apiserver/http/negotiate.ts';
import { encodeProtobuf, encodeProtobufList, type ProtobufList } from '#apiserver/protobuf/encode.ts';
import type { TypeNames } from '#apiserver/protobuf/messages.ts';
import { inSchemaOrder } from '#apiserver/schema-order.ts';

/** Answers from this size on are compressed, as from Kubernetes. */
const MIN_COMPRESSED_BYTES = 128 * 1024;

/** Speed before size: the answer mostly travels over loopback. */
export const COMPRESSION_LEVEL = 1;

const compress = promisify(gzip);

/** Command lines that people read, and browsers. */
const READERS = ['curl', 'Wget', 'Mozilla/5.0'];

export interface Reply {
  readonly code: number;
  /** An object to encode, or JSON text as it is. */
  readonly body: object | string;
  readonly contentType?: string;
  /** What the body is, or a list of; gives the order of members where people read them. */
  readonly kind?: Kind;
}

export async function sendObject(exchange: Exchange, { code, body, contentType, kind }: Reply): Promise<void> {
  const { response, format } = exchange;
  exchange.audit?.response(body);
  if (format.mediaType === 'protobuf' && typeof body === 'object') {
    return sendBytes(exchange, { code, contentType: PROTOBUF_TYPE, bytes: protobufOf(body as TypeNames) });
  }
  const isYaml = format.mediaType === 'yaml';
  response.setHeader('Content-Type', contentType ?? (isYaml ? 'application/yaml' : 'application/json'));
  setCommonHeaders(exchange);
  await sendText(exchange, code, isYaml ? yamlOf(body) : jsonOf(exchange, body, kind));
}

export async function sendStatus(exchange: Exchange, { status, warnings }: StatusError): Promise<void> {
  for (const warning of warnings) exchange.warn(warning);
  const { code } = status;
  const retryAfter = status.details?.retryAfterSeconds;
  if (retryAfter !== undefined) exchange.response.setHeader('Retry-After', String(retryAfter));
  if (code === 401) exchange.response.removeHeader('Connection');
  await sendObject(exchange, { code, body: ordered(status) });
}

/** Plain text for people, such as the answer of a health check. */
export async function sendPlain(
  exchange: Exchange,
  code: number,
  text: string,
  sniffing: 'forbidden' | 'sniffable' = 'forbidden',
): Promise<void> {
  const { response } = exchange;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  if (sniffing === 'forbidden') response.setHeader('X-Content-Type-Options', 'nosniff');
  setCommonHeaders(exchange);
  await sendText(exchange, code, text);
}

/** What has a form of its own, such as protobuf. */
export async function sendBytes(exchange: Exchange, { code, contentType, bytes }: Encoded): Promise<void> {
  exchange.response.setHeader('Content-Type', contentType);
  setCommonHeaders(exchange);
  await sendWhole(exchange, code, bytes);
}

interface Encoded {
  readonly code: number;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export function setCommonHeaders({ response, warnings }: Exchange): void {
  if (!response.hasHeader('Cache-Control')) response.setHeader('Cache-Control', 'no-cache, private');
  if (warnings.length > 0) response.setHeader('Warning', warnings.map(warningHeader));
}

/** RFC 7234 warn-text is a quoted string of one line. */
function warningHeader(text: string): string {
  const line = text.replaceAll(/[\p{Cc}]/gu, ' ').replaceAll(/["\\]/g, String.raw`\$&`);
  return `299 - "${Buffer.from(line, 'utf8').toString('latin1')}"`;
}

async function sendText(exchange: Exchange, code: number, text: string): Promise<void> {
  await sendWhole(exchange, code, Buffer.from(text, 'utf8'));
}

async function sendWhole({ request, response }: Exchange, code: number, plain: Uint8Array): Promise<void> {
  if (response.destroyed || response.writableEnded) return;
  let bytes = plain;
  if (bytes.length >= MIN_COMPRESSED_BYTES) {
    response.setHeader('Vary', [response.getHeader('Vary') ?? [], 'Accept-Encoding'].flat().join(', '));
    if (takesGzip(request.headers['accept-encoding'])) {
      bytes = await compress(bytes, { level: COMPRESSION_LEVEL });
      response.setHeader('Content-Encoding', 'gzip');
    } else response.removeHeader('Vary');
  }
  response.statusCode = code;
  response.setHeader('Content-Length', bytes.length);
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

export function takesGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((one) => one.trim().split(';')[0] === 'gzip');
}

function jsonOf(exchange: Exchange, body: object | string, kind: Kind | undefined): string {
  if (!isPretty(exchange)) return `${typeof body === 'string' ? body : JSON.stringify(body)}\n`;
  const value: unknown = typeof body === 'string' ? JSON.parse(body) : body;
  return JSON.stringify(kind ? inOrder(kind, value) : value, undefined, 2);
}

function protobufOf(body: TypeNames): Buffer {
  if (!('items' in body)) return encodeProtobuf(body);
  const item = { apiVersion: body.apiVersion, kind: body.kind.slice(0, -'List'.length) };
  return encodeProtobufList(body as ProtobufList, item);
}

/** Objects of built-in kinds in the order of their structs, others by name. */
function inOrder(kind: Kind, value: unknown): unknown {
  if (!isObject(value)) return value;
  if (value['kind'] === listKindOf(kind) && Array.isArray(value['items'])) {
    return { ...value, items: value['items'].map((item) => objectInOrder(kind, item)) };
  }
  return value['kind'] === kind.kind ? objectInOrder(kind, value) : value;
}

function objectInOrder({ isCustom, schema }: Kind, object: unknown): unknown {
  if (isCustom) return inSchemaOrder(undefined, object);
  const { kind, apiVersion, ...members } = inSchemaOrder(schema, object) as Record<string, unknown>;
  return { kind, apiVersion, ...members };
}

export function isPretty({ query, userAgent }: Pick<Exchange, 'query' | 'userAgent'>): boolean {
  return query.flag('pretty') ?? READERS.some((one) => userAgent.startsWith(one));
}

function yamlOf(body: object | string): string {
  const value: unknown = typeof body === 'string' ? JSON.parse(body) : body;
  return stringify(value, { lineWidth: 0, sortMapEntries: true, version: '1.1', defaultStringType: 'PLAIN' });
}

/** The members in the order in which Kubernetes writes them. */
function ordered({ kind, apiVersion, metadata, status, message, reason, details, code }: Status): Status {
  return { kind, apiVersion, metadata, status, message, reason, details, code };
}
