/**
 * Takes down everything that pods have on this machine: containers, mounts, network, control groups. It asks nobody who
 * might be dead: what is there is found by the platform's own names (state directory, control group, bridge), so it
 * works as well after `kill -9` of everything.
 */
import { existsSync, rmSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import type { PlatformSettings, StatePaths } from '#protocol/platform.ts';
import { removeNetwork } from '#runtime/network/cleanup.ts';
import { readRecords } from '#runtime/pod/record.ts';
import { detectCgroups } from '#sys/cgroup-layout.ts';
import { cgroupProcesses, killCgroup, removeCgroup } from '#sys/cgroup.ts';
import { unmountBelow } from '#sys/mounts.ts';
import { signalProcess } from '#sys/pidfd.ts';
import { isRunning, type ProcessIdentity } from '#sys/proc.ts';

/** How long containers may take to end by themselves before they are killed. */
const STOP_GRACE_MS = 5_000;

const POLL_MS = 20;
const SIGTERM = 15;

export interface CleanUpOptions {
  readonly settings: Pick<PlatformSettings, 'podCidr' | 'serviceCidr' | 'bridge' | 'cgroup'>;
  readonly paths: StatePaths;
  readonly clock: Clock;
}

/** Asks every container to end, waits a little, kills what is left, and removes what they had. */
export async function cleanUpRuntime(options: CleanUpOptions, signal: AbortSignal): Promise<void> {
  await stopContainers(options, signal);
  await killAll(options, signal);
  for (const folder of [options.paths.bundles, options.paths.pods, options.paths.ociRoot]) {
    if (existsSync(folder)) unmountBelow(folder);
    rmSync(folder, { recursive: true, force: true });
  }
  const { settings, paths, clock } = options;
  await removeNetwork({ ...settings, netnsDir: paths.netns, clock }, signal);
}

async function stopContainers({ paths, clock }: CleanUpOptions, signal: AbortSignal): Promise<void> {
  const running = readRecords(paths).states.flatMap(({ containers }) =>
    Object.values(containers).flatMap(({ life }): ProcessIdentity[] => (life.type === 'running' ? [life] : [])),
  );
  for (const identity of running) signalProcess(identity, SIGTERM);
  const deadline = clock.monotonicMs() + STOP_GRACE_MS;
  while (running.some(isRunning) && clock.monotonicMs() < deadline) await clock.sleep(POLL_MS, signal);
}

async function killAll({ settings, clock }: CleanUpOptions, signal: AbortSignal): Promise<void> {
  const layout = detectCgroups();
  if (!layout) return;
  const wait = { clock, signal };
  const group = `/${settings.cgroup}`;
  if (cgroupProcesses(layout, group).length > 0) await killCgroup(layout, group, wait);
  await removeCgroup(layout, group, wait);
}
