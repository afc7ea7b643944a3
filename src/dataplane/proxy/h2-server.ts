/**
 * Clients that speak HTTP/2, with prior knowledge or by ALPN, through `node:http2`: each stream is one request, shown
 * to the service as any other. Flow control does the backpressure: a body nobody reads is not acknowledged.
 */
import http2, { type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Downstream, LocalAnswer, Peer, RequestReceiver, Service } from '#dataplane/proxy/exchange.ts';
import {
  fieldsToH2,
  linesToH2,
  type RawHeaders,
  rawToObject,
  requestToH1,
  trailersToH1,
} from '#dataplane/proxy/h2-fields.ts';
import { MAX_FIELDS, MAX_H2_INVALID_FRAMES, MAX_H2_STREAMS, MAX_REQUEST_HEAD_BYTES } from '#dataplane/proxy/limits.ts';
import type { DateLine } from '#dataplane/proxy/local-answer.ts';
import { INCOMPLETE, type Refusal, REFUSALS } from '#dataplane/proxy/refusal.ts';
import type { RequestHead } from '#dataplane/proxy/request-head.ts';
import type { ResponseHead } from '#dataplane/proxy/response-head.ts';

const { NGHTTP2_NO_ERROR } = http2.constants;

export interface H2Context {
  readonly head: RequestHead;
  readonly date: DateLine;
  readonly service: Service;
  readonly onRefused: (refusal: Refusal) => void;
}

const SETTINGS = {
  maxConcurrentStreams: MAX_H2_STREAMS,
  maxHeaderListSize: MAX_REQUEST_HEAD_BYTES,
  enablePush: false,
  initialWindowSize: 256 * 1024,
};

/** Serves HTTP/2 on a connection; the answer is the session, to be closed when the process goes away. */
export function serveH2(socket: Socket, peer: Peer, context: H2Context): Http2Session {
  const session = http2.performServerHandshake(socket, {
    settings: SETTINGS,
    maxHeaderListPairs: MAX_FIELDS,
    maxSessionInvalidFrames: MAX_H2_INVALID_FRAMES,
    maxSendHeaderBlockLength: MAX_REQUEST_HEAD_BYTES * 4,
  });
  session.on('error', () => session.destroy());
  socket.on('error', () => session.destroy());
  session.on('stream', (stream: ServerHttp2Stream, _headers: object, _flags: number, raw: string[]) => {
    const downstream = new H2Downstream(stream, peer, context);
    downstream.begin(raw);
  });
  return session;
}

class H2Downstream implements Downstream {
  readonly peer: Peer;
  readonly #stream: ServerHttp2Stream;
  readonly #context: H2Context;
  #receiver: RequestReceiver | undefined;
  #complete = false;
  #answered = false;
  #reading = false;
  #requestTrailers: Buffer | undefined;
  #answerTrailers: RawHeaders = [];

  constructor(stream: ServerHttp2Stream, peer: Peer, context: H2Context) {
    this.#stream = stream;
    this.peer = peer;
    this.#context = context;
    stream.on('error', () => {});
    stream.on('close', () => this.#gone());
    stream.on('drain', () => this.#receiver?.onClientDrain());
    stream.on('wantTrailers', () => stream.sendTrailers(rawToObject(this.#answerTrailers)));
    stream.on('trailers', (_headers: object, _flags: number, raw: string[]) => {
      this.#requestTrailers = trailersToH1(raw);
    });
  }

  begin(raw: readonly string[]): void {
    const ended = this.#stream.endAfterHeaders;
    this.#complete = ended;
    const bytes = requestToH1({ raw, ended });
    if (!bytes) return this.#refuse(REFUSALS.requestLine);
    const { head, service } = this.#context;
    const result = head.parse(bytes, 0, bytes.length);
    if (result === INCOMPLETE) return this.#refuse(REFUSALS.requestLine);
    if (result !== 'complete') return this.#refuse(result);
    if (head.form === 'asterisk') return this.sendLocal({ status: 200 });
    const receiver = service.onRequest(this, head);
    if (!this.#answered) this.#receiver = receiver;
    return undefined;
  }

  #refuse(refusal: Refusal): void {
    this.#context.onRefused(refusal);
    this.sendLocal({ status: refusal.status, body: `${refusal.status} ${refusal.cause}` });
  }

  get requestComplete(): boolean {
    return this.#complete;
  }

  get congested(): boolean {
    return this.#stream.writableNeedDrain;
  }

  readBody(): void {
    if (this.#complete) return;
    if (!this.#reading) {
      this.#reading = true;
      this.#stream.on('data', (chunk: Buffer) => {
        this.#receiver?.onBody(chunk, 0, chunk.length);
        this.#receiver?.onBodyFlush();
      });
      this.#stream.on('end', () => this.#bodyEnds());
    }
    this.#stream.resume();
  }

  #bodyEnds(): void {
    this.#complete = true;
    this.#receiver?.onBodyEnd(this.#requestTrailers);
    this.#receiver?.onBodyFlush();
  }

  pauseBody(): void {
    this.#stream.pause();
  }

  sendInterim(head: ResponseHead): void {
    if (this.#stream.headersSent || this.#stream.destroyed) return;
    this.#stream.additionalHeaders({ ':status': head.status, ...rawToObject(fieldsToH2(head)) });
  }

  sendHead(head: ResponseHead, additions: string): void {
    if (this.#stream.destroyed) return;
    this.#answered = true;
    const raw = [':status', `${head.status}`, ...fieldsToH2(head)];
    if (!head.hasDate) raw.push(...linesToH2(this.#context.date.line));
    if (additions !== '') raw.push(...linesToH2(additions));
    const endStream = head.framing === 'none';
    this.#stream.respond(raw, endStream ? { endStream } : { waitForTrailers: true });
  }

  sendBody(buf: Buffer, start: number, end: number): void {
    if (!this.#stream.destroyed && !this.#stream.writableEnded)
      this.#stream.write(Buffer.from(buf.subarray(start, end)));
  }

  sendEnd(trailers: Buffer | undefined): void {
    this.#receiver = undefined;
    if (trailers) this.#answerTrailers = linesToH2(trailers);
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.end();
    this.#stopReading();
  }

  sendLocal(answer: LocalAnswer): void {
    this.#answered = true;
    this.#receiver = undefined;
    if (this.#stream.destroyed) return;
    const body = Buffer.from(answer.body ?? '');
    const raw = [
      ':status',
      `${answer.status}`,
      ...linesToH2(this.#context.date.line),
      'content-length',
      `${body.length}`,
    ];
    for (const [name, value] of answer.headers ?? []) raw.push(name.toLowerCase(), value);
    this.#stream.respond(raw, { endStream: body.length === 0 });
    if (body.length > 0) this.#stream.end(body);
    this.#stopReading();
  }

  /** The answer is complete; what is left of the request is of no use (RFC 9113 8.1). */
  #stopReading(): void {
    if (this.#complete) return;
    this.#stream.removeAllListeners('data');
    this.#stream.resume();
    this.#stream.once('finish', () => this.#stream.close(NGHTTP2_NO_ERROR));
  }

  flush(): void {}

  abort(): void {
    this.#receiver = undefined;
    // `close` would end the stream in order first, and the client would take the answer for whole.
    this.#stream.destroy(new Error('the answer was cut'));
  }

  switchProtocols(): undefined {
    return undefined;
  }

  #gone(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.onClientGone();
  }
}
