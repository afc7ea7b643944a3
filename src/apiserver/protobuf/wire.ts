/**
 * The wire format of Protocol Buffers, read. The bytes are anybody's: every length is checked against what is there, and
 * the errors are those of Go's generated code, which clients of Kubernetes know.
 *
 * https://protobuf.dev/programming-guides/encoding/
 */

/** The bytes are no message; the text is Go's. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const GROUP = 3;
const GROUP_END = 4;
const FIXED32 = 5;

const MAX_VARINT_BYTES = 10;
/** Groups are not used any more; somebody could still nest them. */
const MAX_GROUPS = 100;

export interface Tag {
  readonly number: number;
  readonly wireType: number;
}

export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** @param message name for the words of an error. */
  tag(message: string): Tag {
    const value = Number(BigInt.asUintN(32, this.#varint()));
    const tag = { number: value >>> 3, wireType: value & 7 };
    if (tag.wireType === GROUP_END) throw new WireError(`proto: ${message}: wiretype end group for non-group`);
    if (tag.number === 0) throw new WireError(`proto: ${message}: illegal tag 0 (wire type ${value})`);
    return tag;
  }

  /** Signed, as int32 and int64 are written; beyond 2^53 the nearest number. */
  int(tag: Tag, name: string): number {
    this.#expect(tag, VARINT, name);
    return Number(BigInt.asIntN(64, this.#varint()));
  }

  double(tag: Tag, name: string): number {
    this.#expect(tag, FIXED64, name);
    return this.#take(8).readDoubleLE(0);
  }

  bytes(tag: Tag, name: string): Buffer {
    this.#expect(tag, BYTES, name);
    return this.#take(this.#length());
  }

  /** Passes over a field that nobody asked for. */
  skip({ wireType }: Tag, depth = 0): void {
    if (wireType === VARINT) this.#varint();
    else if (wireType === FIXED64) this.#take(8);
    else if (wireType === BYTES) this.#take(this.#length());
    else if (wireType === FIXED32) this.#take(4);
    else if (wireType === GROUP && depth < MAX_GROUPS) this.#skipGroup(depth);
    else throw new WireError(`proto: illegal wireType ${wireType}`);
  }

  #skipGroup(depth: number): void {
    for (;;) {
      const wireType = Number(this.#varint() & 7n);
      if (wireType === GROUP_END) return;
      this.skip({ number: 1, wireType }, depth + 1);
    }
  }

  #expect({ wireType }: Tag, expected: number, name: string): void {
    if (wireType !== expected) throw new WireError(`proto: wrong wireType = ${wireType} for field ${name}`);
  }

  #length(): number {
    const length = this.#varint();
    if (length >= 1n << 63n) throw new WireError('proto: negative length found during unmarshaling');
    return Number(length);
  }

  #varint(): bigint {
    let value = 0n;
    for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new WireError('unexpected EOF');
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireError('proto: integer overflow');
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new WireError('unexpected EOF');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
