/**
 * Heads as they are sent on: the bytes of the fields as they came, in runs, without those that end at this hop
 * (RFC 9110 7.6.1: Connection and what it lists, and the older names of the same kind).
 */
import { equalsIgnoreCase } from '#dataplane/proxy/bytes.ts';
import { FIELD, type Fields } from '#dataplane/proxy/fields.ts';
import type { ResponseHead } from '#dataplane/proxy/response-head.ts';
import type { Slab } from '#dataplane/proxy/slab.ts';

/** A parsed head, as far as copying goes. */
export interface FieldSource {
  readonly buf: Buffer;
  readonly fields: Fields;
  /** Spans of names that Connection lists. */
  readonly listed: readonly number[];
}

/** Ids → 1 when the field is not sent on. */
export type DropTable = Uint8Array;

export function dropTable(...ids: readonly number[]): DropTable {
  const table = new Uint8Array(256);
  for (const id of ids) table[id] = 1;
  return table;
}

export const HOP_BY_HOP = [
  FIELD.connection,
  FIELD.keepAlive,
  FIELD.proxyConnection,
  FIELD.proxyAuthenticate,
  FIELD.proxyAuthorization,
  FIELD.te,
  FIELD.upgrade,
] as const;

/** Fields that a Connection option cannot take away: they frame the message or say whom it is for. */
const UNLISTABLE = dropTable(FIELD.host, FIELD.contentLength, FIELD.transferEncoding, FIELD.trailer, FIELD.expect);

/** Copies `source` from `from` to the end of its last field line, leaving out what `drop` or Connection names. */
export function copyFields(slab: Slab, source: FieldSource, from: number, drop: DropTable): void {
  const { buf, fields, listed } = source;
  let run = from;
  for (let i = 0; i < fields.count; i += 1) {
    const id = fields.ids[i] as number;
    if (drop[id] !== 1 && (listed.length === 0 || UNLISTABLE[id] === 1 || !isListed(source, i))) continue;
    slab.copy(buf, run, fields.nameStart(i));
    run = fields.lineEnd(i);
  }
  slab.copy(buf, run, fields.end - 2);
}

function isListed({ buf, fields, listed }: FieldSource, index: number): boolean {
  const start = fields.nameStart(index);
  const end = fields.nameEnd(index);
  for (let i = 0; i < listed.length; i += 2) {
    const name = buf.toString('latin1', listed[i], listed[i + 1]).toLowerCase();
    if (equalsIgnoreCase(buf, start, end, name)) return true;
  }
  return false;
}

const ANSWER_DROPS = [...HOP_BY_HOP, FIELD.transferEncoding];
/** With a body that keeps its framing: trailers may follow only chunks. */
const DROP_CHUNKED = dropTable(...ANSWER_DROPS);
const DROP_SIZED = dropTable(...ANSWER_DROPS, FIELD.trailer);
/** 1xx, 204 and 304 have no body, and need no word about its length. */
const DROP_BODILESS = dropTable(...ANSWER_DROPS, FIELD.trailer, FIELD.contentLength);
const DROP_SWITCH = dropTable(...ANSWER_DROPS.filter((id) => id !== FIELD.upgrade), FIELD.contentLength, FIELD.trailer);

const VERSION_1_1 = Buffer.from('HTTP/1.1 ');
const VERSION_1_0 = Buffer.from('HTTP/1.0 ');
const CRLF = Buffer.from('\r\n');

/** More than anything that `composeAnswer` adds of its own. */
export const ANSWER_EXTRA_BYTES = 256;

export interface AnswerShape {
  readonly clientMinorVersion: number;
  readonly body: 'none' | 'length' | 'chunked' | 'close';
}

/** Status line and fields of an answer, up to but without the empty line. */
export function composeAnswer(slab: Slab, head: ResponseHead, shape: AnswerShape): void {
  const drop = answerDrops(head, shape);
  if (head.minorVersion === 1 && shape.clientMinorVersion === 1) return copyFields(slab, head, head.start, drop);
  slab.put(shape.clientMinorVersion === 1 ? VERSION_1_1 : VERSION_1_0);
  slab.copy(head.buf, head.statusStart, head.statusEnd);
  slab.put(CRLF);
  copyFields(slab, head, head.fields.count > 0 ? head.fields.nameStart(0) : head.end - 2, drop);
  return undefined;
}

function answerDrops(head: ResponseHead, shape: AnswerShape): DropTable {
  if (head.status === 101) return DROP_SWITCH;
  if (head.status < 200 || head.status === 204 || head.status === 304) return DROP_BODILESS;
  return shape.body === 'chunked' ? DROP_CHUNKED : DROP_SIZED;
}
