/**
 * The form of a container's log on disk, as the kubelet's CRI has it: one line per line of output,
 *
 *     2026-01-01T00:00:00.000000000Z stdout F the text
 *
 * with `P` instead of `F` when the line goes on in the next record. Pure.
 */

/** Longest text in one record; a longer line of output is written as several. */
export const MAX_TEXT_BYTES = 16 * 1024;

export type LogStream = 'stdout' | 'stderr';

export interface LogRecord {
  /** As written, nanoseconds included. */
  readonly time: string;
  readonly timeMs: number;
  readonly stream: LogStream;
  readonly isPartial: boolean;
  /** Without its newline. */
  readonly text: Buffer;
}

const NEWLINE = 10;

/** Splits what one stream of a container writes into records; keeps the end of an unfinished line. */
export class LineSplitter {
  readonly #stream: LogStream;
  #pending: Buffer = Buffer.alloc(0);

  constructor(stream: LogStream) {
    this.#stream = stream;
  }

  /** The records that `chunk` completed, stamped with `nowMs`. */
  feed(chunk: Buffer, nowMs: number): Buffer {
    const records: Buffer[] = [];
    let rest = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const newline = rest.indexOf(NEWLINE);
      if (newline >= 0 && newline <= MAX_TEXT_BYTES) {
        records.push(this.#record(rest.subarray(0, newline), 'F', nowMs));
        rest = rest.subarray(newline + 1);
      } else if (rest.length > MAX_TEXT_BYTES) {
        records.push(this.#record(rest.subarray(0, MAX_TEXT_BYTES), 'P', nowMs));
        rest = rest.subarray(MAX_TEXT_BYTES);
      } else break;
    }
    this.#pending = Buffer.from(rest);
    return Buffer.concat(records);
  }

  /** What an unfinished line has so far; the next record goes on with it. */
  part(nowMs: number): Buffer {
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    return rest.length === 0 ? rest : this.#record(rest, 'P', nowMs);
  }

  /** What is left when the stream ends: a last line without a newline. */
  end(nowMs: number): Buffer {
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    return rest.length === 0 ? rest : this.#record(rest, 'F', nowMs);
  }

  #record(text: Buffer, tag: 'F' | 'P', nowMs: number): Buffer {
    const head = `${formatNanoTime(nowMs)} ${this.#stream} ${tag} `;
    return Buffer.concat([Buffer.from(head, 'latin1'), text, Buffer.from('\n', 'latin1')]);
  }
}

/** RFC 3339 with nine digits; the clock gives milliseconds and fractions of them. */
export function formatNanoTime(epochMs: number): string {
  const whole = Math.floor(epochMs);
  const nanos = Math.floor((epochMs - whole) * 1e6);
  return `${new Date(whole).toISOString().slice(0, -1)}${String(nanos).padStart(6, '0')}Z`;
}

/** Undefined when the line is none of ours. */
export function parseRecord(line: Buffer): LogRecord | undefined {
  const head = line.subarray(0, 64).toString('latin1');
  const match = /^(\S+) (stdout|stderr) ([FP]) /.exec(head);
  const [prefix = '', time = '', stream = '', tag = ''] = match ?? [];
  const timeMs = Date.parse(time);
  if (!match || Number.isNaN(timeMs)) return undefined;
  return { time, timeMs, stream: stream as LogStream, isPartial: tag === 'P', text: line.subarray(prefix.length) };
}
