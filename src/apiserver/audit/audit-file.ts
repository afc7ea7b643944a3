/**
 * Where the lines of the audit log go: a file that is rotated, or standard output. Whoever adds a line never waits: lines
 * queue up to a limit and are written together; what is beyond the limit, or cannot be written, is dropped and counted.
 */
import { close, fstat, open, rename, write } from 'node:fs';
import { promisify } from 'node:util';
import type { Logger } from '#base/log.ts';
import type { Metric } from '#base/metrics.ts';

/** Lines that wait to be written, together. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** A file that would grow beyond this is put aside first. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Files put aside: `FILE.1`, the newest, to `FILE.4`. */
const KEPT_FILES = 4;

const FILE_MODE = 0o600;

const openFile = promisify(open);
const closeFile = promisify(close);
const renameFile = promisify(rename);
const statFile = promisify(fstat);
const writeFile = promisify(write) as (
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
) => Promise<{ bytesWritten: number }>;

const STANDARD_OUTPUT = 1;

export interface AuditFileOptions {
  /** A path, or `-` for standard output, which is not rotated here. */
  readonly file: string;
  readonly logger: Logger;
  /** Counts lines that are lost. */
  readonly errors: Metric;
  readonly maxFileBytes?: number;
}

interface OpenFile {
  readonly fd: number;
  size: number;
}

export class AuditFile implements AsyncDisposable {
  readonly #options: AuditFileOptions;
  #queue: string[] = [];
  #queuedBytes = 0;
  #writing: Promise<void> | undefined;
  #current: OpenFile | undefined;
  #isFailing = false;

  constructor(options: AuditFileOptions) {
    this.#options = options;
  }

  /** Without its newline. */
  add(line: string): void {
    const size = Buffer.byteLength(line) + 1;
    if (this.#queuedBytes + size > MAX_QUEUED_BYTES) return this.#lose(1);
    this.#queue.push(line);
    this.#queuedBytes += size;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when everything that was added is written, or lost. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    if (this.#current && this.#current.fd !== STANDARD_OUTPUT) await closeFile(this.#current.fd);
    this.#current = undefined;
  }

  async #writeAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const lines = this.#queue;
      this.#queue = [];
      this.#queuedBytes = 0;
      try {
        await this.#write(Buffer.from(`${lines.join('\n')}\n`));
        this.#isFailing = false;
      } catch (error) {
        this.#lose(lines.length);
        await this.#fail(error);
      }
    }
    this.#writing = undefined;
  }

  async #write(bytes: Buffer): Promise<void> {
    const file = await this.#openFor(bytes.length);
    for (let offset = 0; offset < bytes.length;) {
      const { bytesWritten } = await writeFile(file.fd, bytes, offset, bytes.length - offset);
      offset += bytesWritten;
      file.size += bytesWritten;
    }
  }

  async #openFor(bytes: number): Promise<OpenFile> {
    const { file, maxFileBytes = MAX_FILE_BYTES } = this.#options;
    if (file === '-') return (this.#current ??= { fd: STANDARD_OUTPUT, size: 0 });
    if (this.#current && this.#current.size > 0 && this.#current.size + bytes > maxFileBytes) {
      await closeFile(this.#current.fd);
      this.#current = undefined;
      await putAside(file);
    }
    return (this.#current ??= await openForAppending(file));
  }

  /** Said once until it works again; the file is opened anew for the next lines. */
  async #fail(error: unknown): Promise<void> {
    if (!this.#isFailing) this.#options.logger.error('the audit log cannot be written', { error });
    this.#isFailing = true;
    const current = this.#current;
    this.#current = undefined;
    if (current && current.fd !== STANDARD_OUTPUT) await closeFile(current.fd).catch(() => undefined);
  }

  #lose(count: number): void {
    this.#options.errors.add(count, { plugin: 'log' });
  }
}

async function openForAppending(file: string): Promise<OpenFile> {
  const fd = await openFile(file, 'a', FILE_MODE);
  return { fd, size: (await statFile(fd)).size };
}

async function putAside(file: string): Promise<void> {
  for (let number = KEPT_FILES - 1; number >= 1; number -= 1) {
    await renameFile(`${file}.${number}`, `${file}.${number + 1}`).catch(ignoreAbsent);
  }
  await renameFile(file, `${file}.1`).catch(ignoreAbsent);
}

function ignoreAbsent(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
