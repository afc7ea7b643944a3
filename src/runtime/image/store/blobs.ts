/** Content by digest: written once, complete and checked, or not there. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import { type Digest, Digester } from '#runtime/image/digest.ts';
import { digestMismatch, limitExceeded } from '#runtime/image/errors.ts';
import { blobPath, type StoreLayout, syncDirectory, temporaryPath, writeWhole } from '#runtime/image/store/layout.ts';
import { hasCode } from '#sys/errors.ts';

/** True when the blob is there in its full size. A wrong size means a damaged disk: the blob is taken as missing. */
export async function hasBlob(layout: StoreLayout, blob: { digest: Digest; size?: number }): Promise<boolean> {
  try {
    const { size } = await stat(blobPath(layout, blob.digest));
    return blob.size === undefined || blob.size === size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** A small blob, checked against its digest; undefined when it is missing or damaged. */
export async function readBlob(layout: StoreLayout, digest: Digest, limit: number): Promise<Buffer | undefined> {
  try {
    const file = blobPath(layout, digest);
    const { size } = await stat(file);
    if (size > limit) throw limitExceeded(`blob of ${size} bytes`, limit);
    const bytes = await readFile(file);
    return isContentOf(bytes, digest) ? bytes : undefined;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Stores bytes under their digest, over whatever is there; throws when they have another. */
export async function writeBlob(
  layout: StoreLayout,
  clock: Clock,
  blob: { digest: Digest; bytes: Uint8Array },
): Promise<void> {
  if (!isContentOf(blob.bytes, blob.digest)) throw digestMismatch(blob.digest, 'another', 'blob');
  await writeWhole(layout, clock, { path: blobPath(layout, blob.digest), bytes: blob.bytes });
}

function isContentOf(bytes: Uint8Array, digest: Digest): boolean {
  const digester = new Digester(digest);
  digester.update(bytes);
  return digester.finish() === digest;
}

/** Reads a blob of any size to see whether it is still what its name says; one that is not is taken away. */
export async function isIntact(layout: StoreLayout, digest: Digest): Promise<boolean> {
  const file = blobPath(layout, digest);
  const digester = new Digester(digest);
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) digester.update(chunk);
  if (digester.finish() === digest) return true;
  await rm(file, { force: true });
  return false;
}

/** A blob on its way in. Whoever commits it has checked its digest. */
export class BlobWriter implements AsyncDisposable {
  readonly #layout: StoreLayout;
  readonly #path: string;
  readonly #handle: FileHandle;
  #size = 0;
  #isDone = false;

  private constructor(layout: StoreLayout, file: string, handle: FileHandle) {
    this.#layout = layout;
    this.#path = file;
    this.#handle = handle;
  }

  static async create(layout: StoreLayout, clock: Clock): Promise<BlobWriter> {
    const file = temporaryPath(layout, clock);
    return new BlobWriter(layout, file, await open(file, 'wx', 0o600));
  }

  get size(): number {
    return this.#size;
  }

  async write(chunk: Buffer): Promise<void> {
    for (let done = 0; done < chunk.length;) {
      const { bytesWritten } = await this.#handle.write(chunk, done, chunk.length - done, this.#size + done);
      done += bytesWritten;
    }
    this.#size += chunk.length;
  }

  async reset(): Promise<void> {
    await this.#handle.truncate(0);
    this.#size = 0;
  }

  async commit(digest: Digest): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
    const target = blobPath(this.#layout, digest);
    await rename(this.#path, target);
    this.#isDone = true;
    await syncDirectory(path.dirname(target));
  }

  /** Removes what was not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    await this.#handle.close();
    await rm(this.#path, { force: true });
  }
}
