/**
 * One stream of a SPDY connection as a Duplex. Writing waits until the transport has taken each piece; what is not
 * read holds up the whole connection once `MAX_UNREAD_BYTES` wait here, as there are no flow-control windows.
 *
 * Ending the writable side half-closes the stream; destroying it before both sides have ended resets it.
 */
import { Duplex } from 'node:stream';
import type { StreamHeaders } from '#runtime/kubelet/spdy/header-block.ts';

/** What one stream keeps for a slow reader before the connection stops reading. */
const MAX_UNREAD_BYTES = 64 * 1024;

/** Longest payload that we send in one frame. */
const MAX_PAYLOAD_BYTES = 32 * 1024;

/** The way out of a stream: frames on the transport. */
export interface StreamOutlet {
  /** `sent` is called once the transport has taken the frame. */
  sendData(
    streamId: number,
    payload: Buffer,
    options: { isFinal: boolean },
    sent: (error?: Error | null) => void,
  ): void;
  /** The stream is no more; `isWhole` when both sides ended by themselves. */
  forget(streamId: number, options: { isWhole: boolean }): void;
}

export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: StreamHeaders;
  readonly #outlet: StreamOutlet;
  #isRemoteDone = false;
  #isLocalDone = false;
  #onWanted: (() => void) | undefined;

  constructor(id: number, headers: StreamHeaders, outlet: StreamOutlet) {
    super({ highWaterMark: MAX_UNREAD_BYTES, allowHalfOpen: true });
    this.id = id;
    this.headers = headers;
    this.#outlet = outlet;
    // Whoever uses the stream hears of errors where it uses it; a reset that nobody waits for is no accident.
    this.on('error', () => {});
  }

  /** False once the other side has said that there is no more. */
  get isOpenForReceiving(): boolean {
    return !this.#isRemoteDone;
  }

  /** Takes what came in; a promise when the reader is behind, fulfilled when it has caught up. */
  receive(payload: Buffer): Promise<void> | undefined {
    if (this.destroyed || payload.length === 0 || this.push(payload)) return undefined;
    return new Promise((resolve) => {
      this.#onWanted = resolve;
    });
  }

  /** The other side ended its half. */
  receiveEnd(): void {
    if (this.#isRemoteDone) return;
    this.#isRemoteDone = true;
    this.push(null);
  }

  /** The other side wants nothing more of this stream, or the connection is gone. */
  receiveReset(error?: Error): void {
    this.#isRemoteDone = true;
    this.#isLocalDone = true;
    this.destroy(error);
  }

  override _read(): void {
    this.#wake();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const payload = chunk.subarray(0, MAX_PAYLOAD_BYTES);
    const rest = chunk.subarray(payload.length);
    this.#outlet.sendData(this.id, payload, { isFinal: false }, (error) => {
      if (error || rest.length === 0) done(error);
      else this._write(rest, _encoding, done);
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#isLocalDone = true;
    this.#outlet.sendData(this.id, Buffer.alloc(0), { isFinal: true }, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#wake();
    this.#outlet.forget(this.id, { isWhole: this.#isRemoteDone && this.#isLocalDone });
    done(error);
  }

  #wake(): void {
    const wanted = this.#onWanted;
    this.#onWanted = undefined;
    wanted?.();
  }
}
