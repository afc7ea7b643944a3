/** From an HTTP request with `Upgrade: SPDY/3.1` to the bytes of SPDY. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badUpgrade, protocolsNotSupported } from '#runtime/kubelet/errors.ts';
import type { Upgrade } from '#runtime/kubelet/websocket/upgrade.ts';

const PROTOCOL_HEADER = 'X-Stream-Protocol-Version';

function isSpdy({ headers }: IncomingMessage): boolean {
  return (headers.upgrade ?? '').toLowerCase().includes('spdy/3.1');
}

/** Answers with the first of the client's protocols that is supported. Throws a KubeletError when there is none. */
export function acceptSpdy({ request, socket, head }: Upgrade, supported: readonly string[]): Duplex {
  if (!isSpdy(request)) throw badUpgrade('missing upgrade headers in request');
  const requested = requestedProtocols(request);
  if (requested.length === 0) throw badUpgrade(`${PROTOCOL_HEADER} is required`);
  const protocol = requested.find((name) => supported.includes(name));
  if (protocol === undefined) throw protocolsNotSupported(requested, supported);
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: SPDY/3.1',
    `${PROTOCOL_HEADER}: ${protocol}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return socket;
}

function requestedProtocols({ headers }: IncomingMessage): string[] {
  const header = headers[PROTOCOL_HEADER.toLowerCase()] ?? '';
  const list = Array.isArray(header) ? header.join(',') : header;
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
