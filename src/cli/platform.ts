/** Looks at a platform from outside: its settings, which of its processes run, whether its API is ready. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { HttpTransport } from '#client/http-transport.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import type { ListenerName, PlatformSettings, PlatformState, ProcessState, StatePaths } from '#protocol/platform.ts';
import { findRole, ROLES } from '#supervisor/roles.ts';
import { bootId, isRunning } from '#sys/proc.ts';

/** How long the API server may take to say whether it is ready. */
const READY_TIMEOUT_MS = 2_000;

export function readSettings(paths: StatePaths): PlatformSettings | undefined {
  return readJson(paths.config) as PlatformSettings | undefined;
}

/** What the supervisor last wrote; undefined when there is none, or it is from before a reboot. */
export function readPlatform(paths: StatePaths): PlatformState | undefined {
  return ofThisBoot(readJson(paths.platformState));
}

/**
 * The same for who only looks, from another mount namespace too: it is written into memory that is mounted where the
 * platform was started, and seen from there through whoever of it runs.
 */
export function readPlatformAnywhere(paths: StatePaths): PlatformState | undefined {
  const seen = readPlatform(paths);
  if (seen || !existsSync(paths.locks)) return seen;
  const [someone] = (['supervisor', ...ROLES] as const).flatMap((name) => findRole(paths, name, undefined) ?? []);
  return someone && ofThisBoot(readJson(path.join('/proc', String(someone.pid), 'root', paths.platformState)));
}

function ofThisBoot(state: unknown): PlatformState | undefined {
  const known = state as PlatformState | undefined;
  return known?.bootId === bootId() ? known : undefined;
}

export function runningProcesses(state: PlatformState | undefined): ProcessState[] {
  return (state?.processes ?? []).filter(isRunning);
}

export function processNamed(state: PlatformState | undefined, name: ProcessState['name']): ProcessState | undefined {
  return runningProcesses(state).find((process) => process.name === name);
}

export function portOf(state: PlatformState | undefined, name: ListenerName): number | undefined {
  return state?.listeners.find((listener) => listener.name === name)?.port;
}

/** Asks `/readyz` with the platform's own kubeconfig; an explanation when it is not ready. */
export async function askReady(paths: StatePaths, version: string): Promise<{ ready: boolean; detail: string }> {
  if (!existsSync(paths.kubeconfig)) return { ready: false, detail: 'no kubeconfig yet' };
  try {
    using transport = new HttpTransport({ access: loadKubeconfig(paths.kubeconfig), userAgent: `pinnace/${version}` });
    const { status, body } = await transport.send(
      { method: 'GET', path: '/readyz' },
      AbortSignal.timeout(READY_TIMEOUT_MS),
    );
    return { ready: status === 200, detail: body.trim() };
  } catch (error) {
    return { ready: false, detail: error instanceof Error ? error.message : 'unreachable' };
  }
}

/** Host and port as they stand in a URL. */
export function urlOf(scheme: 'http' | 'https', address: string, port: number): string {
  const host = address.includes(':') ? `[${address}]` : address;
  const isDefault = port === (scheme === 'http' ? 80 : 443);
  return `${scheme}://${host}${isDefault ? '' : `:${port}`}`;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
