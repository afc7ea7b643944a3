/**
 * Where the lines of the audit log go: a file that is rotated, or standard output. Whoever adds a line never waits: lines
 * queue up to a limit and are written together; what is beyond the limit, or cannot be written, is dropped and counted.
 */
import { type FileHandle, open, rename } from 'node:fs/promises';
import type { Logger } from '#base/log.ts';
import type { Metric } from '#base/metrics.ts';

/** Lines that wait to be written, together. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** A file that would grow beyond this is put aside first. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Files put aside: `FILE.1`, the newest, to `FILE.4`. */
const KEPT_FILES = 4;

const FILE_MODE = 0o600;

const STANDARD_OUTPUT = '/dev/stdout';

export interface AuditFileOptions {
  /** A path, or `-` for standard output, which is not rotated here. */
  readonly file: string;
  readonly logger: Logger;
  /** Counts lines that are lost. */
  readonly errors: Metric;
  readonly maxFileBytes?: number;
}

interface OpenFile {
  readonly handle: FileHandle;
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
    await this.#close();
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
    await file.handle.appendFile(bytes);
    file.size += bytes.length;
  }

  async #openFor(bytes: number): Promise<OpenFile> {
    const { file, maxFileBytes = MAX_FILE_BYTES } = this.#options;
    const isFull = this.#current && this.#current.size > 0 && this.#current.size + bytes > maxFileBytes;
    if (isFull && file !== '-') {
      await this.#close();
      await putAside(file);
    }
    return (this.#current ??= await openForAppending(file === '-' ? STANDARD_OUTPUT : file));
  }

  /** Said once until it works again; the file is opened anew for the next lines. */
  async #fail(error: unknown): Promise<void> {
    if (!this.#isFailing) this.#options.logger.error('the audit log cannot be written', { error });
    this.#isFailing = true;
    try {
      await this.#close();
    } catch {
      // It failed already, and that has been said.
    }
  }

  async #close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.handle.close();
  }

  #lose(count: number): void {
    this.#options.errors.add(count, { plugin: 'log' });
  }
}

async function openForAppending(file: string): Promise<OpenFile> {
  const handle = await open(file, 'a', FILE_MODE);
  return { handle, size: (await handle.stat()).size };
}

async function putAside(file: string): Promise<void> {
  for (let number = KEPT_FILES; number >= 1; number -= 1) {
    const from = number === 1 ? file : `${file}.${number - 1}`;
    try {
      await rename(from, `${file}.${number}`);
    } catch (error) {
      ignoreAbsent(error);
    }
  }
}

function ignoreAbsent(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
