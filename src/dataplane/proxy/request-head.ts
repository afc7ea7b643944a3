/**
 * The head of a request (RFC 9112 2–3, 6), parsed in place, and what it means for its message: where it goes, how
 * its body is framed, what happens to the connection afterwards.
 *
 * Where the RFC leaves a choice between repairing and refusing, this refuses: a message is only forwarded when every
 * reader must agree on where it ends. One object serves a whole thread: it holds until the next `parse`.
 */
import {
  CLASS,
  COLON,
  CR,
  eachToken,
  equalsIgnoreCase,
  ESCAPE,
  HEX,
  HOST,
  LF,
  listHas,
  parseDecimal,
  PERCENT,
  PERCENT_SIGN,
  QUESTION,
  SLASH,
  SP,
  TARGET,
  TOKEN,
} from '#dataplane/proxy/bytes.ts';
import { FIELD, type FieldNames, Fields } from '#dataplane/proxy/fields.ts';
import { MAX_LENGTH_DIGITS, MAX_METHOD_BYTES } from '#dataplane/proxy/limits.ts';
import { INCOMPLETE, type Refusal, REFUSALS } from '#dataplane/proxy/refusal.ts';

export type RequestFraming = 'none' | 'length' | 'chunked';
export type TargetForm = 'origin' | 'absolute' | 'asterisk';
type Verdict = Refusal | undefined;

const VERSION_BYTES = 'HTTP/1.1'.length;

export class RequestHead {
  buf: Buffer = Buffer.alloc(0);
  readonly fields: Fields;
  start = 0;
  /** Behind the empty line. */
  end = 0;
  methodEnd = 0;
  form: TargetForm = 'origin';
  /** Path and query; empty in an absolute target without a path. */
  pathStart = 0;
  pathEnd = 0;
  /** The path holds octets that must be escaped before it is forwarded. */
  pathNeedsEscape = false;
  minorVersion = 1;
  /** Host and port that the request is for; empty when there is none (HTTP/1.0). */
  hostStart = 0;
  hostEnd = 0;
  framing: RequestFraming = 'none';
  contentLength = 0;
  keepAlive = true;
  expectsContinue = false;
  /** The client asks to switch protocols, and its connection option says so too. */
  wantsUpgrade = false;
  /** The client takes trailers. */
  acceptsTrailers = false;
  isHead = false;
  /** Spans of names that Connection lists beside its own options: hop-by-hop fields by the client's choice. */
  readonly listed: number[] = [];

  constructor(names: FieldNames) {
    this.fields = new Fields(names);
  }

  /** Parses a head that begins at `start`. */
  parse(buf: Buffer, start: number, end: number): 'complete' | typeof INCOMPLETE | Refusal {
    this.buf = buf;
    this.start = start;
    const line = this.#requestLine(start, end);
    if (typeof line !== 'number') return line;
    const fields = this.fields.parse(buf, line, end);
    if (fields !== 'complete') return fields;
    this.end = this.fields.end;
    return this.#interpret() ?? 'complete';
  }

  get method(): string {
    return this.buf.toString('latin1', this.start, this.methodEnd);
  }

  get path(): string {
    return this.buf.toString('latin1', this.pathStart, this.pathEnd);
  }

  get host(): string {
    return this.buf.toString('latin1', this.hostStart, this.hostEnd);
  }

  /** The value of the first field with `id`, or undefined. */
  value(id: number): string | undefined {
    const index = this.fields.find(id);
    return index < 0 ? undefined : this.valueAt(index);
  }

  valueAt(index: number): string {
    return this.buf.toString('latin1', this.fields.valueStart(index), this.fields.valueEnd(index));
  }

  #requestLine(start: number, end: number): number | typeof INCOMPLETE | Refusal {
    const { buf } = this;
    let p = start;
    while (p < end && ((CLASS[buf[p] as number] as number) & TOKEN) !== 0) p += 1;
    if (p - start > MAX_METHOD_BYTES) return REFUSALS.method;
    if (p >= end) return INCOMPLETE;
    if (buf[p] !== SP || p === start) return lineRefusal(buf[p] as number, p === start);
    this.methodEnd = p;
    p += 1;
    const targetStart = p;
    let seen = 0;
    for (; p < end; p += 1) {
      const bits = CLASS[buf[p] as number] as number;
      if ((bits & (TARGET | ESCAPE)) === 0) break;
      seen |= bits;
    }
    if (p >= end) return INCOMPLETE;
    if (buf[p] !== SP || p === targetStart) return targetRefusal(buf[p] as number);
    const refused = this.#target(targetStart, p, seen);
    return refused ?? this.#version(p + 1, end);
  }

  #version(at: number, end: number): number | typeof INCOMPLETE | Refusal {
    const { buf } = this;
    const text = 'HTTP/';
    for (let i = 0; i < VERSION_BYTES; i += 1) {
      if (at + i >= end) return INCOMPLETE;
      const octet = buf[at + i] as number;
      if (i < text.length ? octet !== text.charCodeAt(i) : i === 6 ? octet !== 46 : octet < 48 || octet > 57)
        return REFUSALS.version;
    }
    const lineEnd = at + VERSION_BYTES;
    if (lineEnd < end && buf[lineEnd] !== CR) return buf[lineEnd] === LF ? REFUSALS.lineEnd : REFUSALS.version;
    if (lineEnd + 1 >= end) return INCOMPLETE;
    if (buf[lineEnd + 1] !== LF) return REFUSALS.lineEnd;
    if (buf[at + 5] !== 49) return REFUSALS.unsupportedVersion;
    this.minorVersion = (buf[at + 7] as number) === 48 ? 0 : 1;
    return lineEnd + 2;
  }

  #target(start: number, end: number, seen: number): Verdict {
    const { buf } = this;
    this.hostStart = this.hostEnd = 0;
    this.pathNeedsEscape = false;
    this.isHead = equalsExactly(buf, this.start, this.methodEnd, 'HEAD');
    if (equalsExactly(buf, this.start, this.methodEnd, 'CONNECT')) return REFUSALS.connect;
    if (buf[start] === SLASH) {
      this.form = 'origin';
      this.pathStart = start;
      this.pathEnd = end;
    } else if (end - start === 1 && buf[start] === 42) {
      if (!equalsExactly(buf, this.start, this.methodEnd, 'OPTIONS')) return REFUSALS.target;
      this.form = 'asterisk';
      this.pathStart = start;
      this.pathEnd = end;
      return undefined;
    } else if (!this.#absolute(start, end)) return REFUSALS.target;
    return (seen & (ESCAPE | PERCENT_SIGN)) === 0 ? undefined : this.#inspectPath();
  }

  /** `http://host:port/path?query` (RFC 9112 3.2.2); false when it is none. */
  #absolute(start: number, end: number): boolean {
    const { buf } = this;
    const schemeEnd = buf.indexOf('://', start, 'latin1');
    if (schemeEnd < 0 || schemeEnd >= end) return false;
    const isHttp = equalsIgnoreCase(buf, start, schemeEnd, 'http') || equalsIgnoreCase(buf, start, schemeEnd, 'https');
    if (!isHttp) return false;
    let p = schemeEnd + 3;
    this.hostStart = p;
    while (p < end && buf[p] !== SLASH && buf[p] !== QUESTION) p += 1;
    this.hostEnd = p;
    this.form = 'absolute';
    this.pathStart = p;
    this.pathEnd = end;
    return p > this.hostStart;
  }

  /** Percent signs must escape; octets outside the grammar are marked for escaping (the query is left as it is). */
  #inspectPath(): Verdict {
    const { buf } = this;
    for (let p = this.pathStart; p < this.pathEnd; p += 1) {
      const octet = buf[p] as number;
      if (octet === QUESTION) return undefined;
      if (((CLASS[octet] as number) & ESCAPE) !== 0) this.pathNeedsEscape = true;
      if (octet !== PERCENT) continue;
      const isEscape = p + 2 < this.pathEnd && isHex(buf[p + 1] as number) && isHex(buf[p + 2] as number);
      if (!isEscape) return REFUSALS.target;
    }
    return undefined;
  }

  #interpret(): Verdict {
    this.framing = 'none';
    this.contentLength = 0;
    this.expectsContinue = this.wantsUpgrade = this.acceptsTrailers = false;
    this.listed.length = 0;
    const seen: Seen = { ...NOTHING_SEEN };
    const refused = this.#readFields(seen);
    if (refused) return refused;
    // "close" wins over "keep-alive", in whatever order they came.
    this.keepAlive = !seen.close && (this.minorVersion === 1 || seen.keepAlive);
    this.wantsUpgrade = seen.connectionUpgrade && seen.upgrade >= 0 && this.minorVersion === 1;
    return this.#host(seen.host) ?? this.#frame(seen.length, seen.coding);
  }

  #readFields(seen: Seen): Verdict {
    const { fields } = this;
    for (let i = 0; i < fields.count; i += 1) {
      const id = fields.ids[i] as number;
      if (id === 0 || id > FIELD.expect) continue;
      const refused = this.#readField(id, i, seen);
      if (refused) return refused;
    }
    return undefined;
  }

  #readField(id: number, index: number, seen: Seen): Verdict {
    const { buf, fields } = this;
    const start = fields.valueStart(index);
    const end = fields.valueEnd(index);
    switch (id) {
      case FIELD.host:
        if (seen.host >= 0) return REFUSALS.duplicateHost;
        seen.host = index;
        break;
      case FIELD.contentLength:
        if (seen.length >= 0) return REFUSALS.duplicateContentLength;
        seen.length = index;
        break;
      case FIELD.transferEncoding:
        if (seen.coding >= 0) return REFUSALS.transferCoding;
        seen.coding = index;
        break;
      case FIELD.connection:
        this.#connection(start, end, seen);
        break;
      case FIELD.upgrade:
        // An upgrade to h2c was never widely used and is gone from RFC 9113; the request is served as it is.
        if (!listHas(buf, start, end, 'h2c')) seen.upgrade = index;
        break;
      case FIELD.te:
        this.acceptsTrailers ||= listHas(buf, start, end, 'trailers');
        break;
      case FIELD.expect:
        if (!equalsIgnoreCase(buf, start, end, '100-continue')) return REFUSALS.expectation;
        this.expectsContinue = this.minorVersion === 1;
        break;
    }
    return undefined;
  }

  #connection(start: number, end: number, seen: Seen): void {
    const { buf } = this;
    if (equalsIgnoreCase(buf, start, end, 'keep-alive')) {
      seen.keepAlive = true;
      return;
    }
    eachToken(buf, { start, end }, (from, to) => {
      if (equalsIgnoreCase(buf, from, to, 'close')) seen.close = true;
      else if (equalsIgnoreCase(buf, from, to, 'keep-alive')) seen.keepAlive = true;
      else if (equalsIgnoreCase(buf, from, to, 'upgrade')) seen.connectionUpgrade = true;
      else this.listed.push(from, to);
    });
  }

  #host(index: number): Verdict {
    if (index < 0) return this.minorVersion === 0 ? undefined : REFUSALS.missingHost;
    const start = this.fields.valueStart(index);
    const end = this.fields.valueEnd(index);
    if (!isHost(this.buf, start, end)) return REFUSALS.malformedHost;
    if (this.form === 'absolute')
      return isHost(this.buf, this.hostStart, this.hostEnd) ? undefined : REFUSALS.malformedHost;
    this.hostStart = start;
    this.hostEnd = end;
    return undefined;
  }

  #frame(length: number, coding: number): Verdict {
    const { buf, fields } = this;
    if (coding >= 0) {
      if (length >= 0) return REFUSALS.lengthAndCoding;
      if (this.minorVersion === 0) return REFUSALS.codingInOldVersion;
      if (!equalsIgnoreCase(buf, fields.valueStart(coding), fields.valueEnd(coding), 'chunked'))
        return REFUSALS.transferCoding;
      this.framing = 'chunked';
      return undefined;
    }
    if (length < 0) return undefined;
    const start = fields.valueStart(length);
    const end = fields.valueEnd(length);
    if (end - start > MAX_LENGTH_DIGITS) return REFUSALS.contentLength;
    this.contentLength = parseDecimal(buf, start, end);
    if (this.contentLength < 0) return REFUSALS.contentLength;
    this.framing = this.contentLength === 0 ? 'none' : 'length';
    return undefined;
  }
}

interface Seen {
  host: number;
  length: number;
  coding: number;
  upgrade: number;
  connectionUpgrade: boolean;
  close: boolean;
  keepAlive: boolean;
}

const NOTHING_SEEN: Readonly<Seen> = {
  host: -1,
  length: -1,
  coding: -1,
  upgrade: -1,
  connectionUpgrade: false,
  close: false,
  keepAlive: false,
};

function lineRefusal(octet: number, atStart: boolean): Refusal {
  if (octet === LF) return REFUSALS.lineEnd;
  return atStart ? REFUSALS.requestLine : REFUSALS.method;
}

function targetRefusal(octet: number): Refusal {
  if (octet === LF) return REFUSALS.lineEnd;
  return octet === CR ? REFUSALS.version : REFUSALS.target;
}

function isHex(octet: number): boolean {
  return ((CLASS[octet] as number) & HEX) !== 0;
}

function equalsExactly(buf: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (buf[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** uri-host [ ":" port ], possibly empty (RFC 9110 7.2). */
function isHost(buf: Buffer, start: number, end: number): boolean {
  let p = start;
  if (buf[p] === 91 && p < end) {
    const close = buf.indexOf(93, p);
    if (close < 0 || close >= end) return false;
    for (let i = p + 1; i < close; i += 1)
      if (!isHex(buf[i] as number) && buf[i] !== COLON && buf[i] !== 46) return false;
    p = close + 1;
  } else {
    while (p < end && isRegName(buf[p] as number)) p += 1;
  }
  if (p === end) return true;
  return buf[p] === COLON && (p + 1 === end || (end - p <= 6 && parseDecimal(buf, p + 1, end) >= 0));
}

function isRegName(octet: number): boolean {
  return octet !== COLON && octet !== 91 && octet !== 93 && ((CLASS[octet] as number) & HOST) !== 0;
}
