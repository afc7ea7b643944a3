/** Writes answers to an HTTP/1.1 or 1.0 client: heads, and bodies in the framing that the client understands. */
import { sendChunk, sendLastChunk } from '#dataplane/proxy/chunk-writer.ts';
import { ANSWER_EXTRA_BYTES, composeAnswer } from '#dataplane/proxy/compose.ts';
import type { LocalAnswer } from '#dataplane/proxy/exchange.ts';
import { type DateLine, localHead } from '#dataplane/proxy/local-answer.ts';
import type { ResponseHead } from '#dataplane/proxy/response-head.ts';
import type { Slab } from '#dataplane/proxy/slab.ts';
import type { Wire } from '#dataplane/proxy/wire.ts';

export type AfterAnswer = 'keep' | 'close';

const CHUNKED = Buffer.from('Transfer-Encoding: chunked\r\n');
/** An HTTP/2 server may say nothing of a length and send nothing; a client of HTTP/1.1 must be told. */
const EMPTY = Buffer.from('Content-Length: 0\r\n');
const CLOSE = Buffer.from('Connection: close\r\n');
const KEEP_ALIVE = Buffer.from('Connection: keep-alive\r\n');
const SWITCH = Buffer.from('Connection: Upgrade\r\n');
const CRLF = Buffer.from('\r\n');

export class AnswerWriter {
  readonly #wire: Wire;
  readonly #date: DateLine;
  #minorVersion = 1;
  #isHead = false;
  #shape: 'none' | 'length' | 'chunked' | 'close' = 'none';

  constructor(wire: Wire, date: DateLine) {
    this.#wire = wire;
    this.#date = date;
  }

  /** The request that is answered next. */
  begin(minorVersion: number, isHead: boolean): void {
    this.#minorVersion = minorVersion;
    this.#isHead = isHead;
  }

  interim(head: ResponseHead): void {
    if (this.#minorVersion === 0) return;
    this.#bodiless(head);
  }

  switching(head: ResponseHead): void {
    this.#bodiless(head, SWITCH);
  }

  #bodiless(head: ResponseHead, addition?: Buffer): void {
    const slab = this.#wire.room(head.end - head.start + ANSWER_EXTRA_BYTES);
    composeAnswer(slab, head, { clientMinorVersion: 1, body: 'none' });
    if (addition) slab.put(addition);
    slab.put(CRLF);
    this.#wire.commit();
    this.#wire.flush();
  }

  /** Writes the head of the final answer; says what must become of the connection. */
  head(head: ResponseHead, additions: string, after: AfterAnswer): AfterAnswer {
    this.#shape = this.#bodyShape(head);
    const effective = this.#shape === 'close' ? 'close' : after;
    const slab = this.#wire.room(head.end - head.start + ANSWER_EXTRA_BYTES + additions.length);
    composeAnswer(slab, head, { clientMinorVersion: this.#minorVersion, body: this.#shape });
    if (this.#shape === 'chunked') slab.put(CHUNKED);
    else if (this.#shape === 'none' && !head.hasLength && this.#mayHaveBody(head.status)) slab.put(EMPTY);
    if (!head.hasDate) slab.put(this.#date.line);
    if (additions !== '') slab.text(additions);
    this.#endHead(slab, effective);
    return effective;
  }

  #mayHaveBody(status: number): boolean {
    return !this.#isHead && status !== 204 && status !== 304;
  }

  #endHead(slab: Slab, after: AfterAnswer): void {
    if (after === 'close') slab.put(CLOSE);
    else if (this.#minorVersion === 0) slab.put(KEEP_ALIVE);
    slab.put(CRLF);
    this.#wire.commit();
  }

  #bodyShape(head: ResponseHead): 'none' | 'length' | 'chunked' | 'close' {
    if (this.#isHead || head.framing === 'none') return 'none';
    if (head.framing === 'length') return 'length';
    return this.#minorVersion === 1 ? 'chunked' : 'close';
  }

  body(buf: Buffer, start: number, end: number): void {
    if (this.#shape === 'none' || end <= start) return;
    if (this.#shape === 'chunked') sendChunk(this.#wire, buf, start, end);
    else this.#wire.send(buf, start, end);
  }

  end(trailers: Buffer | undefined): void {
    if (this.#shape === 'chunked') sendLastChunk(this.#wire, trailers);
  }

  local(answer: LocalAnswer, after: AfterAnswer): void {
    const body = Buffer.from(this.#isHead ? '' : (answer.body ?? ''));
    const text = localHead(answer, this.#minorVersion, this.#date.line);
    const slab = this.#wire.room(text.length + ANSWER_EXTRA_BYTES + body.length);
    slab.text(text);
    this.#endHead(slab, after);
    if (body.length > 0) this.#wire.send(body, 0, body.length);
  }
}
