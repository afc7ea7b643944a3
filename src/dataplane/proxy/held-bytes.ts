import { CLASS, CR, LF, VALUE } from '#dataplane/proxy/bytes.ts';

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

/**
 * Whether a head that was incomplete before `buf[from, length)` came may be complete now, or be seen to be wrong: an
 * empty line, a line end that is none, an octet that no head may hold. Each octet is looked at once.
 */
export function mayEndHead(buf: Buffer, from: number, length: number): boolean {
  for (let at = from; at < length; at += 1) {
    const octet = buf[at] as number;
    const previous = at > 0 ? (buf[at - 1] as number) : 0;
    if (octet === LF) {
      if (previous !== CR || at < 3 || buf[at - 2] === LF) return true;
    } else if (previous === CR || (octet !== CR && ((CLASS[octet] as number) & VALUE) === 0)) return true;
  }
  return false;
}
