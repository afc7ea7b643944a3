/**
 * Accepts on the inherited listeners and gives each connection to the engine that speaks its protocol: HTTP/1.1, or
 * HTTP/2 when its preface comes first or TLS agreed on it. Knows every connection, so that a process that goes away
 * can close the idle ones and wait for the others.
 */
import type { Http2Session } from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import type { Certificate } from '#dataplane/gateway/messages.ts';
import { ClientConnection, type ClientContext } from '#dataplane/proxy/client-connection.ts';
import type { ListenerKind, Peer } from '#dataplane/proxy/exchange.ts';
import { serveH2 } from '#dataplane/proxy/h2-server.ts';
import { MAX_CLIENT_CONNECTIONS } from '#dataplane/proxy/limits.ts';
import { adoptAccepted, type Io, releaseSocket, type Wire, wrapStream } from '#dataplane/proxy/wire.ts';

/** The certificate for a name that a client asks for, if there is one of its own; called for each handshake. */
export type CertificateSource = (serverName: string) => tls.SecureContext | undefined;

/** An inherited descriptor, or an address. */
export type ListenOn = { readonly fd: number } | { readonly host: string; readonly port: number };

export interface ListenersOptions {
  readonly io: Io;
  readonly certificate: CertificateSource;
  readonly client: Omit<ClientContext, 'onClosed' | 'onPreface' | 'isDraining'>;
}

/** Detects dead peers below HTTP. */
const KEEP_ALIVE_DELAY_MS = 30_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;

export class Listeners {
  readonly #options: ListenersOptions;
  readonly #servers: net.Server[] = [];
  readonly #tlsServers: tls.Server[] = [];
  #fallback: Certificate | undefined;
  readonly #connections = new Set<ClientConnection>();
  readonly #sessions = new Set<Http2Session>();
  readonly #context: ClientContext;
  #draining = false;

  constructor(options: ListenersOptions) {
    this.#options = options;
    this.#context = {
      ...options.client,
      onClosed: (connection) => this.#connections.delete(connection),
      onPreface: (wire, peer, unread) => this.#serveH2(releaseSocket(wire, unread), peer),
      isDraining: () => this.#draining,
    };
  }

  get connections(): number {
    return this.#connections.size + this.#sessions.size;
  }

  /** What a client is shown that names no server, or one that no certificate is for. Open connections stay. */
  useFallback(certificate: Certificate): void {
    this.#fallback = certificate;
    for (const server of this.#tlsServers) server.setSecureContext(certificate);
  }

  /** Resolves when the descriptor is listened on. */
  async listen(kind: ListenerKind, listenOn: ListenOn): Promise<net.AddressInfo> {
    const server = kind === 'https' ? this.#tlsServer() : this.#plainServer(kind);
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(listenOn, () => resolve());
    });
    return server.address() as net.AddressInfo;
  }

  /** Accepts no more, and closes what waits for a request. */
  drain(): void {
    this.#draining = true;
    for (const server of this.#servers) server.close();
    for (const connection of this.#connections) connection.closeIfIdle();
    for (const session of this.#sessions) session.close();
  }

  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
    for (const session of this.#sessions) session.destroy();
  }

  #plainServer(kind: ListenerKind): net.Server {
    const options = {
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
      allowHalfOpen: true,
    };
    return net.createServer(options, (socket) => {
      const peer = this.#peerOf(socket, kind);
      if (!peer) return;
      this.#serveH1(adoptAccepted(socket, this.#options.io), peer);
    });
  }

  #tlsServer(): net.Server {
    const { certificate } = this.#options;
    const server = tls.createServer({
      ALPNProtocols: ['h2', 'http/1.1'],
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      noDelay: true,
      allowHalfOpen: true,
      SNICallback: (name, done) => done(null, certificate(name)),
    });
    this.#tlsServers.push(server);
    if (this.#fallback) server.setSecureContext(this.#fallback);
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    server.on('secureConnection', (socket) => {
      const peer = this.#peerOf(socket, 'https');
      if (!peer) return;
      if (socket.alpnProtocol === 'h2') this.#serveH2(socket, peer);
      else this.#serveH1(wrapStream(socket, this.#options.io), peer);
    });
    return server;
  }

  /** Undefined when the connection was turned away. */
  #peerOf(socket: net.Socket, listener: ListenerKind): Peer | undefined {
    const address = socket.remoteAddress;
    if (address === undefined || this.connections >= MAX_CLIENT_CONNECTIONS) {
      socket.destroy();
      return undefined;
    }
    const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
    return { address: plain, port: socket.remotePort ?? 0, listener, protocol: 'HTTP/1.1' };
  }

  #serveH1(wire: Wire, peer: Peer): void {
    const connection = new ClientConnection(wire, peer, this.#context);
    this.#connections.add(connection);
    if (this.#draining) connection.closeIfIdle();
  }

  #serveH2(socket: net.Socket, peer: Peer): void {
    const session = serveH2(socket, { ...peer, protocol: 'HTTP/2.0' }, this.#context);
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    if (this.#draining) session.close();
  }
}
