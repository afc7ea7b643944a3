/**
 * Stops a platform from outside, however much of it is still alive. Holds the heirs' lock meanwhile, so that no
 * process that is left starts a new supervisor. Containers are not its business.
 */
import { closeSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import type { StatePaths } from '#protocol/platform.ts';
import { findRole, takeLock } from '#supervisor/roles.ts';
import { readPlatformState } from '#supervisor/state-file.ts';
import { STOP_GRACE_MS } from '#supervisor/supervisor.ts';
import { signalProcess } from '#sys/pidfd.ts';
import { isRunning, type ProcessIdentity } from '#sys/proc.ts';

const POLL_MS = 5;
const SIGTERM = 15;
const SIGKILL = 9;
/** What the supervisor needs beyond its children's graces. */
const SUPERVISOR_MARGIN_MS = 2_000;

/** The order in which what is left stops, and how long each has. */
const ORDER = [
  ['supervisor', STOP_GRACE_MS.gateway + STOP_GRACE_MS.control + SUPERVISOR_MARGIN_MS],
  ['gateway', STOP_GRACE_MS.gateway],
  ['control', STOP_GRACE_MS.control],
] as const;

export interface StopOptions {
  readonly paths: StatePaths;
  readonly clock: Clock;
}

/** Names the processes that it found alive; resolves when none is left. */
export async function stopPlatform(options: StopOptions, signal: AbortSignal): Promise<string[]> {
  const { paths, clock } = options;
  const stopped: string[] = [];
  let lock = takeLock(paths, 'heir');
  for (; lock === undefined; lock = takeLock(paths, 'heir')) await clock.sleep(POLL_MS, signal);
  try {
    for (const [name, graceMs] of ORDER) {
      const identity = findRole(paths, name, readPlatformState(paths));
      if (!identity) continue;
      await stopProcess(identity, { clock, graceMs }, signal);
      stopped.push(name);
    }
    return stopped;
  } finally {
    closeSync(lock);
  }
}

interface Grace {
  readonly clock: Clock;
  readonly graceMs: number;
}

async function stopProcess(identity: ProcessIdentity, { clock, graceMs }: Grace, signal: AbortSignal): Promise<void> {
  signalProcess(identity, SIGTERM);
  const deadline = clock.monotonicMs() + graceMs;
  while (isRunning(identity)) {
    if (clock.monotonicMs() > deadline) signalProcess(identity, SIGKILL);
    await clock.sleep(POLL_MS, signal);
  }
}
