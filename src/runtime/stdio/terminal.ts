/**
 * Our end of a terminal as two streams. Output comes through Node's own stream for terminals. Input does not: that
 * stream would hold up the whole thread when the program behind the terminal does not read, so it is written without
 * waiting and tried again.
 */
import { writeSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import type { Clock } from '#base/clock.ts';
import { hasCode } from '#sys/errors.ts';
import { setNonBlocking } from '#sys/pipe.ts';

/** How often input is tried again while the program is behind. */
const RETRY_MS = 10;

const MAX_KEPT_BYTES = 64 * 1024;

/** What programs in a terminal are told that it is, as containerd has it. */
export const TERMINAL_TYPE = 'TERM=xterm';

export interface Terminal {
  readonly input: Writable;
  /** Ends when every holder of the other end has closed it. Destroying it closes the terminal. */
  readonly output: Readable;
}

/** Takes over `master`. */
export function openTerminal(master: number, clock: Clock): Terminal {
  setNonBlocking(master);
  const output = new TerminalOutput(new ReadStream(master));
  return { input: new TerminalInput(master, output, clock), output };
}

class TerminalOutput extends Readable {
  readonly #terminal: ReadStream;

  constructor(terminal: ReadStream) {
    super({ highWaterMark: MAX_KEPT_BYTES });
    this.#terminal = terminal;
    terminal.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) terminal.pause();
    });
    // A terminal whose other end is closed reports an I/O error, not an end.
    terminal.on('error', () => this.push(null));
    terminal.on('end', () => this.push(null));
  }

  override _read(): void {
    this.#terminal.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#terminal.destroy();
    done(error);
  }
}

class TerminalInput extends Writable {
  readonly #fd: number;
  readonly #output: Readable;
  readonly #clock: Clock;

  constructor(fd: number, output: Readable, clock: Clock) {
    super({ highWaterMark: MAX_KEPT_BYTES });
    this.#fd = fd;
    this.#output = output;
    this.#clock = clock;
    this.on('error', () => {});
    output.on('close', () => this.destroy());
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // The descriptor belongs to the output; once that is closed the number may be anybody's.
    if (this.#output.destroyed) return done(new Error('the terminal is closed'));
    let written = 0;
    try {
      written = writeSync(this.#fd, chunk);
    } catch (error) {
      if (!hasCode(error, 'EAGAIN')) return done(error as Error);
    }
    if (written === chunk.length) return done();
    const goOn = () => this._write(chunk.subarray(written), encoding, done);
    this.#clock.after(RETRY_MS, goOn, { unref: true });
  }
}
