/** The handshake of a WebSocket. Nothing is compressed: the other end is on this machine. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { badUpgrade, protocolsNotSupported } from '#runtime/kubelet/errors.ts';

/** Longest message that is taken, as the kubelet has it. Clients send what they read in one go: mostly 32 KiB. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/** A connection that is to become something else. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent behind its request. */
  readonly head: Buffer;
}

export function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** The subprotocols that the client would speak, in its order. */
export function requestedProtocols({ headers }: IncomingMessage): string[] {
  const list = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  return list.filter((name) => name !== '');
}

/** The first of the client's that we speak; `''` stands for a client that names none. Throws a KubeletError. */
export function chooseProtocol<T extends string>(request: IncomingMessage, supported: readonly T[]): T {
  const requested = requestedProtocols(request);
  const wanted = requested.length === 0 ? [''] : requested;
  for (const name of wanted) {
    const found = supported.find((one) => one === name);
    if (found !== undefined) return found;
  }
  throw protocolsNotSupported(requested, supported);
}

/** Completes the handshake with that subprotocol. Throws a KubeletError when the client's half is wrong. */
export function acceptWebSocket({ request, socket, head }: Upgrade, protocol: string): Promise<WebSocket> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  // The package refuses the slash in kubectl's `SPDY/3.1+…`, so subprotocols are agreed on without it.
  delete request.headers['sec-websocket-protocol'];
  server.on('headers', (headers) => {
    if (protocol !== '') headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });
  return new Promise((resolve, reject) => {
    server.on('wsClientError', (error) => reject(badUpgrade(error.message)));
    server.handleUpgrade(request, socket, head, resolve);
  });
}
