/**
 * A command in a container, with our ends of its streams: three pipes, or a terminal for all. The other ends are
 * the command's alone, so its output ends when it and whatever it left behind have closed theirs.
 */
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import type { ContainerDriver, ExecProcess } from '#runtime/drivers/driver.ts';
import type { StreamOptions } from '#runtime/kubelet/remote/stream-options.ts';
import { openTerminal, TERMINAL_TYPE } from '#runtime/stdio/terminal.ts';
import { closeDescriptor } from '#sys/libc.ts';
import { openPipe } from '#sys/pipe.ts';
import { openPty, setWindowSize, type WindowSize } from '#sys/pty.ts';

/** How long a command may take to end once it was hung up on. */
const HANG_UP_GRACE_MS = 2_000;

export interface CommandRequest {
  readonly driver: Pick<ContainerDriver, 'exec'>;
  readonly clock: Clock;
  /** Of the container, with the runtime. */
  readonly id: string;
  readonly args: readonly string[];
  readonly streams: StreamOptions;
}

interface Ends {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
}

export class Command implements Disposable {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  readonly #process: ExecProcess;
  readonly #clock: Clock;
  readonly #resize: (size: WindowSize) => void;

  constructor(process: ExecProcess, { stdin, stdout, stderr }: Ends, options: CommandOptions) {
    this.#process = process;
    this.stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
    this.#clock = options.clock;
    this.#resize = options.resize;
    process.exit.catch(() => undefined);
  }

  /** The exit code. Rejects when the runtime itself could not be run. */
  get exit(): Promise<number> {
    return this.#process.exit;
  }

  /** What the runtime said when it could not start the command; known by the time that it prints anything. */
  startFailure(): string | undefined {
    return this.#process.startFailure();
  }

  resize(size: WindowSize): void {
    this.#resize(size);
  }

  /** Nobody is there any more: closes the streams, hangs up, and kills what does not end by itself. */
  abandon(): void {
    this[Symbol.dispose]();
    this.#process.kill('SIGHUP');
    const timer = this.#clock.after(HANG_UP_GRACE_MS, () => this.#process.kill('SIGKILL'));
    void this.#process.exit.catch(() => undefined).then(() => timer.cancel());
  }

  [Symbol.dispose](): void {
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.destroy();
  }
}

interface CommandOptions {
  readonly clock: Clock;
  readonly resize: (size: WindowSize) => void;
}

export function startCommand(request: CommandRequest): Command {
  return request.streams.tty ? startInTerminal(request) : startWithPipes(request);
}

function startWithPipes({ driver, clock, id, args, streams }: CommandRequest): Command {
  const stdin = streams.stdin ? openPipe() : undefined;
  const stdout = streams.stdout ? openPipe() : undefined;
  const stderr = streams.stderr ? openPipe() : undefined;
  const theirs = [stdin?.readEnd, stdout?.writeEnd, stderr?.writeEnd];
  const ours = [stdin?.writeEnd, stdout?.readEnd, stderr?.readEnd];
  const [input = null, output = null, errors = null] = theirs;
  const process = startWith({ theirs, ours }, () =>
    driver.exec({ id, args, stdin: input, stdout: output, stderr: errors, tty: false }),
  );
  const ends = { stdin: writerOf(ours[0]), stdout: readerOf(ours[1]), stderr: readerOf(ours[2]) };
  return new Command(process, ends, { clock, resize: () => {} });
}

function startInTerminal({ driver, clock, id, args, streams }: CommandRequest): Command {
  const { master, slave } = openPty();
  const process = startWith({ theirs: [slave], ours: [master] }, () =>
    driver.exec({ id, args, env: [TERMINAL_TYPE], stdin: slave, stdout: slave, stderr: slave, tty: true }),
  );
  const { input, output } = openTerminal(master, clock);
  const resize = (size: WindowSize) => {
    if (output.destroyed) return;
    setWindowSize(master, size);
    process.kill('SIGWINCH');
  };
  const ends = { stdin: streams.stdin ? input : undefined, stdout: output, stderr: undefined };
  return new Command(process, ends, { clock, resize });
}

type Descriptors = readonly (number | undefined)[];

/** The command's ends are closed here in any case, ours only when nothing was started. */
function startWith(ends: { theirs: Descriptors; ours: Descriptors }, start: () => ExecProcess): ExecProcess {
  try {
    return start();
  } catch (error) {
    closeAll(ends.ours);
    throw error;
  } finally {
    closeAll(ends.theirs);
  }
}

function closeAll(descriptors: Descriptors): void {
  for (const fd of descriptors) if (fd !== undefined) closeDescriptor(fd);
}

function readerOf(fd: number | undefined): Readable | undefined {
  return fd === undefined ? undefined : new Socket({ fd, readable: true, writable: false });
}

function writerOf(fd: number | undefined): Writable | undefined {
  if (fd === undefined) return undefined;
  const socket = new Socket({ fd, readable: false, writable: true });
  // The command may close its input, or end, before everything was written.
  socket.on('error', () => {});
  return socket;
}
