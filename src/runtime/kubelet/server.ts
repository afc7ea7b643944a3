/**
 * The endpoint's socket: HTTP on a Unix socket of the state directory, for processes of the same user only, which is
 * root. It has no authentication of its own: whoever may open the socket could do all of this without it.
 */
import { chmodSync, rmSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { KubeletBackend } from '#runtime/kubelet/backend.ts';
import { serveContainerLogs } from '#runtime/kubelet/container-logs.ts';
import {
  ClientGoneError,
  KubeletError,
  methodNotAllowed,
  pageNotFound,
  upgradeRequired,
} from '#runtime/kubelet/errors.ts';
import { servePortForward } from '#runtime/kubelet/forward/port-forward.ts';
import { serveAttach } from '#runtime/kubelet/remote/attach.ts';
import { serveExec } from '#runtime/kubelet/remote/exec.ts';
import { parseRequest } from '#runtime/kubelet/request.ts';
import type { Upgrade } from '#runtime/kubelet/websocket/upgrade.ts';
import { descriptorOf, peerCredentials } from '#sys/socket.ts';

const SOCKET_MODE = 0o600;
const MAX_CONNECTIONS = 1_000;
const HEADERS_TIMEOUT_MS = 10_000;

export interface KubeletServerOptions {
  readonly backend: KubeletBackend;
  readonly socketPath: string;
}

export class KubeletServer implements AsyncDisposable {
  readonly #backend: KubeletBackend;
  readonly #server: http.Server;
  readonly #connections = new Set<Socket>();

  private constructor(backend: KubeletBackend) {
    this.#backend = backend;
    this.#server = http.createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0 });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('connection', (socket: Socket) => this.#greet(socket));
    this.#server.on('request', (request, response) => void this.#answer(request, response));
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#upgrade({ request, socket, head });
    });
  }

  /** A socket that an agent which died left behind is replaced. */
  static async start({ backend, socketPath }: KubeletServerOptions): Promise<KubeletServer> {
    const endpoint = new KubeletServer(backend);
    rmSync(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      endpoint.#server.once('error', reject);
      endpoint.#server.listen({ path: socketPath }, () => resolve());
    });
    chmodSync(socketPath, SOCKET_MODE);
    endpoint.#server.on('error', (error) => backend.logger.error('the kubelet endpoint failed', { error }));
    return endpoint;
  }

  /** Cuts every connection: logs, commands and forwards are the clients' to begin again. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  /** Between making the socket and closing its mode anybody might have connected. */
  #greet(socket: Socket): void {
    const fd = descriptorOf(socket);
    if (fd === undefined || peerCredentials(fd).uid !== process.getuid?.()) return void socket.destroy();
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    try {
      const target = parseRequest(request.url ?? '');
      if (target.type !== 'health' && target.type !== 'logs') throw upgradeRequired();
      if (request.method !== 'GET') throw methodNotAllowed();
      if (target.type === 'health') response.end('ok');
      else await serveContainerLogs(this.#backend, target, response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else sendError(response, this.#asKubeletError(error));
    }
  }

  async #upgrade(upgrade: Upgrade): Promise<void> {
    try {
      await this.#serveUpgrade(upgrade);
    } catch (error) {
      if (error instanceof KubeletError) return refuse(upgrade, error);
      upgrade.socket.destroy();
      if (!(error instanceof ClientGoneError)) this.#warn(error);
    }
  }

  async #serveUpgrade(upgrade: Upgrade): Promise<void> {
    const target = parseRequest(upgrade.request.url ?? '');
    switch (target.type) {
      case 'exec':
        return serveExec(this.#backend, upgrade, target);
      case 'attach':
        return serveAttach(this.#backend, upgrade, target);
      case 'port-forward':
        return servePortForward(this.#backend, upgrade, target);
      default:
        throw pageNotFound();
    }
  }

  #asKubeletError(error: unknown): KubeletError {
    if (error instanceof KubeletError) return error;
    this.#warn(error);
    return new KubeletError(500, 'internal error');
  }

  #warn(error: unknown): void {
    this.#backend.logger.warn('a request of the kubelet endpoint failed', { error });
  }
}

/** No longer an upgrade: an ordinary answer, and the end of the connection. */
function refuse({ request, socket }: Upgrade, error: KubeletError): void {
  const response = new http.ServerResponse(request);
  response.assignSocket(socket as Socket);
  response.setHeader('Connection', 'close');
  response.on('finish', () => socket.end());
  sendError(response, error);
}

function sendError(response: ServerResponse, { code, message, headers }: KubeletError): void {
  response.writeHead(code, STATUS_CODES[code] ?? '', { ...headers, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(message);
}
