/**
 * Reads a container's log back as `kubectl logs` wants it: the last lines, since a time, with timestamps, a limit of
 * bytes, and following while it grows. Memory stays bounded: files are read in chunks, and the tail is found from the
 * end.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { logFilesOf, type LogFile } from '#runtime/logs/log-file.ts';
import { type LogRecord, parseRecord } from '#runtime/logs/lines.ts';

const CHUNK_BYTES = 64 * 1024;

export interface LogOptions {
  /** Lines from the end; all when absent. */
  readonly tailLines?: number | undefined;
  /** Only what was written at or after this time, ms since the epoch. */
  readonly sinceMs?: number | undefined;
  readonly timestamps?: boolean | undefined;
  readonly limitBytes?: number | undefined;
  readonly stream?: 'stdout' | 'stderr' | undefined;
}

export interface LogSource {
  /** Path of the attempt's newest file. */
  readonly file: string;
  /** Set when the log still grows and is to be followed. */
  readonly live?: LogFile | undefined;
}

/** What the client gets, piece by piece. Ends when there is no more, the limit is reached, or `signal` aborts. */
export async function* readLog(source: LogSource, options: LogOptions, signal: AbortSignal): AsyncGenerator<Buffer> {
  let budget = options.limitBytes ?? Number.POSITIVE_INFINITY;
  const filter = createFilter(options);
  using cursor = new Cursor(source.file, options.tailLines);
  for (;;) {
    for (let records = cursor.read(); records; records = cursor.read()) {
      const text = Buffer.concat(records.flatMap((record) => filter(record)));
      const piece = text.subarray(0, budget);
      budget -= piece.length;
      if (piece.length > 0) yield piece;
      if (budget <= 0 || signal.aborted) return;
    }
    if (!source.live || source.live.isClosed || signal.aborted) return;
    await changed(source.live, signal);
  }
}

function createFilter({ sinceMs, timestamps, stream }: LogOptions): (record: LogRecord) => Buffer[] {
  const newline = Buffer.from('\n');
  const continues = { stdout: false, stderr: false };
  return (record) => {
    const isContinuation = continues[record.stream];
    continues[record.stream] = record.isPartial;
    if (sinceMs !== undefined && record.timeMs < sinceMs) return [];
    if (stream !== undefined && record.stream !== stream) return [];
    const stamp = timestamps && !isContinuation ? [Buffer.from(`${record.time} `)] : [];
    return [...stamp, record.text, ...(record.isPartial ? [] : [newline])];
  };
}

function changed(log: LogFile, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      subscription[Symbol.dispose]();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const subscription = log.onChange(done);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Walks the files of a log from oldest to newest, and along with the newest as it is rotated. */
class Cursor implements Disposable {
  readonly #file: string;
  #open: number[];
  #position = 0;
  #pending = Buffer.alloc(0);

  constructor(file: string, tailLines: number | undefined) {
    this.#file = file;
    this.#open = logFilesOf(file).map((name) => openSync(name, 'r'));
    if (tailLines !== undefined) this.#seekTail(tailLines);
  }

  /** The next complete records, or undefined when everything that is there was read. */
  read(): LogRecord[] | undefined {
    for (;;) {
      const fd = this.#open[0];
      if (fd === undefined) return undefined;
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = readSync(fd, chunk, 0, CHUNK_BYTES, this.#position);
      if (count > 0) {
        this.#position += count;
        return this.#parse(chunk.subarray(0, count));
      }
      if (!this.#advance()) return undefined;
    }
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) closeSync(fd);
  }

  /** Goes on to the next newer file: one that was there from the start, or that rotations began meanwhile. */
  #advance(): boolean {
    const [current] = this.#open;
    if (current === undefined) return false;
    if (this.#open.length === 1) this.#open.push(...newerThan(this.#file, current));
    if (this.#open.length === 1) return false;
    closeSync(current);
    this.#open.shift();
    this.#position = 0;
    return true;
  }

  #parse(chunk: Buffer): LogRecord[] {
    const all = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const records: LogRecord[] = [];
    let start = 0;
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, start)) {
      const record = parseRecord(all.subarray(start, end));
      if (record) records.push(record);
      start = end + 1;
    }
    this.#pending = Buffer.from(all.subarray(start));
    return records;
  }

  /** Skips all but the last `lines` lines over all files. */
  #seekTail(lines: number): void {
    let missing = lines;
    for (let index = this.#open.length - 1; index >= 0; index -= 1) {
      const found = tailOffset(this.#open[index] as number, missing);
      if (found.lines >= missing || index === 0) {
        for (const fd of this.#open.splice(0, index)) closeSync(fd);
        this.#position = found.offset;
        return;
      }
      missing -= found.lines;
    }
  }
}

/** Opens the files that are newer than the one behind `fd`, oldest first; all of them when that one is gone already. */
function newerThan(file: string, fd: number): number[] {
  const opened = logFilesOf(file).map((name) => openSync(name, 'r'));
  const { ino } = fstatSync(fd);
  const index = opened.findIndex((other) => fstatSync(other).ino === ino);
  for (const known of opened.splice(0, index + 1)) closeSync(known);
  return opened;
}

/** Where the last `lines` complete lines of a file begin, and how many there are. Parts of long lines count once. */
function tailOffset(fd: number, lines: number): { offset: number; lines: number } {
  const { size } = fstatSync(fd);
  if (lines === 0) return { offset: size, lines: 0 };
  let found = 0;
  let end = size;
  let carry = Buffer.alloc(0);
  while (end > 0) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const chunk = Buffer.alloc(end - start);
    readSync(fd, chunk, 0, chunk.length, start);
    const block = Buffer.concat([chunk, carry]);
    let stop = block.length;
    for (let at = block.lastIndexOf(10, stop - 2); at >= 0; at = block.lastIndexOf(10, stop - 2)) {
      if (!isContinued(block.subarray(at + 1, stop))) found += 1;
      if (found > lines) return { offset: start + stop, lines };
      stop = at + 1;
      if (stop < 2) break;
    }
    carry = block.subarray(0, stop);
    end = start;
  }
  if (carry.length > 0 && !isContinued(carry)) found += 1;
  return { offset: found > lines ? carry.length : 0, lines: Math.min(found, lines) };
}

function isContinued(line: Buffer): boolean {
  return parseRecord(line)?.isPartial ?? false;
}
