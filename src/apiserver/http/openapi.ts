/** `/openapi/v3` and `/openapi/v3/apis/GROUP/VERSION` in JSON, `/openapi/v2` also in protobuf. */
import { PageNotFound } from '#apiserver/http/plain-failure.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { requireGet } from '#apiserver/http/miscellany.ts';
import { sendBytes, sendObject } from '#apiserver/http/reply.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import type { Document, OpenApiDocuments } from '#apiserver/openapi/documents.ts';

const YEAR_SECONDS = 365 * 24 * 3_600;

const JSON_TYPES = new Set(['application/json', 'application/*', '*/*']);

const PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
/** The second is what clients ask for, though `@` has no place in a media type. */
const PROTOBUF_TYPES = new Set([PROTOBUF_TYPE, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf']);

export async function handleOpenApi({ openapi }: HttpApi, exchange: Exchange, rest: readonly string[]): Promise<void> {
  requireGet(exchange);
  const [version, ...path] = rest;
  if (version === 'v2' && path.length === 0) {
    return sendSwagger(exchange, openapi);
  }
  if (version !== 'v3') throw new PageNotFound();
  if (path.length === 0) {
    // The index has always been called plain text.
    return sendDocument(exchange, openapi.index(), { contentType: 'text/plain; charset=utf-8' });
  }
  const document = openapi.document(path.join('/'));
  if (!document) return sendEmpty(exchange, 404);
  const wanted = exchange.query.get('hash') ?? '';
  if (wanted !== '' && wanted !== document.hash) return redirect(exchange, document);
  if (wanted !== '') keepForLong(exchange);
  await sendDocument(exchange, document, { vary: 'Accept' });
}

async function sendSwagger(exchange: Exchange, openapi: OpenApiDocuments): Promise<void> {
  const { response } = exchange;
  const wanted = typesOf(exchange).find((type) => JSON_TYPES.has(type) || PROTOBUF_TYPES.has(type));
  if (!PROTOBUF_TYPES.has(wanted ?? '')) {
    return sendDocument(exchange, openapi.swagger(), { vary: 'Accept-Encoding, Accept' });
  }
  response.setHeader('Vary', 'Accept-Encoding, Accept');
  if (isKnown(exchange, openapi.swagger())) return sendEmpty(exchange, 304);
  await sendBytes(exchange, { code: 200, contentType: PROTOBUF_TYPE, bytes: openapi.swaggerProtobuf() });
}

/** The address names what is there, so it may be kept. */
function keepForLong({ response }: Exchange): void {
  response.setHeader('Cache-Control', `public, immutable, max-age=${YEAR_SECONDS}`);
}

function redirect(exchange: Exchange, { hash }: Document): void {
  exchange.response.setHeader('Location', `${exchange.path}?hash=${hash}`);
  sendEmpty(exchange, 301);
}

interface Sent {
  readonly vary?: string;
  readonly contentType?: string;
}

async function sendDocument(exchange: Exchange, document: Document, { vary, contentType }: Sent): Promise<void> {
  const { response } = exchange;
  if (vary !== undefined) response.setHeader('Vary', vary);
  if (!acceptsJson(exchange)) return sendEmpty(exchange, 406);
  if (isKnown(exchange, document)) return sendEmpty(exchange, 304);
  await sendObject(exchange, { code: 200, body: document.text, contentType: contentType ?? 'application/json' });
}

/** Whether the client says that it has the document; it is told in any case by which name to say so. */
function isKnown(exchange: Exchange, { hash }: Document): boolean {
  exchange.response.setHeader('ETag', `"${hash}"`);
  return exchange.header('if-none-match') === `"${hash}"`;
}

function acceptsJson(exchange: Exchange): boolean {
  const types = typesOf(exchange);
  return types.length === 0 || types.some((type) => JSON_TYPES.has(type));
}

/** What is accepted, in the client's order. */
function typesOf(exchange: Exchange): string[] {
  const accept = exchange.header('accept') ?? '';
  return accept === '' ? [] : accept.split(',').map((clause) => clause.split(';')[0]?.trim() ?? '');
}

function sendEmpty({ response }: Exchange, code: number): void {
  response.statusCode = code;
  response.end();
}
