/** What the demo needs of the machine beside this clone: root, and an OCI runtime, which it installs where none is. */
import { chooseRuntime } from '#runtime/drivers/choose.ts';
import { detectCgroups } from '#sys/cgroup-layout.ts';
import { aptCommand, installPackages } from '../apt.mjs';
import { DemoError } from './errors.ts';
import type { Stage } from './tour.ts';

const PACKAGE = 'runc';

export interface Runtime {
  readonly name: string;
  /** `runc version 1.1.5` */
  readonly version: string;
  readonly isNew: boolean;
}

export function demandRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new DemoError('the demo runs real containers, and their networks, mounts and control groups need root', {
    cure: 'sudo npm run demo',
  });
}

export async function ensureRuntime({ screen, signal }: Stage): Promise<Runtime> {
  const isHybridCgroups = detectCgroups()?.version === 'hybrid';
  const found = await chooseRuntime({ isHybridCgroups }, signal);
  if (found) return { ...found, isNew: false };
  screen.note('There is no OCI runtime on this machine that Pinnace can use: installing runc from the distribution.');
  screen.command(aptCommand(PACKAGE));
  const failure = installPackages(PACKAGE);
  signal.throwIfAborted();
  if (failure) throw new DemoError(failure.problem, { cure: failure.cure });
  const installed = await chooseRuntime({ isHybridCgroups }, signal);
  if (installed) return { ...installed, isNew: true };
  throw new DemoError('runc was installed, but cannot be run', { cure: 'try it: runc --version' });
}
