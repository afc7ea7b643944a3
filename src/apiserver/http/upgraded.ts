/**
 * A connection that becomes something else, passed on to whoever it is for: the client's bytes and the other side's are
 * not looked into once both have agreed. When either goes, so does the other.
 */
import { type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http';
import { type Duplex, finished } from 'node:stream';

/** Most of an error text that is read. */
const MAX_ERROR_BYTES = 50_000;

export interface Connection {
  readonly socket: Duplex;
  /** What was read of it already. */
  readonly head: Buffer;
  /** Both sides have agreed. */
  readonly onOpen?: (() => void) | undefined;
}

/** Either the answer to an upgrade that was refused, or the stream that it became. */
export interface Upgraded {
  readonly answer: IncomingMessage;
  readonly stream?: Connection;
}

/** Rejects with what the request fails with. */
export function upgradeOf(upstream: ClientRequest): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    upstream.once('upgrade', (answer: IncomingMessage, socket: Duplex, head: Buffer) =>
      resolve({ answer, stream: { socket, head } }),
    );
    upstream.once('response', (answer: IncomingMessage) => resolve({ answer }));
    upstream.on('error', reject);
  });
}

/** Tells the client of the agreement and joins the two; resolves when the client's connection is closed. */
export function joinUpgraded(client: Connection, answer: IncomingMessage, other: Connection): Promise<void> {
  client.onOpen?.();
  client.socket.write(headOf(answer));
  if (other.head.length > 0) client.socket.write(other.head);
  if (client.head.length > 0) other.socket.write(client.head);
  client.socket.pipe(other.socket);
  other.socket.pipe(client.socket);
  // What the other side said last goes out before the client's connection is closed.
  const finish = () => void client.socket.end();
  other.socket.on('error', finish).on('close', finish);
  client.socket.on('finish', () => client.socket.destroy());
  return new Promise((resolve) => {
    client.socket.on('close', () => {
      other.socket.destroy();
      resolve();
    });
  });
}

function headOf({ statusCode = 500, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage || (STATUS_CODES[statusCode] ?? '')}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** An ordinary answer on the client's connection, which then closes. */
export async function passRefusal(client: Duplex, answer: IncomingMessage): Promise<void> {
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

/** Its first `MAX_ERROR_BYTES`. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    pieces.push(piece);
    size += piece.length;
    if (size >= MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(pieces).subarray(0, MAX_ERROR_BYTES).toString('utf8');
}
