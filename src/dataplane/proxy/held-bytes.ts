/** Octets that came before they could be used: the beginning of a head, a body nobody asked for yet, pipelined requests. */
const FIRST_SIZE = 2048;

export class HeldBytes {
  buf: Buffer = Buffer.alloc(0);
  length = 0;

  append(src: Buffer, start: number, end: number): void {
    const size = end - start;
    if (this.length + size > this.buf.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_SIZE, size + this.length, this.buf.length * 2));
      this.buf.copy(grown, 0, 0, this.length);
      this.buf = grown;
    }
    src.copy(this.buf, this.length, start, end);
    this.length += size;
  }

  /** Forgets the first `count` octets. */
  consume(count: number): void {
    if (count === 0) return;
    this.buf.copyWithin(0, count, this.length);
    this.length -= count;
    if (this.length === 0) this.buf = EMPTY;
  }

  /** Everything, as a copy; nothing is left. */
  take(): Buffer {
    const bytes = Buffer.from(this.buf.subarray(0, this.length));
    this.consume(this.length);
    return bytes;
  }
}

const EMPTY = Buffer.alloc(0);
