/**
 * Takes the files of an archive in whatever order they come: each is written to a file of its own below `ingest`,
 * hashed on the way, and known by its path in the archive. What an image needs is then renamed into its place, the
 * rest deleted. Synchronous, for a worker thread.
 */
import { closeSync, fsyncSync, openSync, readFileSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import { type Digest, Digester, isDigest } from '#runtime/image/digest.ts';
import { digestMismatch, ImageError, limitExceeded } from '#runtime/image/errors.ts';
import { LAYER_LIMITS, MAX_ARCHIVE_ENTRIES, MAX_CONFIG_BYTES, MAX_IMAGE_BYTES } from '#runtime/image/limits.ts';
import { blobPath, type StoreLayout, temporaryPath } from '#runtime/image/store/layout.ts';
import { compressionOf, type Compression } from '#runtime/image/unpack/decompress.ts';
import { entryPath } from '#runtime/image/unpack/entry-path.ts';
import { shownName, type TarEntry } from '#runtime/image/unpack/tar-entry.ts';
import type { TarVisitor } from '#runtime/image/unpack/tar-reader.ts';

export interface StagedFile {
  readonly digest: Digest;
  readonly size: number;
  /** Where it is now. */
  file: string;
  /** Among the blobs, no longer ours to delete. */
  isCommitted: boolean;
}

const BLOB_PATH = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/;
const MAX_LINKS = 8;
const HEAD_BYTES = 8;

export class Staging implements TarVisitor, Disposable {
  readonly #layout: StoreLayout;
  readonly #clock: Clock;
  readonly #sourceBytes: () => number;
  readonly #files = new Map<string, StagedFile>();
  readonly #links = new Map<string, string>();
  #entries = 0;
  #bytes = 0;
  #current: { path: string; file: string; fd: number; digester: Digester; size: number } | undefined;

  constructor(options: { layout: StoreLayout; clock: Clock; sourceBytes: () => number }) {
    this.#layout = options.layout;
    this.#clock = options.clock;
    this.#sourceBytes = options.sourceBytes;
  }

  [Symbol.dispose](): void {
    if (this.#current) closeSync(this.#current.fd);
    if (this.#current) rmSync(this.#current.file, { force: true });
    for (const staged of this.#files.values()) discard(staged);
  }

  entry(entry: TarEntry): void {
    this.#entries += 1;
    if (this.#entries > MAX_ARCHIVE_ENTRIES) throw limitExceeded('number of files in an archive', MAX_ARCHIVE_ENTRIES);
    const name = entryPath(entry.name, LAYER_LIMITS);
    if (entry.type === 'directory') return;
    if (entry.type === 'symlink')
      this.#links.set(name, path.posix.join('/', path.posix.dirname(name), entry.linkName).slice(1));
    else if (entry.type === 'hardlink') this.#links.set(name, entryPath(entry.linkName, LAYER_LIMITS));
    else if (entry.type === 'file' && !entry.sparse) this.#open(name);
    else throw new ImageError('MalformedArchive', `${shownName(entry.name)} has no place in an archive of images`);
  }

  data(bytes: Buffer): void {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_IMAGE_BYTES) throw limitExceeded('size of an archive', MAX_IMAGE_BYTES);
    const { ratio, ratioFloorBytes } = LAYER_LIMITS;
    if (this.#bytes > ratioFloorBytes && this.#bytes > ratio * this.#sourceBytes()) {
      throw limitExceeded('compression ratio of an archive', ratio);
    }
    const current = this.#current;
    if (!current) return;
    for (let done = 0; done < bytes.length;) done += writeSync(current.fd, bytes, done);
    current.digester.update(bytes);
    current.size += bytes.length;
  }

  end(): void {
    const current = this.#current;
    if (!current) return;
    fsyncSync(current.fd);
    closeSync(current.fd);
    const { file, size } = current;
    const digest = current.digester.finish();
    this.#current = undefined;
    const replaced = this.#files.get(current.path);
    if (replaced) discard(replaced);
    this.#files.set(current.path, { file, digest, size, isCommitted: false });
    const promised = promisedDigest(current.path);
    if (promised !== undefined && promised !== digest) throw digestMismatch(promised, digest, current.path);
  }

  has(name: string): boolean {
    return this.find(name) !== undefined;
  }

  /** Follows links within the archive. */
  find(name: string): StagedFile | undefined {
    let current = path.posix.normalize(name).replace(/^\/+/, '');
    for (let link = 0; link <= MAX_LINKS; link += 1) {
      const staged = this.#files.get(current);
      if (staged) return staged;
      const target = this.#links.get(current);
      if (target === undefined) return undefined;
      current = target;
    }
    return undefined;
  }

  read(name: string): Buffer {
    const staged = this.#needed(name);
    if (staged.size > MAX_CONFIG_BYTES) throw limitExceeded(`${name} of ${staged.size} bytes`, MAX_CONFIG_BYTES);
    return readFileSync(staged.file);
  }

  compression(name: string): Compression {
    const fd = openSync(this.#needed(name).file, 'r');
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      const length = readSync(fd, head, 0, HEAD_BYTES, 0);
      return compressionOf(head.subarray(0, length));
    } finally {
      closeSync(fd);
    }
  }

  /** Puts a file among the blobs; it can still be found and read. */
  commit(name: string): StagedFile {
    const staged = this.#needed(name);
    if (staged.isCommitted) return staged;
    const target = blobPath(this.#layout, staged.digest);
    renameSync(staged.file, target);
    staged.file = target;
    staged.isCommitted = true;
    return staged;
  }

  /** Commits every file that lies where an OCI layout keeps blobs. */
  commitBlobs(): void {
    for (const name of this.#files.keys()) if (promisedDigest(name) !== undefined) this.commit(name);
  }

  #needed(name: string): StagedFile {
    const staged = this.find(name);
    if (staged) return staged;
    throw new ImageError('MalformedArchive', `the archive refers to ${JSON.stringify(name)}, which is not in it`);
  }

  #open(name: string): void {
    const file = temporaryPath(this.#layout, this.#clock);
    const digester = new Digester(promisedDigest(name));
    this.#current = { path: name, file, fd: openSync(file, 'wx', 0o600), digester, size: 0 };
  }
}

function discard(staged: StagedFile): void {
  if (!staged.isCommitted) rmSync(staged.file, { force: true });
}

/** Blobs of an OCI layout are named by their digest. */
function promisedDigest(name: string): Digest | undefined {
  const match = BLOB_PATH.exec(name);
  const digest = match ? `${match[1]}:${match[2]}` : undefined;
  return isDigest(digest) ? digest : undefined;
}
