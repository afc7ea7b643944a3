/** 404 as plain text, which tells clients that a whole group or path is not served. */
import type { Exchange } from '#apiserver/http/exchange.ts';
import { sendPlain } from '#apiserver/http/reply.ts';

export class PageNotFound extends Error {
  override readonly name = 'PageNotFound';
}

export function sendNotFound(exchange: Exchange): Promise<void> {
  return sendPlain(exchange, 404, '404 page not found\n');
}
