/**
 * Memory for what is written: regions are cut from a slab one after another and never written to again, so a region
 * may wait in a socket, or be kept for a retry, for as long as somebody holds it. Nobody frees; the collector does,
 * slab by slab. A region that may be held for long is better copied (`Buffer.from`), or it keeps its whole slab.
 */
const SLAB_BYTES = 16 * 1024;

export class Slab {
  buf: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  pos = 0;

  /** Makes sure that `size` more octets fit, in a new slab if need be; answers where they begin. */
  reserve(size: number): number {
    if (this.pos + size > this.buf.length) {
      this.buf = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, size));
      this.pos = 0;
    }
    return this.pos;
  }

  /** Copies `src[start, end)`; the room was reserved. */
  copy(src: Buffer, start: number, end: number): void {
    const size = end - start;
    if (size < 24) for (let i = 0; i < size; i += 1) this.buf[this.pos + i] = src[start + i] as number;
    else src.copy(this.buf, this.pos, start, end);
    this.pos += size;
  }

  put(bytes: Buffer): void {
    this.copy(bytes, 0, bytes.length);
  }

  text(text: string): void {
    this.pos += this.buf.write(text, this.pos, 'latin1');
  }

  byte(octet: number): void {
    this.buf[this.pos] = octet;
    this.pos += 1;
  }

  /** What was written since `start`. */
  since(start: number): Buffer {
    return this.buf.subarray(start, this.pos);
  }
}
