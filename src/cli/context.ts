/** What every command is given. */
import type { Clock } from '#base/clock.ts';
import type { Output } from '#cli/output.ts';

export interface CliContext {
  readonly clock: Clock;
  readonly out: Output;
  readonly version: string;
  /** How a process of ours is started: the executable, its flags, and where each process's code is. */
  readonly launcher: Launcher;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Launcher {
  readonly node: string;
  readonly nodeFlags: readonly string[];
  /** Path of the code of a process, by its name. */
  readonly script: (process: 'supervisor' | 'control' | 'gateway') => string;
}

/** A failure that the user can do something about: printed without a stack, with its cure when there is one. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly cure: string | undefined;
  readonly exitCode: number;

  constructor(message: string, options: { cure?: string; exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.cure = options.cure;
    this.exitCode = options.exitCode ?? 1;
  }
}
