/**
 * Several byte streams over one WebSocket, in both directions: each message begins with the number of its channel. In
 * the base64 forms of the protocol messages are text, the number is a digit and the rest is encoded.
 *
 * From version 5 a message on channel 255 with the number of another ends that one: the client has no more to send.
 */
import { Readable, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '#base/clock.ts';
import { ReadGate } from '#runtime/kubelet/websocket/read-gate.ts';

/** What one channel keeps for a slow reader, or a slow client, before it makes the other side wait. */
const MAX_UNREAD_BYTES = 64 * 1024;
const MAX_UNSENT_BYTES = 64 * 1024;

const CLOSE_CHANNEL = 255;
const DIGIT_ZERO = 0x30;

/** Close codes of RFC 6455. */
const NORMAL_CLOSURE = 1000;
const PROTOCOL_ERROR = 1002;

export interface ChannelFormat {
  readonly isBase64: boolean;
  /** Knows channel 255. */
  readonly hasHalfClose: boolean;
}

export interface ChannelSocketOptions {
  readonly socket: WebSocket;
  readonly format: ChannelFormat;
  readonly clock: Clock;
}

export class ChannelSocket {
  readonly #socket: WebSocket;
  readonly #format: ChannelFormat;
  readonly #gate: ReadGate;
  readonly #readers = new Map<number, Readable>();
  readonly #gone = new AbortController();

  constructor({ socket, format, clock }: ChannelSocketOptions) {
    this.#socket = socket;
    this.#format = format;
    this.#gate = new ReadGate(socket, clock);
    socket.on('message', (message: Buffer) => this.#receive(message));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#closed());
  }

  /** Aborts when the socket is closed, by whichever side. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** What the client sends on a channel; messages on channels that nobody reads are dropped. */
  readable(channel: number): Readable {
    const reader = new Readable({
      highWaterMark: MAX_UNREAD_BYTES,
      read: () => this.#gate.goOnFor(reader),
      destroy: (error, done) => {
        this.#readers.delete(channel);
        this.#gate.goOnFor(reader);
        done(error);
      },
    });
    reader.on('error', () => {});
    this.#readers.set(channel, reader);
    return reader;
  }

  writable(channel: number): Writable {
    const writer = new Writable({
      highWaterMark: MAX_UNSENT_BYTES,
      write: (chunk: Buffer, _encoding, done) => this.#write(channel, chunk, done),
    });
    writer.on('error', () => {});
    return writer;
  }

  /** One message; resolves when it has gone out, or never will. */
  send(channel: number, data: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#write(channel, data, () => resolve());
    });
  }

  /** Everything was said. */
  close(): void {
    this.#socket.close(NORMAL_CLOSURE);
  }

  #write(channel: number, data: Buffer, done: (error?: Error | null) => void): void {
    const isBinary = !this.#format.isBase64;
    const message = isBinary
      ? Buffer.concat([Buffer.from([channel]), data])
      : `${String.fromCodePoint(DIGIT_ZERO + channel)}${data.toString('base64')}`;
    this.#socket.send(message, { binary: isBinary }, done);
  }

  #receive(message: Buffer): void {
    const [first] = message;
    if (first === undefined) return;
    if (this.#format.hasHalfClose && first === CLOSE_CHANNEL) return this.#endChannel(message);
    const channel = this.#format.isBase64 ? first - DIGIT_ZERO : first;
    const reader = this.#readers.get(channel);
    if (!reader) return;
    const content = message.subarray(1);
    const data = this.#format.isBase64 ? Buffer.from(content.toString('latin1'), 'base64') : content;
    if (data.length > 0 && !reader.push(data)) this.#gate.stopFor(reader);
  }

  #endChannel(message: Buffer): void {
    const [, channel] = message;
    if (message.length !== 2 || channel === undefined) return this.#socket.close(PROTOCOL_ERROR);
    const reader = this.#readers.get(channel);
    // No longer listed: what the client sends after its end is dropped.
    this.#readers.delete(channel);
    reader?.push(null);
  }

  #closed(): void {
    this.#gate[Symbol.dispose]();
    for (const reader of this.#readers.values()) reader.destroy(new Error('the client is gone'));
    this.#gone.abort();
  }
}
