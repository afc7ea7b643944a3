/**
 * Writes what a container prints into its log, line by line. While somebody looks (attach), what a line has so far is
 * written at once, as a part that the next one continues: a prompt has no newline.
 */
import type { Clock } from '#base/clock.ts';
import { LineSplitter, type LogStream } from '#runtime/logs/lines.ts';
import type { LogFile } from '#runtime/logs/log-file.ts';

export class OutputLog {
  readonly #log: LogFile;
  readonly #clock: Clock;
  readonly #splitters = { stdout: new LineSplitter('stdout'), stderr: new LineSplitter('stderr') };
  #lookers = 0;

  constructor(log: LogFile, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  write(stream: LogStream, chunk: Buffer): void {
    const splitter = this.#splitters[stream];
    const now = this.#clock.now();
    this.#log.append(splitter.feed(chunk, now));
    if (this.#lookers > 0) this.#log.append(splitter.part(now));
  }

  end(stream: LogStream): void {
    this.#log.append(this.#splitters[stream].end(this.#clock.now()));
  }

  /** Until it is disposed of, no part of a line is held back. */
  showUnfinished(): Disposable {
    for (const splitter of Object.values(this.#splitters)) this.#log.append(splitter.part(this.#clock.now()));
    this.#lookers += 1;
    let isLooking = true;
    return {
      [Symbol.dispose]: () => {
        if (isLooking) this.#lookers -= 1;
        isLooking = false;
      },
    };
  }
}
