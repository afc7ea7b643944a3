/** Runs one command of the OCI runtime to its end. */
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { RuntimeError } from '#runtime/drivers/driver.ts';
import { closeDescriptor } from '#sys/libc.ts';
import { openPipe } from '#sys/pipe.ts';
import type { ExitStatus } from '#sys/process.ts';
import { spawnProcess, type SpawnedProcess } from '#sys/spawn.ts';

/** Longest output kept of one command, in bytes. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

export interface CommandResult {
  readonly code: number;
  /** Standard output and errors, as they came. */
  readonly output: string;
}

export interface Command {
  readonly executable: string;
  readonly args: readonly string[];
}

/** Resolves with the exit code and the output; rejects when the command cannot be started. */
export async function runCommand(command: Command, signal: AbortSignal): Promise<CommandResult> {
  signal.throwIfAborted();
  const pipe = openPipe();
  let child: SpawnedProcess;
  try {
    child = startWithoutInput(command, pipe.writeEnd);
  } catch (error) {
    closeDescriptor(pipe.readEnd);
    throw error;
  } finally {
    closeDescriptor(pipe.writeEnd);
  }
  const kill = () => child.kill(constants.signals.SIGKILL);
  signal.addEventListener('abort', kill, { once: true });
  const [output, status] = await Promise.all([collect(pipe.readEnd), child.exit]);
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  return { code: codeOf(status), output };
}

/** The same with descriptors of the caller's as the command's 0, 1, 2, …; cannot be called off. */
export async function runWithStdio(command: Command, stdio: readonly number[]): Promise<number> {
  return codeOf(await start(command, stdio).exit);
}

function startWithoutInput(command: Command, output: number): SpawnedProcess {
  const stdin = openSync('/dev/null', 'r');
  try {
    return start(command, [stdin, output, output]);
  } finally {
    closeSync(stdin);
  }
}

function start({ executable, args }: Command, stdio: readonly number[]): SpawnedProcess {
  try {
    return spawnProcess({ executable, args, stdio });
  } catch (cause) {
    throw new RuntimeError(args[0] ?? '', `${executable}: ${(cause as Error).message}`, { cause });
  }
}

function codeOf({ exitCode, signal = 0 }: ExitStatus): number {
  return exitCode ?? 128 + signal;
}

/** Everything that is written until the last writer is gone; bytes beyond the limit are read and dropped. */
function collect(fd: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve) => {
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_OUTPUT_BYTES) chunks.push(chunk);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}
