/** From a request to its handler. */
import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Attributes, refusal } from '#apiserver/authorize.ts';
import { asStatusError } from '#apiserver/failures.ts';
import { authenticate } from '#apiserver/http/authenticate.ts';
import { handleDiscovery } from '#apiserver/http/discovery.ts';
import { Exchange } from '#apiserver/http/exchange.ts';
import { handleHealth, isHealthPath } from '#apiserver/http/health.ts';
import { handleIssuer, isIssuerPath } from '#apiserver/http/issuer.ts';
import { handleMetrics, handleRoot, handleVersion } from '#apiserver/http/miscellany.ts';
import { handleOpenApi } from '#apiserver/http/openapi.ts';
import { type ApiPath, parsePath } from '#apiserver/http/path.ts';
import { PageNotFound, sendNotFound } from '#apiserver/http/page-not-found.ts';
import { proxyUpgrade } from '#apiserver/http/proxy.ts';
import { handleResource } from '#apiserver/http/resource.ts';
import { verbFor } from '#apiserver/http/verb.ts';
import { sendStatus } from '#apiserver/http/reply.ts';
import type { HttpApi } from '#apiserver/http/server.ts';
import { methodNotAllowed } from '#kube/status.ts';

export async function route(http: HttpApi, exchange: Exchange): Promise<void> {
  const path = parsePath(exchange.path);
  const observed = http.requests.begin(exchange, path);
  try {
    exchange.user = await authenticate(exchange.request, http.tokens);
    await authorize(http, exchange, path);
    await dispatch(http, exchange, path);
  } catch (error) {
    if (!(error instanceof PageNotFound)) throw error;
    await sendNotFound(exchange);
  } finally {
    observed.end();
  }
}

async function authorize(http: HttpApi, exchange: Exchange, path: ApiPath): Promise<void> {
  const attributes = attributesOf(exchange, path);
  const decision = await http.authorizer(exchange.user, attributes);
  if (decision.isAllowed) return;
  exchange.response.setHeader('X-Content-Type-Options', 'nosniff');
  throw refusal(exchange.user, attributes, decision.reason);
}

function attributesOf(exchange: Exchange, path: ApiPath): Attributes {
  if (path.type !== 'resource') {
    return { type: 'path', verb: exchange.method.toLowerCase(), path: exchange.path };
  }
  const { group, version, plural, namespace, name, subresource } = path;
  const isNamespace = group === '' && plural === 'namespaces' && name !== '';
  return {
    type: 'resource',
    verb: verbFor(exchange, path),
    group,
    version,
    resource: plural,
    subresource,
    namespace: isNamespace ? name : namespace,
    name,
  };
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
    exchange.user = await authenticate(request, http.tokens);
    const path = parsePath(exchange.path);
    await authorize(http, exchange, path);
    if (path.type !== 'resource') throw methodNotAllowed();
    await proxyUpgrade(http, { exchange, path, socket, head });
  } catch (error) {
    // No longer an upgrade: an ordinary answer on the same connection, which then closes.
    response.assignSocket(socket as never);
    response.setHeader('Connection', 'close');
    response.on('finish', () => socket.end());
    if (error instanceof PageNotFound) await sendNotFound(exchange);
    else await sendStatus(exchange, asStatusError(error, http.logger));
  }
}
