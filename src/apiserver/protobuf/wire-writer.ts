/**
 * The wire format of Protocol Buffers, written from its end to its beginning: a message is complete before its length
 * has to be known, so nothing is measured ahead or copied once more. Whoever writes begins with the last field.
 *
 * https://protobuf.dev/programming-guides/encoding/
 */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const INITIAL_BYTES = 1_024;
const MAX_VARINT_BYTES = 10;

export class WireWriter {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  /** Where the last byte written is; everything behind it is. */
  #at = INITIAL_BYTES;

  /** What has been written: a view, valid until the next write. */
  get bytes(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  int(field: number, value: number): void {
    this.#varint(value);
    this.#tag(field, VARINT);
  }

  double(field: number, value: number): void {
    this.#room(8);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
    this.#tag(field, FIXED64);
  }

  text(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.#room(length);
    this.#at -= length;
    this.#bytes.write(value, this.#at);
    this.#varint(length);
    this.#tag(field, BYTES);
  }

  raw(field: number, value: Uint8Array): void {
    this.prepend(value);
    this.#varint(value.length);
    this.#tag(field, BYTES);
  }

  /** @param write writes the message's fields, the last one first. */
  message(field: number, write: () => void): void {
    const before = this.bytes.length;
    write();
    this.#varint(this.bytes.length - before);
    this.#tag(field, BYTES);
  }

  /** Bytes as they are. */
  prepend(value: Uint8Array): void {
    this.#room(value.length);
    this.#at -= value.length;
    this.#bytes.set(value, this.#at);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  /** Negative numbers take ten bytes, as two's complement of 64 bits. */
  #varint(value: number): void {
    if (value >= 0 && value < 0x80) {
      this.#room(1);
      this.#at -= 1;
      this.#bytes[this.#at] = value;
      return;
    }
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
    for (; rest >= 0x80n && bytes.length < MAX_VARINT_BYTES; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    this.prepend(Uint8Array.from([...bytes, Number(rest)]));
  }

  #room(length: number): void {
    if (length <= this.#at) return;
    const written = this.bytes;
    const grown = Buffer.allocUnsafe(2 * (this.#bytes.length + length));
    this.#at = grown.length - written.length;
    written.copy(grown, this.#at);
    this.#bytes = grown;
  }
}
