/**
 * Servers that speak HTTP/2 with prior knowledge (h2c): one session per thread and server, a stream per request.
 * A stream that the server refused, or that a closing session never took, was not processed and may be sent again.
 */
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '#base/clock.ts';
import { Deadline, type Deadlines } from '#dataplane/proxy/deadlines.ts';
import type {
  ResponseReceiver,
  Upstream,
  UpstreamFailure,
  UpstreamRequest,
  UpstreamSource,
  UpstreamUser,
} from '#dataplane/proxy/exchange.ts';
import { FieldNames } from '#dataplane/proxy/fields.ts';
import { answerToH1, fieldsToH2, linesToH2, rawToObject, trailersToH1 } from '#dataplane/proxy/h2-fields.ts';
import { CONNECT_TIMEOUT_MS, MAX_RESPONSE_HEAD_BYTES } from '#dataplane/proxy/limits.ts';
import { RequestHead } from '#dataplane/proxy/request-head.ts';
import type { ResponseHead } from '#dataplane/proxy/response-head.ts';

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_NO_ERROR, NGHTTP2_FLAG_END_STREAM } = http2.constants;

export interface H2SourceContext {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly head: ResponseHead;
  /** Opens the socket of a session. */
  readonly connect: () => Promise<Socket>;
}

interface Heads {
  readonly received: ResponseHead;
  /** Where the heads that are sent are taken apart again. */
  readonly sent: RequestHead;
}

export class H2Source implements UpstreamSource {
  readonly #context: H2SourceContext;
  readonly #heads: Heads;
  #session: ClientHttp2Session | undefined;
  #retired = false;

  constructor(context: H2SourceContext) {
    this.#context = context;
    this.#heads = { received: context.head, sent: new RequestHead(new FieldNames()) };
  }

  take(): Upstream | undefined {
    const session = this.#session;
    return session && !session.closed && !session.destroyed
      ? new H2Upstream(session, this.#heads, 'reused')
      : undefined;
  }

  connect(user: UpstreamUser): Disposable {
    const attempt = { user: user as UpstreamUser | undefined };
    const failed = (error: Error | undefined, detail = '') => {
      this.#context.deadlines.cancel(deadline);
      const waiting = attempt.user;
      attempt.user = undefined;
      waiting?.onConnectFailed({ kind: 'refused', detail, error });
    };
    const deadline = new Deadline(() => failed(undefined, 'i/o timeout'));
    this.#context.deadlines.set(deadline, CONNECT_TIMEOUT_MS, this.#context.clock.monotonicMs());
    this.#context.connect().then(
      (socket) => {
        this.#context.deadlines.cancel(deadline);
        const session = this.#open(socket);
        attempt.user?.onConnected(new H2Upstream(session, this.#heads, 'fresh'));
      },
      (error: unknown) => failed(error as Error),
    );
    return {
      [Symbol.dispose]: () => {
        attempt.user = undefined;
        this.#context.deadlines.cancel(deadline);
      },
    };
  }

  retire(): void {
    this.#retired = true;
    this.#session?.close();
    this.#session = undefined;
  }

  #open(socket: Socket): ClientHttp2Session {
    const session = http2.connect('http://upstream', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: 256 * 1024 },
      maxSendHeaderBlockLength: MAX_RESPONSE_HEAD_BYTES,
    });
    session.on('error', () => session.destroy());
    session.on('goaway', () => this.#forget(session));
    session.on('close', () => this.#forget(session));
    if (this.#retired) session.close();
    else this.#session ??= session;
    return session;
  }

  #forget(session: ClientHttp2Session): void {
    if (this.#session === session) this.#session = undefined;
  }
}

class H2Upstream implements Upstream {
  readonly reused: boolean;
  readonly #session: ClientHttp2Session;
  readonly #head: ResponseHead;
  readonly #sentHead: RequestHead;
  #stream: ClientHttp2Stream | undefined;
  #receiver: ResponseReceiver | undefined;
  #answered = false;
  #requestTrailers: string[] = [];
  #answerTrailers: Buffer | undefined;

  constructor(session: ClientHttp2Session, heads: Heads, kind: 'fresh' | 'reused') {
    this.#session = session;
    this.#head = heads.received;
    this.#sentHead = heads.sent;
    this.reused = kind === 'reused';
  }

  get congested(): boolean {
    return this.#stream?.writableNeedDrain ?? false;
  }

  get localPort(): number {
    return 0;
  }

  begin(request: UpstreamRequest, receiver: ResponseReceiver): void {
    this.#receiver = receiver;
    const sentHead = this.#sentHead;
    sentHead.parse(request.head, 0, request.head.length);
    const raw = [':method', sentHead.method, ':path', sentHead.path, ':scheme', 'http', ':authority', sentHead.host];
    const endStream = request.body === 'none';
    const options = endStream ? { endStream } : { waitForTrailers: true };
    const stream = this.#session.request([...raw, ...fieldsToH2(sentHead)], options);
    this.#stream = stream;
    stream.on('wantTrailers', () => {
      // A request that was dropped must not end in order.
      if (this.#receiver) stream.sendTrailers(rawToObject(this.#requestTrailers));
    });
    stream.on('headers', (_headers: object, _flags: number, raw: string[]) => this.#interim(raw, request));
    stream.on('response', (_headers: object, flags: number, raw: string[]) => this.#response(raw, flags, request));
    stream.on('trailers', (_headers: object, _flags: number, raw: string[]) => {
      this.#answerTrailers = trailersToH1(raw);
    });
    stream.on('drain', () => this.#receiver?.onUpstreamDrain());
    stream.on('error', () => {});
    stream.on('close', () => this.#closed(stream.rstCode));
  }

  #interim(raw: readonly string[], request: UpstreamRequest): void {
    if (this.#parse(answerToH1({ raw, ended: true }), request)) this.#receiver?.onInterim(this.#head);
  }

  #response(raw: readonly string[], flags: number, request: UpstreamRequest): void {
    this.#answered = true;
    const ended = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
    if (!this.#parse(answerToH1({ raw, ended }), request)) return;
    if (ended) this.#head.framing = 'none';
    this.#receiver?.onHead(this.#head);
    this.#receiver?.onResponseFlush();
    const stream = this.#stream;
    stream?.on('data', (chunk: Buffer) => {
      this.#receiver?.onResponseBody(chunk, 0, chunk.length);
      this.#receiver?.onResponseFlush();
    });
    stream?.on('end', () => this.#ended());
  }

  #parse(bytes: Buffer, request: UpstreamRequest): boolean {
    const result = this.#head.parse(bytes, { start: 0, end: bytes.length }, request.isHead ? 'head' : 'other');
    if (result === 'complete') return true;
    this.#fail({
      kind: 'malformed',
      detail: typeof result === 'string' ? 'malformed HTTP/2 response' : result.malformed,
    });
    return false;
  }

  #ended(): void {
    const receiver = this.#receiver;
    // A stream that was reset ends too.
    if (this.#stream?.rstCode !== NGHTTP2_NO_ERROR || this.#stream.aborted) return;
    this.#receiver = undefined;
    receiver?.onResponseEnd(this.#answerTrailers);
  }

  #closed(rstCode: number | undefined): void {
    if (!this.#receiver) return;
    const isUntouched =
      !this.#answered && (rstCode === NGHTTP2_REFUSED_STREAM || (this.reused && this.#session.closed));
    this.#fail({ kind: isUntouched ? 'stale' : 'closed', detail: '' });
  }

  #fail(failure: UpstreamFailure): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#stream?.close(NGHTTP2_CANCEL);
    receiver?.onUpstreamFailure(failure);
  }

  sendBody(buf: Buffer, start: number, end: number): void {
    this.#stream?.write(Buffer.from(buf.subarray(start, end)));
  }

  sendEnd(trailers: Buffer | undefined): void {
    if (trailers) this.#requestTrailers = linesToH2(trailers);
    this.#stream?.end();
  }

  flush(): void {}

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  abort(): void {
    this.#receiver = undefined;
    this.#stream?.close(NGHTTP2_CANCEL);
  }
}
