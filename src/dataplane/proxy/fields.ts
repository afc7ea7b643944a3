/**
 * A field section (RFC 9112 5) as spans of the buffer that it arrived in: nothing is copied and no string is made.
 *
 * Strict: a name is a token with its colon right behind it, a line ends with CRLF, a value holds no control character
 * other than HTAB, a folded line is refused. Names that somebody asks for have a small number (their id), found by
 * length first; all others have id 0.
 */
import { CLASS, COLON, CR, HT, isSpace, LF, lower, SP, TOKEN, VALUE } from '#dataplane/proxy/bytes.ts';
import { MAX_FIELDS } from '#dataplane/proxy/limits.ts';
import { INCOMPLETE, type Refusal, REFUSALS } from '#dataplane/proxy/refusal.ts';

/** The names that HTTP itself gives a meaning, by id; the gateway's own follow from `FIRST_EXTRA_ID` on. */
export const FIELD = {
  host: 1,
  connection: 2,
  keepAlive: 3,
  proxyConnection: 4,
  proxyAuthenticate: 5,
  proxyAuthorization: 6,
  te: 7,
  trailer: 8,
  transferEncoding: 9,
  upgrade: 10,
  contentLength: 11,
  expect: 12,
  date: 13,
} as const;

const STANDARD_NAMES = [
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'expect',
  'date',
] as const;

export const FIRST_EXTRA_ID = 16;

/** Ids of field names, found without making a string. */
export class FieldNames {
  readonly #byLength: { readonly id: number; readonly name: Buffer }[][] = [];

  /** `extra`: lower-case names; the first gets `FIRST_EXTRA_ID`, and so on. */
  constructor(extra: readonly string[] = []) {
    STANDARD_NAMES.forEach((name, index) => this.#add(name, index + 1));
    extra.forEach((name, index) => this.#add(name, FIRST_EXTRA_ID + index));
  }

  #add(name: string, id: number): void {
    const bucket = (this.#byLength[name.length] ??= []);
    bucket.push({ id, name: Buffer.from(name, 'latin1') });
  }

  idOf(buf: Buffer, start: number, end: number): number {
    const bucket = this.#byLength[end - start];
    if (bucket === undefined) return 0;
    for (const candidate of bucket) if (sameName(candidate.name, buf, start)) return candidate.id;
    return 0;
  }
}

function sameName(name: Buffer, buf: Buffer, start: number): boolean {
  for (let i = 0; i < name.length; i += 1) if (lower(buf[start + i] as number) !== name[i]) return false;
  return true;
}

/** What one line is made of, as offsets into the buffer. */
const SPANS_PER_FIELD = 4;

export class Fields {
  count = 0;
  readonly ids = new Uint8Array(MAX_FIELDS);
  readonly #spans = new Int32Array(MAX_FIELDS * SPANS_PER_FIELD);
  readonly #names: FieldNames;
  /** Where the section ends, behind its empty line; valid after `parse` answered `complete`. */
  end = 0;

  constructor(names: FieldNames) {
    this.#names = names;
  }

  nameStart(index: number): number {
    return this.#spans[index * SPANS_PER_FIELD] as number;
  }

  nameEnd(index: number): number {
    return this.#spans[index * SPANS_PER_FIELD + 1] as number;
  }

  valueStart(index: number): number {
    return this.#spans[index * SPANS_PER_FIELD + 2] as number;
  }

  valueEnd(index: number): number {
    return this.#spans[index * SPANS_PER_FIELD + 3] as number;
  }

  /** Where the next line begins. */
  lineEnd(index: number): number {
    return index + 1 < this.count ? this.nameStart(index + 1) : this.end - 2;
  }

  /** Index of the first field with `id`, or -1. */
  find(id: number): number {
    for (let i = 0; i < this.count; i += 1) if (this.ids[i] === id) return i;
    return -1;
  }

  /** Parses the lines from `start` to the empty line. */
  parse(buf: Buffer, start: number, end: number): 'complete' | typeof INCOMPLETE | Refusal {
    this.count = 0;
    let p = start;
    for (;;) {
      if (p >= end) return INCOMPLETE;
      if (buf[p] === CR) return this.#lastLine(buf, p, end);
      const nameStart = p;
      while (p < end && ((CLASS[buf[p] as number] as number) & TOKEN) !== 0) p += 1;
      if (p >= end) return INCOMPLETE;
      if (buf[p] !== COLON || p === nameStart) return badName(buf[p] as number, p === nameStart);
      const nameEnd = p;
      p += 1;
      while (p < end && isSpace(buf[p] as number)) p += 1;
      const valueStart = p;
      while (p < end && ((CLASS[buf[p] as number] as number) & VALUE) !== 0) p += 1;
      if (p < end && buf[p] !== CR) return buf[p] === LF ? REFUSALS.lineEnd : REFUSALS.fieldValue;
      if (p + 1 >= end) return INCOMPLETE;
      if (buf[p + 1] !== LF) return REFUSALS.lineEnd;
      if (this.count === MAX_FIELDS) return REFUSALS.tooManyFields;
      this.#add(buf, nameStart, nameEnd, valueStart, p);
      p += 2;
    }
  }

  #lastLine(buf: Buffer, at: number, end: number): 'complete' | typeof INCOMPLETE | Refusal {
    if (at + 1 >= end) return INCOMPLETE;
    if (buf[at + 1] !== LF) return REFUSALS.lineEnd;
    this.end = at + 2;
    return 'complete';
  }

  // oxlint-disable-next-line max-params -- the hot path: an object per field line would be churn
  #add(buf: Buffer, nameStart: number, nameEnd: number, valueStart: number, lineEnd: number): void {
    let valueEnd = lineEnd;
    while (valueEnd > valueStart && isSpace(buf[valueEnd - 1] as number)) valueEnd -= 1;
    const at = this.count * SPANS_PER_FIELD;
    this.#spans[at] = nameStart;
    this.#spans[at + 1] = nameEnd;
    this.#spans[at + 2] = valueStart;
    this.#spans[at + 3] = valueEnd;
    this.ids[this.count] = this.#names.idOf(buf, nameStart, nameEnd);
    this.count += 1;
  }
}

function badName(octet: number, atLineStart: boolean): Refusal {
  if (octet === LF) return REFUSALS.lineEnd;
  if (atLineStart && (octet === SP || octet === HT)) return REFUSALS.fold;
  return REFUSALS.fieldName;
}
