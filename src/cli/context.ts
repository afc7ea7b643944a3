/** What every command is given. */
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Output } from '#cli/output.ts';
import type { Command } from '#supervisor/managed-process.ts';

export interface CliContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly out: Output;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How the supervisor of a state directory is started. */
  readonly supervisorCommand: (stateDir: string) => Command;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
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
