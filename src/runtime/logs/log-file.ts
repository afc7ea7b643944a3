/**
 * The log of one attempt of one container on disk: appended to, rotated by size, read from anywhere.
 *
 *     DIR/pod-logs/NAMESPACE_POD_UID/CONTAINER/ATTEMPT.log, ATTEMPT.log.1 (older), ATTEMPT.log.2 …
 *
 * Writes go to the page cache at once; a reader in the same process is told of each. What a full disk has no room for
 * is lost, in whole records.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { hasCode } from '#sys/errors.ts';

/** Size at which a log is rotated, and how many files of one attempt are kept, as the kubelet has it by default. */
const MAX_LOG_BYTES = 10 * 1024 * 1024;
const MAX_LOG_FILES = 5;

export class LogFile implements Disposable {
  readonly file: string;
  readonly #limit: number;
  readonly #listeners = new Set<() => void>();
  #fd: number;
  #size: number;
  #closed = false;

  constructor(file: string, limit: number = MAX_LOG_BYTES) {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
    this.file = file;
    this.#limit = limit;
    this.#fd = openSync(file, 'a', 0o640);
    this.#size = fstatSync(this.#fd).size;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  append(records: Buffer): void {
    if (records.length === 0 || this.#closed) return;
    if (this.#size > 0 && this.#size + records.length > this.#limit) this.#rotate();
    if (!this.#write(records)) return;
    this.#size += records.length;
    this.#announce();
  }

  /** Called after each append, each rotation and the end; the answer stops it. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
    this.#announce();
  }

  /** All or nothing; false when the disk is full. */
  #write(records: Buffer): boolean {
    try {
      for (let done = 0; done < records.length;) done += writeSync(this.#fd, records, done);
      return true;
    } catch (error) {
      if (!isFull(error)) throw error;
      ftruncateSync(this.#fd, this.#size);
      return false;
    }
  }

  /** Not while the disk is full: then the present file stays the newest. */
  #rotate(): void {
    const fresh = this.#openFresh();
    if (fresh === undefined) return;
    rmSync(rotatedName(this.file, MAX_LOG_FILES - 1), { force: true });
    for (let age = MAX_LOG_FILES - 2; age >= 0; age -= 1) {
      const from = rotatedName(this.file, age);
      if (existsSync(from)) renameSync(from, rotatedName(this.file, age + 1));
    }
    renameSync(freshName(this.file), this.file);
    closeSync(this.#fd);
    this.#fd = fresh;
    this.#size = 0;
  }

  #openFresh(): number | undefined {
    try {
      return openSync(freshName(this.file), 'a', 0o640);
    } catch (error) {
      if (isFull(error)) return undefined;
      throw error;
    }
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }
}

function rotatedName(file: string, age: number): string {
  return age === 0 ? file : `${file}.${age}`;
}

/** Until it is the newest. */
function freshName(file: string): string {
  return `${file}.fresh`;
}

function isFull(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT');
}

/** The files of one attempt that exist, oldest first. */
export function logFilesOf(file: string): string[] {
  const names = Array.from({ length: MAX_LOG_FILES }, (_, age) => rotatedName(file, age));
  return names.filter((name) => existsSync(name)).reverse();
}
