/** Runs one command of the OCI runtime to its end. */
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { RuntimeError } from '#runtime/drivers/driver.ts';

/** Longest output kept of one command, in bytes. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

export interface CommandResult {
  readonly code: number;
  /** Standard output and errors, as they came, of the streams that are piped. */
  readonly output: string;
}

export interface Command {
  readonly executable: string;
  readonly args: readonly string[];
  readonly stdio: StdioOptions;
}

/** Resolves with the exit code and the output; rejects when the command cannot be started. */
export function runCommand({ executable, args, stdio }: Command, signal: AbortSignal): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const child = spawn(executable, args, { stdio, signal, killSignal: 'SIGKILL' });
    const output = collect(child);
    child.on('error', (error) =>
      reject(
        signal.aborted
          ? signal.reason
          : new RuntimeError(args[0] ?? '', `${executable}: ${error.message}`, { cause: error }),
      ),
    );
    child.on('close', (code, killedBy) =>
      resolve({ code: code ?? 128 + (killedBy === null ? 0 : 9), output: output() }),
    );
  });
}

function collect(child: ChildProcess): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_OUTPUT_BYTES) chunks.push(chunk);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => Buffer.concat(chunks).toString('utf8');
}
