/**
 * Containers through the command line of an OCI runtime (runc or crun).
 *
 * `run --detach` leaves the container's first process to the nearest subreaper, our supervisor; the runtime's log goes
 * to a file beside the bundle, whose last error becomes the message of a failed start. Standard streams are passed as
 * open descriptors, so nothing that we hold can break them.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type CommandResult, runCommand, runWithStdio } from '#runtime/drivers/command.ts';
import {
  type ContainerDriver,
  type ContainerState,
  type ExecProcess,
  type ExecRequest,
  RuntimeError,
  type StartRequest,
} from '#runtime/drivers/driver.ts';
import { execInOci } from '#runtime/drivers/oci-exec.ts';
import { lastErrorIn } from '#runtime/drivers/runtime-log.ts';

export interface OciDriverOptions {
  readonly executable: string;
  readonly description: string;
  /** The runtime's state directory: `DIR/run/oci`. */
  readonly root: string;
}

const LOG_FILE = 'runtime.log';
const PID_FILE = 'pid';

export class OciDriver implements ContainerDriver {
  readonly description: string;
  readonly #options: OciDriverOptions;

  constructor(options: OciDriverOptions) {
    this.#options = options;
    this.description = options.description;
  }

  async start({ id, bundle, stdin, stdout, stderr, lock, consoleSocket }: StartRequest): Promise<number> {
    const log = path.join(bundle, LOG_FILE);
    const pidFile = path.join(bundle, PID_FILE);
    rmSync(log, { force: true });
    const args = this.#args(
      '--log',
      log,
      '--log-format',
      'json',
      'run',
      '--detach',
      '--bundle',
      bundle,
      '--pid-file',
      pidFile,
      ...(consoleSocket === undefined ? [] : ['--console-socket', consoleSocket]),
      id,
    );
    const { executable } = this.#options;
    const code = await runWithStdio({ executable, args }, [stdin, stdout, stderr, lock]);
    if (code !== 0) throw new RuntimeError('run', lastError(log) ?? `${this.description} exited with code ${code}`);
    return Number(readFileSync(pidFile, 'utf8'));
  }

  isKnown(id: string): boolean {
    return existsSync(path.join(this.#options.root, id));
  }

  async kill(id: string, name: string, abort: AbortSignal): Promise<void> {
    const { code, output } = await this.#run(['kill', id, name], abort);
    // Gone, or stopped already: what was wanted.
    if (code !== 0 && !/does not exist|not running|already finished|no such process|stopped/i.test(output)) {
      throw new RuntimeError('kill', output.trim());
    }
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    const { code, output } = await this.#run(['delete', '--force', id], signal);
    if (code !== 0 && !/does not exist/i.test(output)) throw new RuntimeError('delete', output.trim());
  }

  async list(signal: AbortSignal): Promise<ContainerState[]> {
    if (!existsSync(this.#options.root)) return [];
    const { code, output } = await this.#run(['list', '--format', 'json'], signal);
    if (code !== 0) throw new RuntimeError('list', output.trim());
    return (JSON.parse(output.trim() || 'null') as ContainerState[] | null) ?? [];
  }

  exec(request: ExecRequest): ExecProcess {
    return execInOci({ executable: this.#options.executable, options: this.#args() }, request);
  }

  #run(args: readonly string[], signal: AbortSignal): Promise<CommandResult> {
    return runCommand({ executable: this.#options.executable, args: this.#args(...args) }, signal);
  }

  #args(...args: string[]): string[] {
    return ['--root', this.#options.root, ...args];
  }
}

/** The last error in the runtime's JSON log. */
function lastError(file: string): string | undefined {
  return existsSync(file) ? lastErrorIn(readFileSync(file, 'utf8')) : undefined;
}
