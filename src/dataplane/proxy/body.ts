/**
 * Where a body ends (RFC 9112 6–7): by length, by chunks, or with the connection.
 *
 * `feed` takes what was read and answers which part of it is payload; of a chunked body the payload is moved
 * together in place, so that one read gives one piece whatever its chunks were. Chunk extensions are dropped, chunk
 * lines bounded; trailers are kept as bytes, checked, and handed on without the fields that must not be there.
 */
import { CLASS, CR, HT, hexDigit, LF, SEMICOLON, SP, VALUE } from '#dataplane/proxy/bytes.ts';
import { FIELD, FieldNames, Fields } from '#dataplane/proxy/fields.ts';
import {
  MAX_CHUNK_DIGITS,
  MAX_CHUNK_EXTENSION_BYTES,
  MAX_CHUNK_LINE_BYTES,
  MAX_TRAILER_BYTES,
} from '#dataplane/proxy/limits.ts';
import { INCOMPLETE, type Refusal, REFUSALS } from '#dataplane/proxy/refusal.ts';

export type Framing = 'none' | 'length' | 'chunked' | 'close';

const SIZE = 0;
/** Space behind the size: only an extension may follow. */
const SPACE = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILER = 7;

export class BodyReader {
  /** The whole body was seen. */
  done = true;
  failed: Refusal | undefined;
  /** What `feed` found: payload is `buf[payloadStart, payloadEnd)`. */
  payloadStart = 0;
  payloadEnd = 0;
  /** Field lines of the trailer section without its empty line; undefined when there were none. */
  trailers: Buffer | undefined;
  #framing: Framing = 'none';
  #left = 0;
  #state = SIZE;
  #digits = 0;
  #lineBytes = 0;
  #extensionBytes = 0;
  #trailer: Buffer[] = [];
  #trailerBytes = 0;

  begin(framing: Framing, length: number): void {
    this.#framing = framing;
    this.#left = framing === 'length' ? length : 0;
    this.done = framing === 'none';
    this.failed = undefined;
    this.trailers = undefined;
    this.payloadStart = this.payloadEnd = 0;
    if (framing === 'chunked') this.#beginChunks();
  }

  get framing(): Framing {
    return this.#framing;
  }

  /** Takes `buf[start, end)`; answers how far it went: behind the body's last octet when it is done. */
  feed(buf: Buffer, start: number, end: number): number {
    this.payloadStart = this.payloadEnd = start;
    if (this.done || this.failed) return start;
    if (this.#framing === 'chunked') return this.#feedChunks(buf, start, end);
    if (this.#framing === 'close') {
      this.payloadEnd = end;
      return end;
    }
    const taken = Math.min(this.#left, end - start);
    this.#left -= taken;
    this.done = this.#left === 0;
    this.payloadEnd = start + taken;
    return this.payloadEnd;
  }

  /** The connection ended. True when that is the body's proper end. */
  finish(): boolean {
    if (this.#framing === 'close') this.done = true;
    return this.done;
  }

  #beginChunks(): void {
    this.#state = SIZE;
    this.#digits = this.#lineBytes = this.#extensionBytes = this.#trailerBytes = 0;
    this.#trailer = [];
  }

  #feedChunks(buf: Buffer, start: number, end: number): number {
    let p = start;
    while (p < end && !this.done && !this.failed) {
      if (this.#state === DATA) p = this.#data(buf, p, end);
      else if (this.#state === TRAILER) p = this.#trailerBytesIn(buf, p, end);
      else {
        this.#octet(buf[p] as number);
        p += 1;
      }
    }
    return p;
  }

  #data(buf: Buffer, at: number, end: number): number {
    const taken = Math.min(this.#left, end - at);
    if (this.payloadStart === this.payloadEnd) this.payloadStart = this.payloadEnd = at;
    else if (this.payloadEnd !== at) buf.copyWithin(this.payloadEnd, at, at + taken);
    this.payloadEnd += taken;
    this.#left -= taken;
    if (this.#left === 0) this.#state = DATA_CR;
    return at + taken;
  }

  #octet(octet: number): void {
    switch (this.#state) {
      case SIZE:
        return this.#size(octet);
      case SPACE:
        if (octet === SEMICOLON) this.#state = EXTENSION;
        else if ((octet !== SP && octet !== HT) || this.#isTooLong()) return this.#fail(REFUSALS.chunkSize);
        return undefined;
      case EXTENSION:
        return this.#extension(octet);
      case SIZE_LF:
        if (octet !== LF) return this.#fail(REFUSALS.chunkSize);
        this.#state = this.#left === 0 ? TRAILER : DATA;
        return undefined;
      case DATA_CR:
        if (octet !== CR) return this.#fail(REFUSALS.chunkEnd);
        this.#state = DATA_LF;
        return undefined;
      default:
        if (octet !== LF) return this.#fail(REFUSALS.chunkEnd);
        this.#state = SIZE;
        this.#digits = this.#lineBytes = 0;
        return undefined;
    }
  }

  #size(octet: number): void {
    const digit = hexDigit(octet);
    if (digit >= 0) {
      this.#digits += 1;
      if (this.#digits > MAX_CHUNK_DIGITS) return this.#fail(REFUSALS.chunkSize);
      this.#left = this.#digits === 1 ? digit : this.#left * 16 + digit;
      return undefined;
    }
    if (this.#digits === 0) return this.#fail(REFUSALS.chunkSize);
    if (octet === CR) this.#state = SIZE_LF;
    else if (octet === SEMICOLON) this.#state = EXTENSION;
    else if (octet === SP || octet === HT) this.#state = SPACE;
    else this.#fail(REFUSALS.chunkSize);
    return undefined;
  }

  #extension(octet: number): void {
    if (octet === CR) this.#state = SIZE_LF;
    else if (((CLASS[octet] as number) & VALUE) === 0 || this.#isTooLong()) this.#fail(REFUSALS.chunkExtension);
  }

  #isTooLong(): boolean {
    this.#lineBytes += 1;
    this.#extensionBytes += 1;
    return this.#lineBytes > MAX_CHUNK_LINE_BYTES || this.#extensionBytes > MAX_CHUNK_EXTENSION_BYTES;
  }

  #fail(refused: Refusal): void {
    this.failed = refused;
  }

  #trailerBytesIn(buf: Buffer, at: number, end: number): number {
    // Without trailers, nearly always: the empty line is all there is.
    if (this.#trailerBytes === 0 && end - at >= 2 && buf[at] === CR && buf[at + 1] === LF) {
      this.done = true;
      return at + 2;
    }
    return this.#collectTrailer(buf, at, end);
  }

  /** Parses only when a line ended, so that a trailer that drips in costs no more than its lines. */
  #collectTrailer(buf: Buffer, at: number, end: number): number {
    const known = this.#trailerBytes;
    const piece = Buffer.from(buf.subarray(at, Math.min(end, at + MAX_TRAILER_BYTES + 1)));
    this.#trailer.push(piece);
    this.#trailerBytes += piece.length;
    if (piece.includes(LF)) {
      const section = Buffer.concat(this.#trailer);
      const fields = new Fields(PLAIN_NAMES);
      const result = fields.parse(section, 0, section.length);
      if (result === 'complete') {
        this.done = true;
        this.trailers = forwardable(section, fields);
        return at + fields.end - known;
      }
      if (result !== INCOMPLETE) this.#fail(REFUSALS.trailer);
      this.#trailer = [section];
    }
    if (this.#trailerBytes > MAX_TRAILER_BYTES) this.#fail(REFUSALS.trailerTooLarge);
    return end;
  }
}

const PLAIN_NAMES = new FieldNames();

/** Fields that frame, route or authenticate have no place in a trailer (RFC 9110 6.5.1). */
function forwardable(section: Buffer, fields: Fields): Buffer | undefined {
  const lines: Buffer[] = [];
  for (let i = 0; i < fields.count; i += 1) {
    const id = fields.ids[i] as number;
    if (id === 0 || id === FIELD.date) lines.push(section.subarray(fields.nameStart(i), fields.lineEnd(i)));
  }
  return lines.length === 0 ? undefined : Buffer.concat(lines);
}
