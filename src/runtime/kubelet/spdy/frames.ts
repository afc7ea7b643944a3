/**
 * SPDY/3.1 frames from and to bytes. Control frames are kept until they are whole and are small by limit; the payload
 * of a data frame is passed on as it comes, so that a frame of 16 MiB costs no memory.
 *
 *     control  1|version:15|type:16|flags:8|length:24|…        data  0|stream:31|flags:8|length:24|…
 */
import { SpdyError } from '#runtime/kubelet/spdy/errors.ts';

/** Longest control frame that is taken, head excluded; one stream's headers need about a hundred bytes. */
export const MAX_CONTROL_BYTES = 64 * 1024;

const HEAD_BYTES = 8;
const VERSION = 3;
const ID_MASK = 0x7fffffff;
const FLAG_FIN = 1;
const FLAG_UNIDIRECTIONAL = 2;

const TYPE = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export type Frame =
  | {
      readonly type: 'syn-stream';
      readonly streamId: number;
      /** Still compressed, as are those of `headers`. */
      readonly headerBlock: Buffer;
      readonly isFinal: boolean;
      readonly isUnidirectional: boolean;
    }
  /** SYN_REPLY and HEADERS: what counts is that their blocks pass through the decompressor. */
  | { readonly type: 'headers'; readonly streamId: number; readonly headerBlock: Buffer; readonly isFinal: boolean }
  | { readonly type: 'rst-stream'; readonly streamId: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'go-away' }
  /** A piece of a data frame; `isFinal` on the last piece of the stream's last frame. */
  | { readonly type: 'data'; readonly streamId: number; readonly payload: Buffer; readonly isFinal: boolean };

interface DataHead {
  readonly streamId: number;
  readonly isFinal: boolean;
  left: number;
}

/** Cuts a stream of bytes into frames. Throws a `SpdyError` at the first byte that breaks a rule. */
export class FrameParser {
  #kept: Buffer = Buffer.alloc(0);
  #data: DataHead | undefined;

  /** The frames that `chunk` completes; frames that say nothing to a server are left out. */
  *feed(chunk: Buffer): Generator<Frame> {
    let rest = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    for (;;) {
      if (this.#data) {
        const data = this.#data;
        const payload = rest.subarray(0, data.left);
        if (payload.length === 0 && data.left > 0) break;
        rest = rest.subarray(payload.length);
        data.left -= payload.length;
        if (data.left === 0) this.#data = undefined;
        yield { type: 'data', streamId: data.streamId, payload, isFinal: data.isFinal && data.left === 0 };
        continue;
      }
      if (rest.length < HEAD_BYTES) break;
      if (rest.readUInt8(0) < 0x80) {
        this.#data = dataHead(rest);
        rest = rest.subarray(HEAD_BYTES);
        continue;
      }
      const length = controlLength(rest);
      if (rest.length < HEAD_BYTES + length) break;
      const frame = parseControl(
        rest.readUInt16BE(2),
        rest.readUInt8(4),
        rest.subarray(HEAD_BYTES, HEAD_BYTES + length),
      );
      rest = rest.subarray(HEAD_BYTES + length);
      if (frame) yield frame;
    }
    // A copy: the chunk that it came in may be large.
    this.#kept = Buffer.from(rest);
  }
}

function dataHead(bytes: Buffer): DataHead {
  const streamId = bytes.readUInt32BE(0);
  const flags = bytes.readUInt8(4);
  if (streamId === 0) throw new SpdyError('a data frame names stream 0');
  if ((flags & ~FLAG_FIN) !== 0) throw new SpdyError(`a data frame has unknown flags ${flags}`);
  return { streamId, isFinal: (flags & FLAG_FIN) !== 0, left: bytes.readUIntBE(5, 3) };
}

function controlLength(bytes: Buffer): number {
  const version = bytes.readUInt16BE(0) & 0x7fff;
  if (version !== VERSION) throw new SpdyError(`version ${version} of SPDY is not spoken here`);
  const length = bytes.readUIntBE(5, 3);
  if (length > MAX_CONTROL_BYTES) throw new SpdyError(`a control frame of ${length} bytes is too long`);
  return length;
}

/** Undefined for frames that are without meaning here: SETTINGS, WINDOW_UPDATE and types of other versions. */
function parseControl(type: number, flags: number, body: Buffer): Frame | undefined {
  switch (type) {
    case TYPE.synStream:
      need(body.length > 10 && (flags & ~(FLAG_FIN | FLAG_UNIDIRECTIONAL)) === 0, 'SYN_STREAM');
      return {
        type: 'syn-stream',
        streamId: idAt(body, 0, 'SYN_STREAM'),
        headerBlock: body.subarray(10),
        isFinal: (flags & FLAG_FIN) !== 0,
        isUnidirectional: (flags & FLAG_UNIDIRECTIONAL) !== 0,
      };
    case TYPE.synReply:
    case TYPE.headers:
      need(body.length > 4 && (flags & ~FLAG_FIN) === 0, 'HEADERS');
      return {
        type: 'headers',
        streamId: idAt(body, 0, 'HEADERS'),
        headerBlock: body.subarray(4),
        isFinal: (flags & FLAG_FIN) !== 0,
      };
    case TYPE.rstStream:
      need(body.length === 8 && flags === 0, 'RST_STREAM');
      return { type: 'rst-stream', streamId: idAt(body, 0, 'RST_STREAM') };
    case TYPE.ping:
      need(body.length === 4 && flags === 0, 'PING');
      return { type: 'ping', id: body.readUInt32BE(0) };
    case TYPE.goAway:
      need(body.length === 8 && flags === 0, 'GOAWAY');
      return { type: 'go-away' };
    case TYPE.settings:
      need(body.length >= 4 && body.length === 4 + 8 * body.readUInt32BE(0), 'SETTINGS');
      return undefined;
    case TYPE.windowUpdate:
      need(body.length === 8 && flags === 0, 'WINDOW_UPDATE');
      return undefined;
    default:
      return undefined;
  }
}

function need(isRight: boolean, name: string): void {
  if (!isRight) throw new SpdyError(`a ${name} frame has a wrong length or flag`);
}

function idAt(body: Buffer, offset: number, name: string): number {
  const id = body.readUInt32BE(offset) & ID_MASK;
  if (id === 0) throw new SpdyError(`a ${name} frame names stream 0`);
  return id;
}

export function encodeSynReply(streamId: number, headerBlock: Buffer): Buffer {
  return control(TYPE.synReply, word(streamId), headerBlock);
}

export function encodeRstStream(streamId: number, status: number): Buffer {
  return control(TYPE.rstStream, word(streamId), word(status));
}

export function encodePing(id: number): Buffer {
  return control(TYPE.ping, word(id));
}

export function encodeGoAway(lastStreamId: number, status: number): Buffer {
  return control(TYPE.goAway, word(lastStreamId), word(status));
}

export function encodeData(streamId: number, payload: Buffer, { isFinal }: { isFinal: boolean }): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt8(isFinal ? FLAG_FIN : 0, 4);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

function control(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(0x8000 | VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
