/**
 * A connection to a server that speaks HTTP/1.1: one request at a time, kept for the next one when the message
 * allows it beyond doubt.
 *
 * A connection that carried a request before and then closes before any octet of an answer is `stale`: its server
 * had closed it while our request was on the way. Whoever sent the request may send it again, once.
 */
import { BodyReader } from '#dataplane/proxy/body.ts';
import { sendChunk, sendLastChunk } from '#dataplane/proxy/chunk-writer.ts';
import type { ResponseReceiver, Upstream, UpstreamFailure, UpstreamRequest } from '#dataplane/proxy/exchange.ts';
import { HeldBytes, mayEndHead } from '#dataplane/proxy/held-bytes.ts';
import { MAX_INTERIM_RESPONSES, MAX_RESPONSE_HEAD_BYTES } from '#dataplane/proxy/limits.ts';
import { INCOMPLETE } from '#dataplane/proxy/refusal.ts';
import type { ResponseHead } from '#dataplane/proxy/response-head.ts';
import type { Wire, WireOwner } from '#dataplane/proxy/wire.ts';

/** Where a connection goes when its request is done. */
export interface ConnectionHome {
  /** Where every answer's head of the thread is parsed. */
  readonly head: ResponseHead;
  onFree(connection: UpstreamConnection): void;
  onGone(connection: UpstreamConnection): void;
}

const TOO_LARGE = `net/http: HTTP/1.x transport connection broken: net/http: server response headers exceeded ${MAX_RESPONSE_HEAD_BYTES} bytes; aborted`;

export class UpstreamConnection implements WireOwner, Upstream {
  reused = false;
  readonly #wire: Wire;
  readonly #home: ConnectionHome;
  readonly #body = new BodyReader();
  readonly #held = new HeldBytes();
  #receiver: ResponseReceiver | undefined;
  #request: UpstreamRequest | undefined;
  #requestDone = true;
  #answered = false;
  #interims = 0;
  #inBody = false;
  #keepAlive = false;
  #gone = false;

  constructor(wire: Wire, home: ConnectionHome) {
    this.#wire = wire;
    this.#home = home;
    wire.owner = this;
  }

  get congested(): boolean {
    return this.#wire.congested;
  }

  get localPort(): number {
    return Number(Reflect.get(this.#wire.socket, 'localPort') ?? 0);
  }

  begin(request: UpstreamRequest, receiver: ResponseReceiver): void {
    this.#receiver = receiver;
    this.#request = request;
    this.#requestDone = request.body === 'none';
    this.#answered = this.#inBody = this.#keepAlive = false;
    this.#interims = 0;
    this.#wire.sendStable(request.head);
  }

  sendBody(buf: Buffer, start: number, end: number): void {
    if (this.#request?.body === 'chunked') sendChunk(this.#wire, buf, start, end);
    else this.#wire.send(buf, start, end);
  }

  sendEnd(trailers: Buffer | undefined): void {
    if (this.#request?.body === 'chunked') sendLastChunk(this.#wire, trailers);
    this.#requestDone = true;
  }

  flush(): void {
    this.#wire.flush();
  }

  pause(): void {
    this.#wire.pause();
  }

  resume(): void {
    this.#wire.resume();
  }

  abort(): void {
    this.#receiver = undefined;
    this.destroy();
  }

  destroy(): void {
    this.#wire.destroy();
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    // Nothing may come unasked: what it would be taken for is the answer to the next request.
    if (!this.#receiver) return this.destroy();
    this.#answered = true;
    if (this.#held.length > 0) {
      const from = this.#held.length;
      this.#held.append(buf, start, end);
      const { length } = this.#held;
      if (length > MAX_RESPONSE_HEAD_BYTES || mayEndHead(this.#held.buf, from, length))
        this.#read(this.#held.buf, 0, length);
    } else this.#read(buf, start, end);
    this.#receiver?.onResponseFlush();
    return undefined;
  }

  #read(buf: Buffer, start: number, end: number): void {
    let p = start;
    while (p < end && this.#receiver) {
      const before = p;
      p = this.#inBody ? this.#readBody(buf, p, end) : this.#readHead(buf, p, end);
      if (p === before) break;
    }
    if (this.#inBody || !this.#receiver) this.#held.consume(this.#held.length);
    else if (this.#held.length > 0) this.#held.consume(p);
    else if (p < end) this.#held.append(buf, p, end);
  }

  #readHead(buf: Buffer, start: number, end: number): number {
    const { head } = this.#home;
    const result = head.parse(buf, { start, end }, this.#request?.isHead ? 'head' : 'other');
    const size = (result === INCOMPLETE ? end : head.end) - start;
    if (size > MAX_RESPONSE_HEAD_BYTES) return this.#fail({ kind: 'malformed', detail: TOO_LARGE }, end);
    if (result === INCOMPLETE) return start;
    if (result !== 'complete') return this.#fail({ kind: 'malformed', detail: result.malformed }, end);
    if (head.status === 101) return this.#switch(head, buf, end);
    if (head.isInterim) return this.#interim(head, end);
    this.#inBody = true;
    this.#keepAlive = head.keepAlive;
    this.#body.begin(head.framing, head.contentLength);
    const { end: headEnd } = head;
    this.#receiver?.onHead(head);
    if (this.#body.done) this.#endAnswer(headEnd === end);
    return headEnd;
  }

  #interim(head: ResponseHead, end: number): number {
    this.#interims += 1;
    if (this.#interims > MAX_INTERIM_RESPONSES)
      return this.#fail({ kind: 'malformed', detail: 'too many 1xx informational responses' }, end);
    const { end: headEnd } = head;
    this.#receiver?.onInterim(head);
    return headEnd;
  }

  #switch(head: ResponseHead, buf: Buffer, end: number): number {
    if (!this.#request?.wantsUpgrade || !this.#requestDone)
      return this.#fail({ kind: 'malformed', detail: 'unexpected 101 Switching Protocols' }, end);
    const receiver = this.#receiver;
    const unread = Buffer.from(buf.subarray(head.end, end));
    this.#receiver = undefined;
    this.#leave();
    receiver?.onSwitch(head, this.#wire, unread);
    return end;
  }

  #readBody(buf: Buffer, start: number, end: number): number {
    const body = this.#body;
    const taken = body.feed(buf, start, end);
    if (body.payloadEnd > body.payloadStart) this.#receiver?.onResponseBody(buf, body.payloadStart, body.payloadEnd);
    if (body.failed) return this.#fail({ kind: 'malformed', detail: `malformed body: ${body.failed.cause}` }, end);
    if (body.done) this.#endAnswer(taken === end);
    return taken;
  }

  /** The answer is complete; `clean`: and nothing came behind it. */
  #endAnswer(clean: boolean): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    this.#receiver = undefined;
    this.#inBody = false;
    const isReusable = clean && this.#keepAlive && this.#requestDone && this.#body.framing !== 'close';
    // Free before the receiver hears of it: the request that comes next may take it.
    if (isReusable && !this.#gone) {
      this.reused = true;
      this.#wire.resume();
      this.#home.onFree(this);
    }
    receiver.onResponseEnd(this.#body.trailers);
    if (!isReusable) this.destroy();
  }

  #fail(failure: UpstreamFailure, end: number): number {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.destroy();
    receiver?.onUpstreamFailure(failure);
    return end;
  }

  onEnd(): void {
    if (this.#receiver && this.#inBody && this.#body.finish()) this.#endAnswer(false);
    else if (this.#receiver) this.#fail({ kind: this.#unanswered('closed'), detail: '' }, 0);
    this.destroy();
  }

  onClose(error: Error | undefined): void {
    this.#leave();
    if (this.#receiver) this.#fail({ kind: this.#unanswered(error ? 'reset' : 'closed'), detail: '', error }, 0);
  }

  #unanswered(kind: 'closed' | 'reset'): UpstreamFailure['kind'] {
    return this.reused && !this.#answered ? 'stale' : kind;
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#home.onGone(this);
  }

  onDrain(): void {
    this.#receiver?.onUpstreamDrain();
  }
}
