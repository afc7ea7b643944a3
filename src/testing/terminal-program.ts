/** A program in a terminal, as a person has it before them: typed at, read from, with a window of some size. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { openPty, setWindowSize, type WindowSize } from '#sys/pty.ts';
import { eventually } from '#testing/eventually.ts';

export class TerminalProgram implements Disposable {
  readonly #child: ChildProcess;
  readonly #terminal: ReadStream;
  readonly #master: number;
  #shown = '';
  #read = 0;

  constructor(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { master, slave } = openPty({ rows: 30, columns: 100 });
    this.#child = spawn(file, args, { stdio: [slave, slave, slave], env: { ...process.env, ...env } });
    closeSync(slave);
    this.#master = master;
    this.#terminal = new ReadStream(master);
    // A terminal whose last user has gone reports an I/O error rather than an end.
    this.#terminal.on('error', () => {});
    this.#terminal.on('data', (chunk: Buffer) => (this.#shown += chunk.toString('utf8')));
  }

  type(text: string): void {
    this.#terminal.write(text);
  }

  resize(size: WindowSize): void {
    setWindowSize(this.#master, size);
    this.#child.kill('SIGWINCH');
  }

  /** Waits until `text` is shown, beyond what was waited for before. */
  async shows(text: string): Promise<void> {
    const isShown = () => this.#shown.includes(text, this.#read);
    await eventually(isShown).catch((cause: unknown) => {
      const unread = this.#shown.slice(this.#read);
      throw new Error(`${JSON.stringify(text)} was not shown, but ${JSON.stringify(unread)}`, { cause });
    });
    this.#read = this.#shown.indexOf(text, this.#read) + text.length;
  }

  /** The exit code. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
    this.#terminal.destroy();
  }
}
