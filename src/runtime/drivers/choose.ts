/**
 * Finds an OCI runtime that works on this machine: crun when it is there and can handle the machine's cgroups, else
 * runc. (crun 1.8 refuses hybrid cgroups, so it is passed over there.)
 */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { runCommand } from '#runtime/drivers/command.ts';
import { OciDriver } from '#runtime/drivers/oci-driver.ts';

/** Where distributions put runtimes, whatever PATH says. */
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

const CANDIDATES = ['crun', 'runc'] as const;
export type RuntimeName = (typeof CANDIDATES)[number];

export interface FoundRuntime {
  readonly name: RuntimeName;
  readonly executable: string;
  /** `runc version 1.1.5` */
  readonly version: string;
}

export function runtimeExecutable(name: string): string | undefined {
  return FOLDERS.map((folder) => path.join(folder, name)).find(isExecutable);
}

/** Those that are installed, whether they work or not. */
export async function installedRuntimes(signal: AbortSignal): Promise<FoundRuntime[]> {
  const found: FoundRuntime[] = [];
  for (const name of CANDIDATES) {
    const executable = runtimeExecutable(name);
    if (executable === undefined) continue;
    const { output } = await runCommand({ executable, args: ['--version'] }, signal);
    found.push({ name, executable, version: output.split('\n')[0]?.trim() ?? name });
  }
  return found;
}

export interface ChooseOptions {
  readonly isHybridCgroups: boolean;
  /** Takes this one only. */
  readonly preferred?: RuntimeName | undefined;
}

/** The first that works; undefined when none is installed or none works. */
export async function chooseRuntime(options: ChooseOptions, signal: AbortSignal): Promise<FoundRuntime | undefined> {
  const { isHybridCgroups, preferred } = options;
  for (const runtime of await installedRuntimes(signal)) {
    if (preferred !== undefined && runtime.name !== preferred) continue;
    if (runtime.name === 'crun' && isHybridCgroups) continue;
    return runtime;
  }
  return undefined;
}

export function createDriver({ executable, version }: FoundRuntime, root: string): OciDriver {
  return new OciDriver({ executable, description: version, root });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
