/**
 * The supervisor's whole life: become the only one, find what lives, obtain the listeners, keep control and gateway
 * running, record orphans' exits, and on `signal` stop in order.
 *
 * Everything that it knows is found again by the next supervisor: listeners and roles from the living processes,
 * ports and counters from `platform.json`. So it may be killed between any two lines below.
 */
import { closeSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { ListenerState, PlatformSettings, PlatformState, ProcessState, StatePaths } from '#protocol/platform.ts';
import { openBeacon } from '#supervisor/beacon.ts';
import { alreadyRunning } from '#supervisor/errors.ts';
import { ForeignExits } from '#supervisor/foreign.ts';
import { listenerRequests, listenerStates, obtainListeners } from '#supervisor/listeners.ts';
import { startLogRotation } from '#supervisor/log-files.ts';
import { type Command, ManagedProcess } from '#supervisor/managed-process.ts';
import { mountRunFolder } from '#supervisor/run-folder.ts';
import { startReaper } from '#supervisor/reaper.ts';
import { findRole, type Role, ROLES, takeLockPatiently } from '#supervisor/roles.ts';
import { readPlatformState, writeJson } from '#supervisor/state-file.ts';
import { bootId, identityOf, type ProcessIdentity } from '#sys/proc.ts';
import { setProcessName } from '#sys/process.ts';

/** How long each process may take to stop in order before it is killed. */
export const STOP_GRACE_MS: Readonly<Record<Role, number>> = { gateway: 10_000, control: 10_000 };

export interface SupervisorOptions {
  readonly settings: PlatformSettings;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  readonly commands: Readonly<Record<Role, Command>>;
  /** Told once the ports are bound and both processes are started. */
  readonly onRunning?: (listeners: readonly ListenerState[]) => void;
}

/** Resolves after an orderly stop. Rejects with a `StartError` when it cannot begin. */
export async function runSupervisor(options: SupervisorOptions, signal: AbortSignal): Promise<void> {
  const { paths, clock, log } = options;
  mountRunFolder(paths.run);
  for (const folder of [paths.exits, paths.locks, paths.log]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  await using held = new AsyncDisposableStack();
  const last = readPlatformState(paths);
  held.adopt(await becomeTheOnlyOne(options, last, signal), closeSync);
  setProcessName('pinnace-superv');
  if (!last) forgetEarlierBoot(paths);

  const living = findLiving(paths, last);
  const listeners = obtainListeners(listenerRequests(options.settings, last), living);
  held.defer(() => listeners.forEach(({ fd }) => closeSync(fd)));
  held.use(startReaper(options));
  const processes: ManagedProcess[] = [];
  const parents = () => new Set([process.pid, ...processes.flatMap(({ state }) => (state ? [state.pid] : []))]);
  const foreign = held.use(new ForeignExits({ ...options, cgroup: options.settings.cgroup, parents }));
  held.use(startLogRotation(paths.log, { clock, log }));
  held.use(await openBeacon(paths.supervisorSocket));

  const states = listenerStates(listeners);
  const report = reporter(options, { last, states, processes });
  report();
  for (const role of ROLES) {
    const before = last?.processes.find(({ name }) => name === role);
    const one = new ManagedProcess({
      ...options,
      role,
      command: options.commands[role],
      listeners,
      restarts: before ? before.restarts + (living.has(role) ? 0 : 1) : 0,
      onChange: report,
      onForeignEnd: () => foreign.scan(),
    });
    processes.push(one);
    one.begin(living.get(role), before?.since);
  }
  foreign.scan();
  options.onRunning?.(states);
  log.info('running', { listeners: states.map(({ name, address, port }) => `${name} ${address}:${port}`) });
  await aborted(signal);
  await stopAll(processes, options);
}

async function becomeTheOnlyOne(
  { paths, clock }: SupervisorOptions,
  last: PlatformState | undefined,
  signal: AbortSignal,
): Promise<number> {
  const lock = await takeLockPatiently(paths, 'supervisor', clock, signal);
  if (lock !== undefined) return lock;
  throw alreadyRunning(paths.root, findRole(paths, 'supervisor', last)?.pid);
}

/** Exits recorded before a reboot are about processes whose numbers mean others now. */
function forgetEarlierBoot({ exits, platformState }: StatePaths): void {
  for (const name of readdirSync(exits)) rmSync(path.join(exits, name), { force: true });
  rmSync(platformState, { force: true });
}

function findLiving(paths: StatePaths, last: PlatformState | undefined): Map<Role, ProcessIdentity> {
  const living = new Map<Role, ProcessIdentity>();
  for (const role of ROLES) {
    const identity = findRole(paths, role, last);
    if (identity) living.set(role, identity);
  }
  return living;
}

interface Reported {
  readonly last: PlatformState | undefined;
  readonly states: readonly ListenerState[];
  readonly processes: readonly ManagedProcess[];
}

/** Writes `platform.json`. A full disk must not stop the supervisor: others then see an older report. */
function reporter({ paths, clock, log, version }: SupervisorOptions, reported: Reported): () => void {
  const { last, states, processes } = reported;
  const before = last?.processes.find(({ name }) => name === 'supervisor');
  const self: ProcessState = {
    name: 'supervisor',
    pid: process.pid,
    startTicks: identityOf(process.pid)?.startTicks ?? 0,
    restarts: before ? before.restarts + 1 : 0,
    since: clock.now(),
  };
  return () => {
    const others = processes.flatMap(({ state }) => (state ? [state] : []));
    const state: PlatformState = { version, bootId: bootId(), processes: [self, ...others], listeners: states };
    try {
      writeJson(paths.platformState, state);
    } catch (error) {
      log.error('platform.json could not be written', { error });
    }
  };
}

async function stopAll(processes: readonly ManagedProcess[], { paths, log }: SupervisorOptions): Promise<void> {
  log.info('stopping');
  const byRole = (role: Role) => processes.find((one) => one.role === role);
  // No request is accepted any more before control, which would answer for it, goes.
  for (const role of ['gateway', 'control'] as const) await byRole(role)?.stop(STOP_GRACE_MS[role]);
  rmSync(paths.platformState, { force: true });
  log.info('stopped');
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
