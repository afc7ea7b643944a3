/** What an HTTP/2 client with prior knowledge says first (RFC 9113 3.4). */
export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Whether `buf[start, end)` is the preface, its beginning, or begins with it. */
export function isPreface(buf: Buffer, start: number, end: number): boolean {
  const size = Math.min(end - start, PREFACE.length);
  return size >= 3 && buf.compare(PREFACE, 0, size, start, start + size) === 0;
}
