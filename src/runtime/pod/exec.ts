/**
 * Runs a command in a container and collects what it prints, within bounds. For probes: rejects with a `CheckNotMade` when
 * the command could not be started.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CheckNotMade } from '#runtime/probes/check.ts';
import type { ContainerDriver } from '#runtime/drivers/driver.ts';

/** Most output that is looked at. */
const MAX_OUTPUT_BYTES = 16 * 1024;

export interface ExecRequest {
  readonly id: string;
  readonly command: readonly string[];
}

export async function execInContainer(
  driver: ContainerDriver,
  { id, command }: ExecRequest,
  signal: AbortSignal,
): Promise<{ code: number; output: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pinnace-exec-'));
  const file = path.join(folder, 'output');
  const fd = openSync(file, 'a');
  try {
    const child = driver.exec({ id, args: command, stdin: null, stdout: fd, stderr: fd, tty: false });
    const kill = () => child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    const code = await child.exit.finally(() => signal.removeEventListener('abort', kill));
    signal.throwIfAborted();
    const why = child.startFailure();
    if (why !== undefined)
      throw new CheckNotMade(`failed to exec in container: OCI runtime exec failed: ${why}: unknown`);
    return { code, output: readFileSync(file).subarray(0, MAX_OUTPUT_BYTES).toString('utf8') };
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  }
}
