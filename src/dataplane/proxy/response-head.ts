/**
 * The head of an answer (RFC 9112 4, 6.3), parsed in place. As strict as for requests, with one allowance: the space
 * behind the status code may be missing when the reason is, since small servers leave it out and no reader can
 * take it for something else.
 */
import { CLASS, CR, eachToken, equalsIgnoreCase, LF, parseDecimal, SP, VALUE } from '#dataplane/proxy/bytes.ts';
import { FIELD, type FieldNames, Fields } from '#dataplane/proxy/fields.ts';
import { MAX_LENGTH_DIGITS } from '#dataplane/proxy/limits.ts';
import { INCOMPLETE, type Refusal, REFUSALS } from '#dataplane/proxy/refusal.ts';

export type ResponseFraming = 'none' | 'length' | 'chunked' | 'close';

/** Why an answer is no answer; `text` is what Go's client says of it, which Knative puts into its 502. */
export interface Malformed {
  readonly malformed: string;
}

const PREFIX = 'net/http: HTTP/1.x transport connection broken: ';

export class ResponseHead {
  buf: Buffer = Buffer.alloc(0);
  readonly fields: Fields;
  start = 0;
  end = 0;
  status = 0;
  /** From the status code to the end of the reason. */
  statusStart = 0;
  statusEnd = 0;
  minorVersion = 1;
  framing: ResponseFraming = 'none';
  contentLength = 0;
  /** The server keeps the connection. */
  keepAlive = true;
  hasDate = false;
  hasLength = false;
  #close = false;
  #kept = false;
  readonly listed: number[] = [];

  constructor(names: FieldNames) {
    this.fields = new Fields(names);
  }

  /** Parses the head of an answer to a request that was HEAD or not. */
  parse(buf: Buffer, range: Range, toHead: 'head' | 'other'): 'complete' | typeof INCOMPLETE | Malformed {
    this.buf = buf;
    this.start = range.start;
    const line = this.#statusLine(range.start, range.end);
    if (typeof line !== 'number') return line;
    const fields = this.fields.parse(buf, line, range.end);
    if (fields === INCOMPLETE) return INCOMPLETE;
    if (fields !== 'complete') return { malformed: malformedFields(fields) };
    this.end = this.fields.end;
    return this.#interpret(toHead) ?? 'complete';
  }

  get isInterim(): boolean {
    return this.status < 200 && this.status !== 101;
  }

  #statusLine(start: number, end: number): number | typeof INCOMPLETE | Malformed {
    const { buf } = this;
    const version = 'HTTP/1.';
    for (let i = 0; i < version.length; i += 1) {
      if (start + i >= end) return INCOMPLETE;
      if (buf[start + i] !== version.charCodeAt(i)) return this.#malformedLine(start, end);
    }
    if (start + 13 > end)
      return buf.indexOf(LF, start) >= 0 && buf.indexOf(LF, start) < end ? this.#malformedLine(start, end) : INCOMPLETE;
    const minor = (buf[start + 7] as number) - 48;
    this.status = parseDecimal(buf, start + 9, start + 12);
    const behind = buf[start + 12];
    const isLine = (minor === 0 || minor === 1) && buf[start + 8] === SP && (behind === SP || behind === CR);
    if (!isLine || this.status < 100) return this.#malformedLine(start, end);
    this.minorVersion = minor;
    this.statusStart = start + 9;
    let p = start + 12;
    while (p < end && ((CLASS[buf[p] as number] as number) & VALUE) !== 0) p += 1;
    if (p < end && buf[p] !== CR) return { malformed: `${PREFIX}malformed HTTP response` };
    if (p + 1 >= end) return INCOMPLETE;
    if (buf[p + 1] !== LF) return { malformed: `${PREFIX}malformed HTTP response` };
    this.statusEnd = p;
    return p + 2;
  }

  #malformedLine(start: number, end: number): Malformed {
    const text = this.buf.toString('latin1', start, Math.min(end, start + 200)).split(/\r?\n/)[0] ?? '';
    const space = text.indexOf(' ');
    if (space < 0) return { malformed: `${PREFIX}malformed HTTP response ${JSON.stringify(text)}` };
    const version = text.slice(0, space);
    const code = text.slice(space + 1).split(' ')[0] ?? '';
    if (!/^\d{3}$/.test(code) || Number(code) < 100)
      return { malformed: `${PREFIX}malformed HTTP status code ${JSON.stringify(code)}` };
    return { malformed: `${PREFIX}malformed HTTP version ${JSON.stringify(version)}` };
  }

  #interpret(toHead: 'head' | 'other'): Malformed | undefined {
    this.#close = this.#kept = false;
    this.hasDate = false;
    this.contentLength = 0;
    this.listed.length = 0;
    let length = -1;
    let coding = -1;
    const { fields } = this;
    for (let i = 0; i < fields.count; i += 1) {
      const id = fields.ids[i] as number;
      if (id === FIELD.contentLength) {
        if (length >= 0) return { malformed: `${PREFIX}http: message cannot contain multiple Content-Length headers` };
        length = i;
      } else if (id === FIELD.transferEncoding) {
        if (coding >= 0) return { malformed: `${PREFIX}too many transfer encodings` };
        coding = i;
      } else if (id === FIELD.connection) this.#connection(fields.valueStart(i), fields.valueEnd(i));
      else if (id === FIELD.date) this.hasDate = true;
    }
    this.hasLength = length >= 0;
    this.keepAlive = !this.#close && (this.minorVersion === 1 || this.#kept);
    return this.#frame(length, coding, toHead);
  }

  #connection(start: number, end: number): void {
    const { buf } = this;
    eachToken(buf, { start, end }, (from, to) => {
      if (equalsIgnoreCase(buf, from, to, 'close')) this.#close = true;
      else if (equalsIgnoreCase(buf, from, to, 'keep-alive')) this.#kept = true;
      else if (!equalsIgnoreCase(buf, from, to, 'upgrade')) this.listed.push(from, to);
    });
  }

  #frame(length: number, coding: number, toHead: 'head' | 'other'): Malformed | undefined {
    const { buf, fields } = this;
    if (length >= 0 && coding >= 0) return { malformed: `${PREFIX}Content-Length beside Transfer-Encoding` };
    if (length >= 0) {
      const start = fields.valueStart(length);
      const end = fields.valueEnd(length);
      this.contentLength = end - start > MAX_LENGTH_DIGITS ? -1 : parseDecimal(buf, start, end);
      if (this.contentLength < 0) {
        return { malformed: `${PREFIX}bad Content-Length ${JSON.stringify(buf.toString('latin1', start, end))}` };
      }
    }
    if (coding >= 0 && !equalsIgnoreCase(buf, fields.valueStart(coding), fields.valueEnd(coding), 'chunked'))
      return { malformed: `${PREFIX}unsupported transfer encoding` };
    if (coding >= 0 && this.minorVersion === 0) return { malformed: `${PREFIX}Transfer-Encoding in HTTP/1.0` };
    const bodiless = toHead === 'head' || this.status < 200 || this.status === 204 || this.status === 304;
    if (bodiless) this.framing = 'none';
    else if (coding >= 0) this.framing = 'chunked';
    else if (length >= 0) this.framing = this.contentLength === 0 ? 'none' : 'length';
    else this.framing = 'close';
    return undefined;
  }
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

function malformedFields(refused: Refusal): string {
  return refused === REFUSALS.tooManyFields
    ? 'net/http: server response headers exceeded the limit; aborted'
    : `${PREFIX}malformed MIME header: ${refused.cause}`;
}
