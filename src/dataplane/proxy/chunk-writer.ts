/** Bodies in chunks: what one read gave becomes one chunk. */
import type { Wire } from '#dataplane/proxy/wire.ts';

const CRLF = Buffer.from('\r\n');
const LAST_CHUNK = Buffer.from('0\r\n');
/** Room for the size of a chunk in hex, and its line end. */
const CHUNK_LINE_BYTES = 16;

export function sendChunk(wire: Wire, buf: Buffer, start: number, end: number): void {
  if (end <= start) return;
  const slab = wire.room(CHUNK_LINE_BYTES);
  slab.text((end - start).toString(16));
  slab.put(CRLF);
  wire.commit();
  wire.send(buf, start, end);
  wire.room(CRLF.length).put(CRLF);
  wire.commit();
}

/** Ends the body; `trailers` are whole field lines. */
export function sendLastChunk(wire: Wire, trailers: Buffer | undefined): void {
  const slab = wire.room(LAST_CHUNK.length + (trailers?.length ?? 0) + CRLF.length);
  slab.put(LAST_CHUNK);
  if (trailers) slab.put(trailers);
  slab.put(CRLF);
  wire.commit();
}
