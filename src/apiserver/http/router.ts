/** From a request to its handler. */
import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { asStatusError } from '#apiserver/failures.ts';
import { attributesOf, requireAllowed } from '#apiserver/http/access.ts';
import { beginAudit, recordDecision } from '#apiserver/http/audited.ts';
import { authenticate } from '#apiserver/http/authenticate.ts';
import { handleDiscovery } from '#apiserver/http/discovery.ts';
import { Exchange } from '#apiserver/http/exchange.ts';
import { handleHealth, isHealthPath } from '#apiserver/http/health.ts';
import { handleIssuer, isIssuerPath } from '#apiserver/http/issuer.ts';
import { handleMetrics, handleRoot, handleVersion } from '#apiserver/http/miscellany.ts';
import { handleOpenApi } from '#apiserver/http/openapi.ts';
import { impersonate } from '#apiserver/http/impersonate.ts';
import { type ApiPath, parsePath } from '#apiserver/http/path.ts';
import { PageNotFound, PlainFailure, sendPlainFailure } from '#apiserver/http/plain-failure.ts';
import { proxyUpgrade } from '#apiserver/http/proxy.ts';
import { handleResource } from '#apiserver/http/resource.ts';
import { sendStatus } from '#apiserver/http/reply.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import { methodNotAllowed } from '#kube/status.ts';

export async function route(http: HttpApi, exchange: Exchange): Promise<void> {
  const path = parsePath(exchange.path);
  const observed = http.requests.begin(exchange, path);
  try {
    admitCaller(http, exchange, path);
    await dispatch(http, exchange, path);
  } catch (error) {
    if (!(error instanceof PlainFailure)) throw error;
    await sendPlainFailure(exchange, error);
  } finally {
    observed.end();
  }
}

/** Who asks, whom they ask as, and whether they may. */
function admitCaller(http: HttpApi, exchange: Exchange, path: ApiPath): void {
  const attributes = attributesOf(exchange, path);
  try {
    exchange.user = authenticate(exchange.request, http.api.tokens);
  } catch (error) {
    beginAudit(http, exchange, { user: undefined, attributes, path });
    throw error;
  }
  const { user } = exchange;
  beginAudit(http, exchange, { user, attributes, path });
  impersonate(http, exchange);
  if (exchange.user !== user) exchange.audit?.impersonates(exchange.user);
  recordDecision(http, exchange, attributes);
  requireAllowed(http.api.rights.authorizer, exchange, attributes);
}

async function dispatch(http: HttpApi, exchange: Exchange, path: ApiPath): Promise<void> {
  if (path.type === 'resource') return handleResource(http, exchange, path);
  if (path.type === 'group' || path.type === 'version') return handleDiscovery(http, exchange, path);
  const [first = '', ...rest] = path.segments;
  if (isHealthPath(path.segments)) return handleHealth(http, exchange, path.segments);
  if (isIssuerPath(exchange.path)) return handleIssuer(http, exchange);
  if (rest.some((one) => one !== '') && first !== 'openapi') throw new PageNotFound();
  switch (first) {
    case '':
      return handleRoot(http, exchange);
    case 'api':
    case 'apis':
      return handleDiscovery(http, exchange, { type: 'root', root: first });
    case 'version':
      return handleVersion(http, exchange);
    case 'metrics':
      return handleMetrics(http, exchange);
    case 'openapi':
      return handleOpenApi(http, exchange, rest);
    default:
      throw new PageNotFound();
  }
}

const SWITCHING_PROTOCOLS = 101;

export interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Connections that become something else: exec, attach and port-forward, carried on to the node agent. */
export async function upgrade(http: HttpApi, request: IncomingMessage, { socket, head }: Upgrade): Promise<void> {
  const response = new ServerResponse(request);
  const exchange = new Exchange(request, response);
  socket.on('error', () => socket.destroy());
  try {
    const path = parsePath(exchange.path);
    admitCaller(http, exchange, path);
    if (path.type !== 'resource') throw methodNotAllowed();
    await proxyUpgrade(http, {
      exchange,
      path,
      socket,
      head,
      onOpen: () => exchange.audit?.started(SWITCHING_PROTOCOLS),
    });
    exchange.audit?.completed(SWITCHING_PROTOCOLS);
  } catch (error) {
    // No longer an upgrade: an ordinary answer on the same connection, which then closes.
    response.assignSocket(socket as never);
    response.setHeader('Connection', 'close');
    response.on('finish', () => socket.end());
    if (error instanceof PlainFailure) await sendPlainFailure(exchange, error);
    else await sendStatus(exchange, asStatusError(error, http.logger));
    exchange.audit?.completed(response.statusCode);
  }
}
