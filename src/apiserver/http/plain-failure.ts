/** Failures that are told as plain text instead of a Status. */
import type { Exchange } from '#apiserver/http/exchange.ts';
import { sendPlain } from '#apiserver/http/reply.ts';

export class PlainFailure extends Error {
  override readonly name: string = 'PlainFailure';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Tells clients that a whole group or path is not served. */
export class PageNotFound extends PlainFailure {
  override readonly name = 'PageNotFound';

  constructor() {
    super(404, '404 page not found');
  }
}

export function sendPlainFailure(exchange: Exchange, { code, message }: PlainFailure): Promise<void> {
  return sendPlain(exchange, code, `${message}\n`);
}
