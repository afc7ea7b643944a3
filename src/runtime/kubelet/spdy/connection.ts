/**
 * The server's side of one SPDY connection over any transport. Frames are taken one at a time: while a stream is
 * full, or the client does not fetch its answers, nothing more is read. A client that breaks a rule is told so
 * (GOAWAY) and cut off.
 *
 * While reading is held up a ping goes out now and then: writing is the only way to notice then that the client died.
 */
import type { Duplex } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import { GO_AWAY, RESET, SpdyError } from '#runtime/kubelet/spdy/errors.ts';
import {
  encodeData,
  encodeGoAway,
  encodePing,
  encodeRstStream,
  encodeSynReply,
  type Frame,
  FrameParser,
} from '#runtime/kubelet/spdy/frames.ts';
import { EmptyHeaderWriter, HeaderReader, type StreamHeaders } from '#runtime/kubelet/spdy/header-block.ts';
import { SpdyStream, type StreamOutlet } from '#runtime/kubelet/spdy/stream.ts';

/** Streams open at a time; a forwarded connection has two. */
export const MAX_STREAMS = 2_048;

const PING_PERIOD_MS = 5_000;

/** How long a client may take to close its side after we closed ours. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface SpdyOptions {
  readonly transport: Duplex;
  readonly clock: Clock;
  /** Whether a stream with these headers is wanted; one that is not is reset. */
  readonly accepts: (headers: StreamHeaders) => boolean;
  readonly onStream: (stream: SpdyStream) => void;
}

export class SpdyConnection implements StreamOutlet {
  readonly #transport: Duplex;
  readonly #clock: Clock;
  readonly #accepts: SpdyOptions['accepts'];
  readonly #onStream: SpdyOptions['onStream'];
  readonly #streams = new Map<number, SpdyStream>();
  readonly #headerWriter = new EmptyHeaderWriter();
  #lastStreamId = 0;
  #lastPing = 0;

  constructor({ transport, clock, accepts, onStream }: SpdyOptions) {
    this.#transport = transport;
    this.#clock = clock;
    this.#accepts = accepts;
    this.#onStream = onStream;
    transport.on('error', () => {});
    transport.on('close', () => this.#dropStreams());
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Serves until the connection is closed by either side. Never throws. */
  async run(): Promise<void> {
    using reader = new HeaderReader();
    const parser = new FrameParser();
    try {
      for await (const chunk of this.#transport.iterator({ destroyOnReturn: false })) {
        for (const frame of parser.feed(chunk as Buffer)) {
          await this.#take(frame, reader);
          if (this.#transport.destroyed) return;
        }
      }
    } catch (error) {
      if (error instanceof SpdyError) this.#send(encodeGoAway(this.#lastStreamId, GO_AWAY.protocolError));
    } finally {
      this.#dropStreams();
      this.#end();
    }
  }

  /** Closes once everything that was written has gone out. */
  close(): void {
    this.#send(encodeGoAway(this.#lastStreamId, GO_AWAY.ok));
    this.#end();
  }

  sendData(
    streamId: number,
    payload: Buffer,
    options: { isFinal: boolean },
    sent: (error?: Error | null) => void,
  ): void {
    if (this.#transport.writableEnded || this.#transport.destroyed) return sent(new Error('the connection is closed'));
    this.#transport.write(encodeData(streamId, payload, options), sent);
  }

  forget(streamId: number, { isWhole }: { isWhole: boolean }): void {
    if (this.#streams.delete(streamId) && !isWhole) this.#send(encodeRstStream(streamId, RESET.cancel));
  }

  async #take(frame: Frame, reader: HeaderReader): Promise<void> {
    switch (frame.type) {
      case 'syn-stream':
        this.#open(frame, await reader.read(frame.headerBlock));
        break;
      case 'headers':
        await reader.read(frame.headerBlock);
        if (frame.isFinal) this.#streams.get(frame.streamId)?.receiveEnd();
        break;
      case 'data':
        await this.#receive(frame);
        break;
      case 'rst-stream':
        this.#streams.get(frame.streamId)?.receiveReset();
        break;
      case 'ping':
        // Even numbers answer pings of ours.
        if (frame.id % 2 === 1) this.#send(encodePing(frame.id));
        break;
      case 'go-away':
        // The client closes when its last stream is done.
        break;
    }
    if (this.#transport.writableNeedDrain) await this.#held(untilDrained(this.#transport));
  }

  #open(frame: Frame & { type: 'syn-stream' }, headers: StreamHeaders): void {
    const { streamId } = frame;
    if (streamId % 2 === 0 || streamId <= this.#lastStreamId) {
      throw new SpdyError(`stream ${streamId} is not a new stream of a client`);
    }
    this.#lastStreamId = streamId;
    if (frame.isUnidirectional) return this.#send(encodeRstStream(streamId, RESET.protocolError));
    if (this.#streams.size >= MAX_STREAMS) return this.#send(encodeRstStream(streamId, RESET.refusedStream));
    if (!this.#accepts(headers)) return this.#send(encodeRstStream(streamId, RESET.cancel));
    const stream = new SpdyStream(streamId, headers, this);
    this.#streams.set(streamId, stream);
    // First of all: clients throw away data of a stream that was not answered.
    this.#send(encodeSynReply(streamId, this.#headerWriter.next()));
    if (frame.isFinal) stream.receiveEnd();
    this.#onStream(stream);
  }

  async #receive({ streamId, payload, isFinal }: Frame & { type: 'data' }): Promise<void> {
    const stream = this.#streams.get(streamId);
    if (!stream) {
      if (streamId > this.#lastStreamId) throw new SpdyError(`data for stream ${streamId}, which was never opened`);
      // Sent before the client knew that the stream was closed.
      return;
    }
    if (!stream.isOpenForReceiving) {
      this.#send(encodeRstStream(streamId, RESET.streamAlreadyClosed));
      return stream.receiveReset();
    }
    const caughtUp = stream.receive(payload);
    if (caughtUp) await this.#held(caughtUp);
    if (isFinal) stream.receiveEnd();
  }

  async #held(until: Promise<void>): Promise<void> {
    using _ = this.#clock.every(PING_PERIOD_MS, () => this.#ping());
    await until;
  }

  #ping(): void {
    this.#lastPing += 2;
    this.#send(encodePing(this.#lastPing));
  }

  #send(frame: Buffer): void {
    if (!this.#transport.writableEnded && !this.#transport.destroyed) this.#transport.write(frame);
  }

  #end(): void {
    if (this.#transport.destroyed || this.#transport.writableEnded) return;
    this.#transport.end();
    const timer = this.#clock.after(CLOSE_TIMEOUT_MS, () => this.#transport.destroy(), { unref: true });
    this.#transport.once('close', () => timer.cancel());
  }

  #dropStreams(): void {
    for (const stream of this.#streams.values()) stream.receiveReset(new Error('the connection is closed'));
  }
}

function untilDrained(transport: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      transport.off('drain', done);
      transport.off('close', done);
      resolve();
    };
    transport.on('drain', done);
    transport.on('close', done);
  });
}
