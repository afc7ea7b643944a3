/**
 * Runs command lines just as they are shown, in the clone's top folder. An abort ends the whole command with everything
 * that it started in its process group, and is reported once it has ended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ShellOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  /** Both streams, as they came. */
  readonly text: string;
}

const LIMIT_MS = 120_000;

export class Shell {
  readonly #options: ShellOptions;

  constructor(options: ShellOptions) {
    this.#options = options;
  }

  /** In a session of its own, so that Ctrl-C is ours to deal with. */
  async run(command: string, signal: AbortSignal): Promise<CommandResult> {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
    bounded.throwIfAborted();
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    const child = spawn('/bin/sh', ['-c', command], { ...this.#options, stdio, detached: true });
    const all: string[] = [];
    const out: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (piece: string) => void (all.push(piece), out.push(piece)));
    child.stderr.setEncoding('utf8').on('data', (piece: string) => void all.push(piece));
    const end = () => endGroup(child.pid);
    bounded.addEventListener('abort', end, { once: true });
    const [code] = (await once(child, 'close')) as [number | null];
    bounded.removeEventListener('abort', end);
    signal.throwIfAborted();
    const late = bounded.aborted ? `\nended after ${LIMIT_MS / 1_000} s` : '';
    return { code: code ?? -1, stdout: out.join(''), text: all.join('') + late };
  }
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGTERM');
  } catch (error) {
    // It may have ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
