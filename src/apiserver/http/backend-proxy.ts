/**
 * HTTP through the API server to a program in a pod: `pods/NAME/proxy/PATH` and `services/NAME/proxy/PATH`, any method,
 * bodies piece by piece in both directions, upgrades (WebSockets) too. Who may do that is decided before; the caller's
 * credentials stay here.
 *
 * The program is not trusted: the head of its answer is bounded, its body is passed on and never kept. Links in HTML
 * pages stay as they are; redirections are led through the API.
 */
import nodeHttp, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '#base/clock.ts';
import { inWords } from '#base/network-words.ts';
import { internalError, serviceUnavailable, type StatusError } from '#kube/status.ts';
import { answeredFields, type Forwarding, forwardedFields } from '#apiserver/http/backend-headers.ts';
import type { BackendLocation } from '#apiserver/http/backend-location.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { type Connection, joinUpgraded, passRefusal, upgradeOf } from '#apiserver/http/upgraded.ts';

/** How long a connection may take to be made. */
const CONNECT_TIMEOUT_MS = 30_000;

/** Most bytes of the head of an answer. */
const MAX_HEAD_BYTES = 64 * 1024;

/** `/api/v1/namespaces/NAMESPACE/pods/NAME/proxy`: segments before the program's own path. */
const PREFIX_SEGMENTS = 8;

export interface BackendRequest {
  readonly location: BackendLocation;
  readonly exchange: Exchange;
  readonly clock: Clock;
}

/** Answers the client; resolves when the answer is through. Throws a StatusError while there is none yet. */
export async function passToBackend(backend: BackendRequest): Promise<void> {
  const { request, response, method } = backend.exchange;
  const forwarding = forwardingOf(backend.exchange);
  // A page's relative links want a directory to be relative to.
  if (forwarding.path === '' || forwarding.path.startsWith('?')) {
    if (method === 'GET' || method === 'HEAD') {
      return void response.writeHead(301, { Location: `${forwarding.prefix}/${forwarding.path}` }).end();
    }
  }
  const upstream = open(backend, forwarding, 'ordinary');
  response.on('close', () => upstream.destroy());
  // Not a pipeline: one that cannot reach the program would take the client's connection down before it is told.
  request.pipe(upstream);
  const answer = await answerTo(upstream, backend.location);
  const host = hostOf(backend.location);
  const fields = answeredFields({ answer, prefix: forwarding.prefix, host, requestedHost: request.headers.host ?? '' });
  response.writeHead(answer.statusCode ?? 502, fields);
  response.flushHeaders();
  backend.exchange.audit?.started(response.statusCode);
  await pipeline(answer, response).catch(() => response.destroy());
}

/** The same for a connection that becomes something else; resolves when it is closed. */
export async function upgradeToBackend(backend: BackendRequest, client: Connection): Promise<void> {
  const upstream = open(backend, forwardingOf(backend.exchange), 'upgraded');
  const stop = () => upstream.destroy();
  client.socket.once('close', stop);
  upstream.end();
  const { answer, stream } = await upgradeOf(upstream).catch((error: unknown) =>
    Promise.reject(unreachable(error, backend.location)),
  );
  client.socket.off('close', stop);
  if (stream) return joinUpgraded(client, answer, stream);
  const code = answer.statusCode ?? 502;
  if (code < 400) throw internalError(`invalid upgrade response: status code ${code}`);
  await passRefusal(client.socket, answer);
}

function forwardingOf({ request }: Exchange): Forwarding {
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  const segments = (mark < 0 ? url : url.slice(0, mark)).split('/');
  const prefix = segments.slice(0, PREFIX_SEGMENTS).join('/');
  return { request, prefix, path: url.slice(prefix.length) };
}

function open(
  { location, exchange, clock }: BackendRequest,
  forwarding: Forwarding,
  connection: 'upgraded' | 'ordinary',
): ClientRequest {
  const { scheme, address, port } = location;
  const { path } = forwarding;
  const options: https.RequestOptions = {
    host: address,
    port,
    method: exchange.method,
    path: path.startsWith('/') ? path : `/${path}`,
    headers: forwardedFields(forwarding, connection),
    maxHeaderSize: MAX_HEAD_BYTES,
    agent: false,
    // Programs in pods have certificates of their own, for names of their own, if any: as for Kubernetes.
    rejectUnauthorized: false,
  };
  const upstream = scheme === 'https' ? https.request(options) : nodeHttp.request(options);
  const late = () => upstream.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
  const timer = clock.after(CONNECT_TIMEOUT_MS, late, { unref: true });
  upstream.on('socket', (socket) => socket.once('connect', () => timer.cancel()));
  upstream.on('close', () => timer.cancel());
  return upstream;
}

function answerTo(upstream: ClientRequest, location: BackendLocation): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    upstream.once('response', resolve);
    upstream.on('error', (error) => reject(unreachable(error, location)));
  });
}

function unreachable(error: unknown, { address, port }: BackendLocation): StatusError {
  return serviceUnavailable(`error trying to reach service: ${inWords(error, address, port)}`);
}

function hostOf({ address, port }: BackendLocation): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
