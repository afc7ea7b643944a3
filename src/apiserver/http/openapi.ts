/** `/openapi/v3`, `/openapi/v3/apis/GROUP/VERSION` and `/openapi/v2`, in JSON. */
import { PageNotFound } from '#apiserver/http/page-not-found.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { requireGet } from '#apiserver/http/miscellany.ts';
import { sendObject } from '#apiserver/http/reply.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import type { Document } from '#apiserver/openapi/documents.ts';

const YEAR_SECONDS = 365 * 24 * 3_600;

const JSON_TYPES = new Set(['application/json', 'application/*', '*/*']);

export async function handleOpenApi({ openapi }: HttpApi, exchange: Exchange, rest: readonly string[]): Promise<void> {
  requireGet(exchange);
  const [version, ...path] = rest;
  if (version === 'v2' && path.length === 0) {
    return sendDocument(exchange, openapi.swagger(), { vary: 'Accept-Encoding, Accept' });
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

async function sendDocument(exchange: Exchange, { text, hash }: Document, { vary, contentType }: Sent): Promise<void> {
  const { response } = exchange;
  if (vary !== undefined) response.setHeader('Vary', vary);
  if (!acceptsJson(exchange)) return sendEmpty(exchange, 406);
  response.setHeader('ETag', `"${hash}"`);
  if (exchange.header('if-none-match') === `"${hash}"`) return sendEmpty(exchange, 304);
  await sendObject(exchange, { code: 200, body: text, contentType: contentType ?? 'application/json' });
}

function acceptsJson(exchange: Exchange): boolean {
  const accept = exchange.header('accept') ?? '';
  if (accept === '') return true;
  return accept.split(',').some((clause) => JSON_TYPES.has(clause.split(';')[0]?.trim() ?? ''));
}

function sendEmpty({ response }: Exchange, code: number): void {
  response.statusCode = code;
  response.end();
}
