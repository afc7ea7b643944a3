/** `/openapi/v2` and `/openapi/v3`. */
import { PageNotFound } from '#apiserver/http/page-not-found.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import type { HttpApi } from '#apiserver/http/server.ts';

export function handleOpenApi(_http: HttpApi, _exchange: Exchange, _rest: readonly string[]): Promise<void> {
  throw new PageNotFound();
}
