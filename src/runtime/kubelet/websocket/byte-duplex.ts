/** A WebSocket as one stream of bytes: binary messages, whose borders mean nothing. */
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '#base/clock.ts';
import { ReadGate } from '#runtime/kubelet/websocket/read-gate.ts';

const MAX_UNREAD_BYTES = 64 * 1024;
const MAX_UNSENT_BYTES = 64 * 1024;

/** Close codes of RFC 6455. */
const NORMAL_CLOSURE = 1000;
const UNSUPPORTED_DATA = 1003;

export class WebSocketBytes extends Duplex {
  readonly #socket: WebSocket;
  readonly #gate: ReadGate;
  #isClosed = false;

  constructor(socket: WebSocket, clock: Clock) {
    super({ readableHighWaterMark: MAX_UNREAD_BYTES, writableHighWaterMark: MAX_UNSENT_BYTES });
    this.#socket = socket;
    this.#gate = new ReadGate(socket, clock);
    socket.on('message', (message: Buffer, isBinary: boolean) => {
      if (!isBinary) socket.close(UNSUPPORTED_DATA);
      else if (message.length > 0 && !this.push(message)) this.#gate.stopFor(this);
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.#isClosed = true;
      this.push(null);
      this.destroy();
    });
  }

  override _read(): void {
    this.#gate.goOnFor(this);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(chunk, { binary: true }, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.close(NORMAL_CLOSURE);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#gate[Symbol.dispose]();
    if (!this.#isClosed) this.#socket.terminate();
    done(error);
  }
}
