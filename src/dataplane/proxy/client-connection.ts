/**
 * A client that speaks HTTP/1.1 (or 1.0): reads its requests one after another, shows each to the service, and
 * writes the answers in the same order.
 *
 *     head ──▶ body ──▶ answering ──▶ head …         (keep-alive)
 *       │        │           └──────▶ closing        (close, refusal, unread body)
 *       └────────┴── refusal ───────▶ closing
 *
 * Guarantees: one request at a time, pipelined ones wait unread; a message that is not understood to the last octet
 * is refused and the connection closed; what is held is bounded by `HELD_BYTES` and one read. A client that ends its
 * side while its request runs is gone, as for Go's server and Envoy, unless the request said `Connection: close`.
 */
import type { Clock } from '#base/clock.ts';
import { type AfterAnswer, AnswerWriter } from '#dataplane/proxy/answer-writer.ts';
import { BodyReader } from '#dataplane/proxy/body.ts';
import { CR, LF } from '#dataplane/proxy/bytes.ts';
import { Deadline, type Deadlines } from '#dataplane/proxy/deadlines.ts';
import type { Downstream, LocalAnswer, Peer, RequestReceiver, Service, Switched } from '#dataplane/proxy/exchange.ts';
import { HeldBytes, mayEndHead } from '#dataplane/proxy/held-bytes.ts';
import {
  FIRST_REQUEST_GRACE_MS,
  HELD_BYTES,
  IDLE_CLIENT_TIMEOUT_MS,
  LINGER_BYTES,
  LINGER_MS,
  MAX_REQUEST_HEAD_BYTES,
  SLOW_HEAD_TIMEOUT_MS,
  STALLED_WRITE_TIMEOUT_MS,
} from '#dataplane/proxy/limits.ts';
import type { DateLine } from '#dataplane/proxy/local-answer.ts';
import { INCOMPLETE, type Refusal, REFUSALS } from '#dataplane/proxy/refusal.ts';
import type { RequestHead } from '#dataplane/proxy/request-head.ts';
import { isPreface, PREFACE } from '#dataplane/proxy/preface.ts';
import type { Range, ResponseHead } from '#dataplane/proxy/response-head.ts';
import type { Wire, WireOwner } from '#dataplane/proxy/wire.ts';

/** What the client connections of one thread share. */
export interface ClientContext {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly date: DateLine;
  /** Where every head of the thread is parsed. */
  readonly head: RequestHead;
  readonly service: Service;
  /** Called once, when the connection is gone or belongs to a tunnel. */
  readonly onClosed: (connection: ClientConnection) => void;
  readonly onRefused: (refusal: Refusal) => void;
  /** A client that speaks HTTP/2 from its first octet: `unread` is what came of it. */
  readonly onPreface: (wire: Wire, peer: Peer, unread: Buffer) => void;
  /** The process is going away: no connection is kept for another request. */
  readonly isDraining: () => boolean;
}

type Phase = 'head' | 'body' | 'answering' | 'closing' | 'switched';

export class ClientConnection implements WireOwner, Downstream {
  readonly peer: Peer;
  readonly #wire: Wire;
  readonly #context: ClientContext;
  readonly #answer: AnswerWriter;
  readonly #body = new BodyReader();
  readonly #held = new HeldBytes();
  readonly #deadline: Deadline;
  #phase: Phase = 'head';
  #receiver: RequestReceiver | undefined;
  #bodyWanted = false;
  #processing = false;
  /** Held octets up to here were searched for the end of a head. */
  #searched = 0;
  #skippedEmptyLine = false;
  #served = 0;
  /** Octets read only to be thrown away. */
  #discarded = 0;
  /** What a closing connection had unwritten when last looked at. */
  #unwritten = 0;
  #after: AfterAnswer = 'keep';
  #answerBegun = false;
  #answerDone = true;

  constructor(wire: Wire, peer: Peer, context: ClientContext) {
    this.#wire = wire;
    this.peer = peer;
    this.#context = context;
    this.#answer = new AnswerWriter(wire, context.date);
    this.#deadline = new Deadline(() => this.#expire());
    wire.owner = this;
    this.#wait(SLOW_HEAD_TIMEOUT_MS);
  }

  get requestComplete(): boolean {
    return this.#body.done;
  }

  get congested(): boolean {
    return this.#wire.congested;
  }

  /** No request is being received or answered. */
  get idle(): boolean {
    return this.#phase === 'head' && this.#held.length === 0;
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

  onBytes(buf: Buffer, start: number, end: number): void {
    if (this.#phase === 'closing') return this.#countDiscarded(end - start);
    if (this.#held.length > 0) {
      this.#hold(buf, start, end);
      this.#processHeld();
    } else {
      const taken = this.#process(buf, start, end);
      if (taken < end) this.#hold(buf, taken, end);
    }
    this.#wire.flush();
    return undefined;
  }

  /** Takes as much as the state allows; answers how far it came. */
  #process(buf: Buffer, start: number, end: number): number {
    this.#processing = true;
    let p = start;
    while (p < end) {
      const before = p;
      if (this.#phase === 'head') p = this.#readHead(buf, p, end);
      else if (this.#phase === 'body' && this.#bodyWanted) p = this.#readBody(buf, p, end);
      if (p === before) break;
    }
    this.#processing = false;
    this.#receiver?.onBodyFlush();
    return p;
  }

  #processHeld(): void {
    const { buf, length } = this.#held;
    if (length === 0 || this.#processing) return;
    if (this.#phase === 'head' && !this.#headMayBeComplete(length)) return;
    const taken = this.#process(buf, 0, length);
    this.#held.consume(taken);
    this.#searched = this.#phase === 'head' ? this.#held.length : 0;
    if (this.#held.length <= HELD_BYTES) this.#wire.resume();
  }

  #hold(buf: Buffer, start: number, end: number): void {
    if (this.#phase === 'closing') return;
    if (this.#held.length === 0) this.#searched = this.#phase === 'head' ? end - start : 0;
    this.#held.append(buf, start, end);
    if (this.#phase !== 'head' && this.#held.length > HELD_BYTES) this.#wire.pause();
  }

  /** A head is parsed again only when it may be complete or wrong, so that a drip costs no more than its octets. */
  #headMayBeComplete(length: number): boolean {
    const from = this.#searched;
    this.#searched = length;
    return length > MAX_REQUEST_HEAD_BYTES || mayEndHead(this.#held.buf, from, length);
  }

  #readHead(buf: Buffer, start: number, end: number): number {
    const at = this.#skipEmptyLine(buf, start, end);
    if (at >= end || (end - at === 1 && buf[at] === CR)) return at;
    const { head } = this.#context;
    const result = head.parse(buf, at, end);
    if (result !== 'complete' && result !== INCOMPLETE) return this.#refuseHead(result, buf, { start: at, end });
    const size = (result === INCOMPLETE ? end : head.end) - at;
    if (size > MAX_REQUEST_HEAD_BYTES) return this.#refuse(REFUSALS.tooLarge, end);
    if (result === INCOMPLETE) {
      if (this.idle) this.#wait(SLOW_HEAD_TIMEOUT_MS);
      return at;
    }
    this.#beginRequest(head);
    return head.end;
  }

  #refuseHead(refusal: Refusal, buf: Buffer, { start, end }: Range): number {
    if (this.#served > 0 || !isPreface(buf, start, end)) return this.#refuse(refusal, end);
    if (end - start < PREFACE.length) return start;
    this.#phase = 'switched';
    this.#context.deadlines.cancel(this.#deadline);
    this.#context.onClosed(this);
    this.#context.onPreface(this.#wire, this.peer, Buffer.from(buf.subarray(start, end)));
    return end;
  }

  /** One empty line ahead of a request is an old client's habit (RFC 9112 2.2); more are refused. */
  #skipEmptyLine(buf: Buffer, start: number, end: number): number {
    if (this.#skippedEmptyLine || end - start < 2 || buf[start] !== CR || buf[start + 1] !== LF) return start;
    this.#skippedEmptyLine = true;
    return start + 2;
  }

  #beginRequest(head: RequestHead): void {
    this.#context.deadlines.cancel(this.#deadline);
    this.#served += 1;
    this.#skippedEmptyLine = false;
    this.#after = head.keepAlive ? 'keep' : 'close';
    this.#answer.begin(head.minorVersion, head.isHead);
    this.#answerBegun = this.#answerDone = false;
    this.#bodyWanted = false;
    this.#body.begin(head.framing, head.contentLength);
    this.#phase = this.#body.done ? 'answering' : 'body';
    if (head.form === 'asterisk') return this.sendLocal({ status: 200 });
    const receiver = this.#context.service.onRequest(this, head);
    if (!this.#answerDone) this.#receiver = receiver;
    return undefined;
  }

  #readBody(buf: Buffer, start: number, end: number): number {
    const body = this.#body;
    const taken = body.feed(buf, start, end);
    if (this.#receiver === undefined) this.#countDiscarded(taken - start);
    else if (body.payloadEnd > body.payloadStart) this.#receiver.onBody(buf, body.payloadStart, body.payloadEnd);
    if (body.failed) return this.#failBody(body.failed, end);
    if (body.done) this.#bodyDone();
    return taken;
  }

  #bodyDone(): void {
    if (this.#phase !== 'body') return;
    this.#phase = 'answering';
    this.#receiver?.onBodyEnd(this.#body.trailers);
    if (this.#answerDone && this.#phase === 'answering') this.#nextRequest();
  }

  #failBody(refusal: Refusal, end: number): number {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.onClientGone();
    if (!this.#answerBegun) return this.#refuse(refusal, end);
    this.#phase = 'closing';
    this.#wire.destroy();
    return end;
  }

  #refuse(refusal: Refusal, end: number): number {
    this.#context.onRefused(refusal);
    this.#wire.sendStable(refusal.answer);
    this.#close();
    return end;
  }

  // ── the request's body, as the receiver wants it ─────────────────────────────────────────────────────────────

  readBody(): void {
    this.#bodyWanted = true;
    if (this.#processing) return;
    this.#processHeld();
    if (this.#phase === 'body' && this.#bodyWanted) this.#wire.resume();
  }

  pauseBody(): void {
    this.#bodyWanted = false;
    if (this.#phase === 'body') this.#wire.pause();
  }

  // ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

  sendInterim(head: ResponseHead): void {
    this.#answer.interim(head);
  }

  sendHead(head: ResponseHead, additions: string): void {
    this.#answerBegun = true;
    if (this.#context.isDraining()) this.#after = 'close';
    this.#after = this.#answer.head(head, additions, this.#after);
  }

  sendBody(buf: Buffer, start: number, end: number): void {
    this.#answer.body(buf, start, end);
  }

  sendEnd(trailers: Buffer | undefined): void {
    this.#answer.end(trailers);
    this.#finish();
  }

  sendLocal(answer: LocalAnswer): void {
    this.#answerBegun = true;
    if (!this.#body.done || this.#context.isDraining()) this.#after = 'close';
    this.#answer.local(answer, this.#after);
    this.#finish();
  }

  flush(): void {
    this.#wire.flush();
  }

  abort(): void {
    this.#receiver = undefined;
    this.#wire.flush();
    this.#wire.destroy();
  }

  switchProtocols(head: ResponseHead): Switched {
    this.#phase = 'switched';
    this.#receiver = undefined;
    this.#answer.switching(head);
    this.#context.onClosed(this);
    return { wire: this.#wire, unread: this.#held.take() };
  }

  #finish(): void {
    this.#answerDone = true;
    this.#receiver = undefined;
    if (this.#phase === 'answering') return this.#nextRequest();
    this.#wire.flush();
    if (this.#after === 'close') return this.#close();
    // The answer was complete before the request was: read on for a while, to keep the connection.
    this.#discarded = 0;
    this.#wait(LINGER_MS);
    return this.readBody();
  }

  #nextRequest(): void {
    if (this.#after === 'close') return this.#close();
    this.#phase = 'head';
    this.#wait(IDLE_CLIENT_TIMEOUT_MS);
    if (this.#processing) return undefined;
    this.#wire.flush();
    this.#searched = 0;
    this.#processHeld();
    if (this.#phase === 'head') this.#wire.resume();
    return undefined;
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Closes our side; reads on for a while, so that the last answer is not lost to a reset. */
  #close(): void {
    if (this.#phase === 'closing') return;
    this.#phase = 'closing';
    this.#discarded = 0;
    if (!this.#processing) this.#held.consume(this.#held.length);
    this.#wire.end();
    this.#wire.resume();
    this.#linger();
  }

  #linger(): void {
    this.#unwritten = this.#wire.unwritten;
    this.#wait(this.#unwritten > 0 ? STALLED_WRITE_TIMEOUT_MS : LINGER_MS);
  }

  /**
   * Closes a connection that waits for another request; one that is served closes after its answer, and one that is
   * new may have its first request on the way.
   */
  closeIfIdle(): void {
    if (this.idle && this.#served > 0) this.#close();
    else if (this.idle) this.#wait(FIRST_REQUEST_GRACE_MS);
  }

  destroy(): void {
    this.#wire.destroy();
  }

  #countDiscarded(count: number): void {
    this.#discarded += count;
    if (this.#discarded > LINGER_BYTES) this.#wire.destroy();
  }

  #wait(periodMs: number): void {
    this.#context.deadlines.set(this.#deadline, periodMs, this.#context.clock.monotonicMs());
  }

  /** A head that does not end, an idle connection, a close that the other side does not finish: gone, without a word. */
  #expire(): void {
    const unwritten = this.#wire.unwritten;
    const isProgressing = this.#phase === 'closing' && this.#unwritten > 0 && unwritten !== this.#unwritten;
    if (isProgressing) this.#linger();
    else this.#wire.destroy();
  }

  onEnd(): void {
    const isHalfClosed = this.#receiver !== undefined && this.#body.done && this.#after === 'close';
    if (isHalfClosed) return;
    if (this.#receiver || this.#phase === 'body') this.#wire.destroy();
    else this.#close();
  }

  onClose(): void {
    this.#context.deadlines.cancel(this.#deadline);
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (this.#phase === 'switched') return;
    this.#phase = 'closing';
    receiver?.onClientGone();
    this.#context.onClosed(this);
  }

  onDrain(): void {
    this.#receiver?.onClientDrain();
  }
}
