/**
 * The plain bytes of a layer or archive that may be compressed: gzip, zstd or not at all, told by the first bytes
 * (media types lie). Decompression runs on Node's thread pool, one step ahead of whoever reads.
 */
import { open } from 'node:fs/promises';
import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ImageError } from '#runtime/image/errors.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

const READ_BYTES = 512 * 1024;
const CHUNK_BYTES = 256 * 1024;
const MAGIC_BYTES = 6;

/** Throws for compressions that images may not have. */
export function compressionOf(head: Buffer): Compression {
  const starts = (...bytes: number[]) => bytes.every((byte, at) => head[at] === byte);
  if (starts(0x1f, 0x8b)) return 'gzip';
  const isZstd = starts(0x28, 0xb5, 0x2f, 0xfd);
  const isSkippable = ((head[0] ?? 0) & 0xf0) === 0x50 && head.subarray(1, 4).equals(Buffer.from([0x2a, 0x4d, 0x18]));
  if (isZstd || isSkippable) return 'zstd';
  if (starts(0x42, 0x5a, 0x68)) throw unsupported('bzip2');
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a)) throw unsupported('xz');
  return 'none';
}

function unsupported(name: string): ImageError {
  return new ImageError('UnsupportedMediaType', `${name} compression is not supported: use gzip, zstd or none`);
}

export interface PlainBytes {
  readonly compression: Compression;
  readonly chunks: AsyncIterable<Buffer>;
  /** Bytes of the source that were read so far. */
  readonly sourceBytes: () => number;
}

/** Reads a file; the chunks must be read to their end or returned from. */
export async function decompressFile(file: string): Promise<PlainBytes> {
  const handle = await open(file, 'r');
  const source = handle.createReadStream({ highWaterMark: READ_BYTES });
  return decompress(source);
}

/** `source` may be any stream of bytes; it is destroyed with the chunks. */
export async function decompress(source: AsyncIterable<Buffer>): Promise<PlainBytes> {
  const input = source[Symbol.asyncIterator]();
  let head: Buffer;
  let compression: Compression;
  try {
    head = await firstBytes(input);
    compression = compressionOf(head);
  } catch (error) {
    await input.return?.();
    throw error;
  }
  let sourceBytes = head.length;
  async function* bytes(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head;
      for (let next = await input.next(); !next.done; next = await input.next()) {
        sourceBytes += next.value.length;
        yield next.value;
      }
    } finally {
      await input.return?.();
    }
  }
  const chunks = compression === 'none' ? bytes() : inflate(bytes(), compression);
  return { compression, chunks, sourceBytes: () => sourceBytes };
}

async function firstBytes(input: AsyncIterator<Buffer>): Promise<Buffer> {
  const first: Buffer[] = [];
  for (let read = 0; read < MAGIC_BYTES;) {
    const { value, done } = await input.next();
    if (done) break;
    first.push(value);
    read += value.length;
  }
  return Buffer.concat(first);
}

async function* inflate(source: AsyncGenerator<Buffer>, compression: Compression): AsyncGenerator<Buffer> {
  const options = {
    chunkSize: CHUNK_BYTES,
    readableHighWaterMark: 4 * CHUNK_BYTES,
    writableHighWaterMark: 2 * READ_BYTES,
  };
  const inflater: Transform = compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  const feeding = feed(source, inflater);
  try {
    for await (const chunk of inflater as AsyncIterable<Buffer>) yield chunk;
    await feeding;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (error instanceof ImageError) throw error;
    throw new ImageError('MalformedLayer', `invalid ${compression} data: ${text}`, { cause: error });
  } finally {
    inflater.destroy();
    await feeding;
  }
}

/** Never rejects: a source that fails destroys the inflater with its error. */
async function feed(source: AsyncGenerator<Buffer>, inflater: Transform): Promise<void> {
  try {
    for await (const chunk of source) {
      if (inflater.destroyed) return;
      if (!inflater.write(chunk)) await drained(inflater);
    }
    inflater.end();
  } catch (error) {
    inflater.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function drained(stream: Transform): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });
}
