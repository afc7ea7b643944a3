/**
 * Carries requests on to the node agent's endpoint on its Unix socket: logs as an ordinary answer, piece by piece as
 * they come; exec, attach and port-forward as bytes that are not looked into, once both sides have agreed on the
 * upgrade. Credentials stay here. When either side goes, so does the other.
 */
import http, { type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { badRequest, failure, internalError, notFound, serviceUnavailable, StatusError } from '#kube/status.ts';
import { nameOf } from '#kube/object.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { logLocation, streamLocation } from '#apiserver/http/kubelet-location.ts';
import type { KubeletProxy, ProxiedRequest } from '#apiserver/http/proxy.ts';
import { Query } from '#apiserver/http/query.ts';
import { setCommonHeaders } from '#apiserver/http/reply.ts';
import { type Connection, joinUpgraded, passRefusal, textOf, upgradeOf } from '#apiserver/http/upgraded.ts';

/** What the endpoint needs to know of a client's request for an upgrade. */
const PASSED_HEADERS = [
  'connection',
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'x-stream-protocol-version',
];

export function createKubeletProxy(socketPath: string): KubeletProxy {
  return {
    request: (proxied, exchange) => passLog(socketPath, proxied, exchange),
    upgrade: (proxied, connection) => passUpgrade(socketPath, proxied, connection),
  };
}

async function passLog(socketPath: string, { pod }: ProxiedRequest, exchange: Exchange): Promise<void> {
  const { response, query } = exchange;
  const path = logLocation(pod, query);
  setCommonHeaders(exchange);
  if (path === undefined) return void response.writeHead(204).end();
  const upstream = http.request({ socketPath, path, agent: false });
  response.on('close', () => upstream.destroy());
  upstream.end();
  const answer = await answerTo(upstream);
  if (answer.statusCode !== 200) throw await logError(answer, nameOf(pod));
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.flushHeaders();
  exchange.audit?.started(200);
  // A client that leaves is no failure; an endpoint that breaks off shows as an answer that is cut.
  await pipeline(answer, response).catch(() => response.destroy());
}

/** As kube-apiserver passes on what a kubelet says about logs. */
async function logError(answer: IncomingMessage, pod: string): Promise<StatusError> {
  const text = await textOf(answer);
  switch (answer.statusCode) {
    case 400:
      return badRequest(text);
    case 404: {
      const { status } = notFound({ group: '', plural: 'pods/log' }, pod);
      const message = `the server could not find the requested resource ( pods/log ${pod})`;
      return new StatusError({ ...status, message });
    }
    case 500:
      return internalError(text);
    default:
      return new StatusError(failure({ code: answer.statusCode ?? 500, message: text }));
  }
}

async function passUpgrade(socketPath: string, proxied: ProxiedRequest, client: Connection): Promise<void> {
  const { pod, subresource, query, request } = proxied;
  if (subresource === 'log') throw badRequest('logs are not streamed over an upgraded connection');
  const path = streamLocation(pod, subresource, new Query(query));
  const headers = Object.fromEntries(PASSED_HEADERS.map((name) => [name, request.headers[name] ?? []]));
  const upstream = http.request({ socketPath, path, method: request.method, headers, agent: false });
  const stop = () => upstream.destroy();
  client.socket.once('close', stop);
  upstream.end();
  const { answer, stream } = await upgradeOf(upstream).catch((error: unknown) => Promise.reject(unreachable(error)));
  client.socket.off('close', stop);
  if (stream) await joinUpgraded(client, answer, stream);
  else await passRefusal(client.socket, answer);
}

function answerTo(upstream: http.ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    upstream.once('response', resolve);
    upstream.on('error', (error) => reject(unreachable(error)));
  });
}

function unreachable(error: unknown): StatusError {
  const { code, message } = error as NodeJS.ErrnoException;
  const isAbsent = code === 'ENOENT' || code === 'ECONNREFUSED';
  if (isAbsent) return serviceUnavailable('the node agent is not running');
  return internalError(`error dialing backend: ${message}`, error);
}
