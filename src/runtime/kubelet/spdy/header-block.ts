/**
 * The names and values of a stream, as a SYN_STREAM carries them: a list with lengths, compressed as one zlib stream
 * for the whole connection. A block may be tiny and unpack to gigabytes, so unpacking stops at a limit.
 */
import { createInflate, type Inflate } from 'node:zlib';
import { HEADER_DICTIONARY, HEADER_DICTIONARY_ID } from '#runtime/kubelet/spdy/dictionary.ts';
import { SpdyError } from '#runtime/kubelet/spdy/errors.ts';

/** Most bytes of one unpacked block, and most names in it. */
export const MAX_HEADER_BYTES = 64 * 1024;
export const MAX_HEADERS = 64;

/** Names are in lower case. Several values of one name stay joined by NUL, as they came. */
export type StreamHeaders = ReadonlyMap<string, string>;

/** Unpacks blocks one after the other, in the order in which they came. */
export class HeaderReader implements Disposable {
  readonly #inflate: Inflate = createInflate({ dictionary: HEADER_DICTIONARY });
  #pieces: Buffer[] = [];
  #size = 0;
  #fail: (error: Error) => void = () => {};

  constructor() {
    this.#inflate.on('data', (piece: Buffer) => this.#collect(piece));
    this.#inflate.on('error', (error) => this.#fail(new SpdyError('headers cannot be unpacked', { cause: error })));
  }

  /** The next call waits for the last one's answer. Throws a `SpdyError`, after which the reader is of no use. */
  async read(block: Buffer): Promise<StreamHeaders> {
    this.#pieces = [];
    this.#size = 0;
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      this.#inflate.write(block);
      this.#inflate.flush(() => resolve());
    });
    if (this.#size > MAX_HEADER_BYTES) throw new SpdyError(`headers are longer than ${MAX_HEADER_BYTES} bytes`);
    return parsePairs(Buffer.concat(this.#pieces));
  }

  [Symbol.dispose](): void {
    this.#inflate.destroy();
  }

  #collect(piece: Buffer): void {
    this.#size += piece.length;
    if (this.#size <= MAX_HEADER_BYTES) this.#pieces.push(piece);
    else this.#inflate.destroy();
  }
}

function parsePairs(bytes: Buffer): StreamHeaders {
  const reader = new WordReader(bytes);
  const count = reader.number();
  if (count > MAX_HEADERS) throw new SpdyError(`${count} headers are too many`);
  const headers = new Map<string, string>();
  for (let index = 0; index < count; index += 1) {
    const name = reader.text();
    const value = reader.text();
    if (name === '' || name !== name.toLowerCase() || headers.has(name)) {
      throw new SpdyError(`the header name ${JSON.stringify(name)} is empty, not in lower case or there twice`);
    }
    headers.set(name, value);
  }
  if (!reader.isAtEnd) throw new SpdyError('there is more behind the headers');
  return headers;
}

class WordReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  number(): number {
    return this.#take(4).readUInt32BE(0);
  }

  text(): string {
    return this.#take(this.number()).toString('utf8');
  }

  #take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new SpdyError('the headers end early');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/** A count of zero as a stored block, then an empty one, at which unpackers give out what they have. */
const NO_HEADERS = Buffer.from([0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/**
 * Blocks without any header, all that a server of Kubernetes sends. They are stored, not compressed, which is zlib
 * all the same and needs no compressor (256 KiB) per connection.
 */
export class EmptyHeaderWriter {
  #hasBegun = false;

  next(): Buffer {
    if (this.#hasBegun) return NO_HEADERS;
    this.#hasBegun = true;
    // zlib's head: deflate with a preset dictionary, and which one.
    const head = Buffer.from([0x78, 0xbb, 0, 0, 0, 0]);
    head.writeUInt32BE(HEADER_DICTIONARY_ID, 2);
    return Buffer.concat([head, NO_HEADERS]);
  }
}
