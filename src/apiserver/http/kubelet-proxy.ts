/**
 * Carries requests on to the node agent's endpoint on its Unix socket: logs as an ordinary answer, piece by piece as
 * they come; exec, attach and port-forward as bytes that are not looked into, once both sides have agreed on the
 * upgrade. Credentials stay here. When either side goes, so does the other.
 */
import http, { type IncomingMessage, STATUS_CODES } from 'node:http';
import { type Duplex, finished } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { badRequest, failure, internalError, notFound, serviceUnavailable, StatusError } from '#kube/status.ts';
import { nameOf } from '#kube/object.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { logLocation, streamLocation } from '#apiserver/http/kubelet-location.ts';
import type { KubeletProxy, ProxiedRequest } from '#apiserver/http/proxy.ts';
import { Query } from '#apiserver/http/query.ts';
import { setCommonHeaders } from '#apiserver/http/reply.ts';

/** Most of an error text that is read. */
const MAX_ERROR_BYTES = 50_000;

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

async function textOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    pieces.push(piece);
    size += piece.length;
    if (size >= MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(pieces).subarray(0, MAX_ERROR_BYTES).toString('utf8');
}

/** Either the answer to an upgrade that was refused, or the stream that it became. */
type Upgraded = { readonly answer: IncomingMessage; readonly stream?: { socket: Duplex; head: Buffer } };

interface Connection {
  readonly socket: Duplex;
  readonly head: Buffer;
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
  const { answer, stream } = await upgradeOf(upstream);
  client.socket.off('close', stop);
  if (stream) await join(client, stream, headOf(answer));
  else await passRefusal(client.socket, answer);
}

function upgradeOf(upstream: http.ClientRequest): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    upstream.once('upgrade', (answer: IncomingMessage, socket: Duplex, head: Buffer) =>
      resolve({ answer, stream: { socket, head } }),
    );
    answerTo(upstream).then((answer) => resolve({ answer }), reject);
  });
}

function answerTo(upstream: http.ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    upstream.once('response', resolve);
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      const isAbsent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
      reject(isAbsent ? serviceUnavailable('the node agent is not running') : backendError(error));
    });
  });
}

function backendError(error: Error): StatusError {
  return internalError(`error dialing backend: ${error.message}`, error);
}

function headOf({ statusCode = 500, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage || (STATUS_CODES[statusCode] ?? '')}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Resolves when the client's connection is closed. */
function join(client: Connection, agent: Connection, head: string): Promise<void> {
  client.socket.write(head);
  if (agent.head.length > 0) client.socket.write(agent.head);
  if (client.head.length > 0) agent.socket.write(client.head);
  client.socket.pipe(agent.socket);
  agent.socket.pipe(client.socket);
  // What the agent said last goes out before the client's connection is closed.
  const finish = () => void client.socket.end();
  agent.socket.on('error', finish).on('close', finish);
  client.socket.on('finish', () => client.socket.destroy());
  return new Promise((resolve) => {
    client.socket.on('close', () => {
      agent.socket.destroy();
      resolve();
    });
  });
}

async function passRefusal(client: Duplex, answer: IncomingMessage): Promise<void> {
  const body = await textOf(answer);
  const { statusCode = 500, headers } = answer;
  const lines = [
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ''}`,
    `Content-Type: ${headers['content-type'] ?? 'text/plain; charset=utf-8'}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  const accepted = headers['x-accepted-stream-protocol-versions'];
  if (accepted !== undefined) lines.push(`X-Accepted-Stream-Protocol-Versions: ${String(accepted)}`);
  client.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  finished(client, { readable: false }, () => client.destroy());
}
