/**
 * A command in a running container, through the runtime's `exec` in the foreground: it passes on signals, copies to
 * and from a terminal, and ends with the command's exit code.
 *
 * The runtime's log comes through a pipe of its own: it tells a command that could not be started from one that
 * ended with an error, and leaves nothing behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readSync } from 'node:fs';
import type { ExecProcess, ExecRequest } from '#runtime/drivers/driver.ts';
import { lastErrorIn } from '#runtime/drivers/runtime-log.ts';
import { hasCode } from '#sys/errors.ts';
import { closeDescriptor } from '#sys/libc.ts';
import { openPipe, setNonBlocking } from '#sys/pipe.ts';
import { makeRaw } from '#sys/pty.ts';
import { parsePids, readProc } from '#sys/proc.ts';

/** As much as a pipe holds; the runtime logs a line or two. */
const MAX_LOG_BYTES = 64 * 1024;

/** The runtime's descriptor for its log, after the three standard streams. */
const LOG_FD = 3;

export interface OciCommand {
  readonly executable: string;
  /** Global options, which stand before the command. */
  readonly options: readonly string[];
}

export function execInOci({ executable, options }: OciCommand, request: ExecRequest): ExecProcess {
  const { id, args, env = [], cwd, user, stdin, stdout, stderr, tty } = request;
  const flags = [
    ...env.flatMap((pair) => ['--env', pair]),
    ...(cwd === undefined ? [] : ['--cwd', cwd]),
    ...(user === undefined ? [] : ['--user', user]),
    ...(tty ? ['--tty'] : []),
  ];
  // The runtime gives the command a terminal of its own, and makes ours raw when it gets to it. What is typed until then
  // must not be echoed twice.
  if (tty && typeof stdin === 'number') makeRaw(stdin);
  const log = openPipe();
  setNonBlocking(log.readEnd);
  const logOptions = ['--log', `/proc/self/fd/${LOG_FD}`, '--log-format', 'json'];
  try {
    const child = spawn(executable, [...options, ...logOptions, 'exec', ...flags, id, ...args], {
      stdio: [stdin ?? 'ignore', stdout ?? 'ignore', stderr ?? 'ignore', log.writeEnd],
    });
    return new OciExec(child, log.readEnd);
  } catch (error) {
    closeDescriptor(log.readEnd);
    throw error;
  } finally {
    closeDescriptor(log.writeEnd);
  }
}

class OciExec implements ExecProcess {
  readonly exit: Promise<number>;
  readonly #child: ChildProcess;
  readonly #logFd: number;
  #isLogOpen = true;
  #log = '';

  constructor(child: ChildProcess, logFd: number) {
    this.#child = child;
    this.#logFd = logFd;
    this.exit = new Promise<number>((resolve, reject) => {
      child.on('error', (error) => {
        this.#closeLog();
        reject(error);
      });
      child.on('exit', (code, signal) => {
        this.#closeLog();
        resolve(code ?? 128 + signalNumber(signal));
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  startFailure(): string | undefined {
    this.#readLog();
    return lastErrorIn(this.#log);
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    // The runtime passes every signal on but this one, and without it the command would go on.
    if (signal === 'SIGKILL') for (const pid of childrenOf(this.pid)) killQuietly(pid);
    this.#child.kill(signal);
  }

  #closeLog(): void {
    if (!this.#isLogOpen) return;
    this.#readLog();
    this.#isLogOpen = false;
    closeDescriptor(this.#logFd);
  }

  #readLog(): void {
    if (!this.#isLogOpen || this.#log.length >= MAX_LOG_BYTES) return;
    const bytes = Buffer.alloc(MAX_LOG_BYTES);
    try {
      this.#log += bytes.toString('utf8', 0, readSync(this.#logFd, bytes));
    } catch (error) {
      if (!hasCode(error, 'EAGAIN')) throw error;
    }
  }
}

function childrenOf(pid: number): number[] {
  if (pid === 0) return [];
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.flatMap((task) => parsePids(readProc(`/proc/${pid}/task/${task}/children`)));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return [];
    throw error;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 };

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (SIGNAL_NUMBERS[signal] ?? 1);
}
