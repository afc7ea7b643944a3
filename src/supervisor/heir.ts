/**
 * What control and gateway run to notice the supervisor's death and put a new one in its place.
 *
 *     connected ──closed──▶ take heir.lock ──got it──▶ nobody there? start one, wait until it answers
 *         ▲                        └── somebody else has it: it starts one ──┐
 *         └──────────────────────── connect again ◀──────────────────────────┘
 *
 * Whoever dies in the middle frees the lock, and the other goes on. An orderly stop aborts `signal` first: the
 * supervisor tells its children before its own connections close.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { isAbort, untilAborted } from '#base/abort.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { StatePaths } from '#protocol/platform.ts';
import { connectBeacon } from '#supervisor/beacon.ts';
import type { Command } from '#supervisor/managed-process.ts';
import { takeLock } from '#supervisor/roles.ts';

/** How often a supervisor that is being started is looked for, and for how long. */
const CONNECT_POLL_MS = 10;
const START_WAIT_MS = 5_000;
/** Between attempts to start one that does not come up. */
const START_BACKOFF = { baseMs: 100, maxMs: 10_000 };

export interface HeirOptions {
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly log: Logger;
  /** Starts a supervisor that outlives this process (`startDetached`). */
  readonly startSupervisor: () => void;
  /** Told at each death, before anything else: control then looks after containers that just became init's. */
  readonly onDeath?: () => void;
}

/** Runs until `signal` aborts. */
export async function watchSupervisor(options: HeirOptions, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff(START_BACKOFF);
  try {
    while (!signal.aborted) {
      const connection = await connectBeacon(options.paths.supervisorSocket);
      if (connection) {
        backoff.forget('start');
        await untilClosed(connection, signal);
        options.onDeath?.();
        options.log.warn('the supervisor is gone');
      } else if (!(await inherit(options, signal))) {
        await options.clock.sleep(backoff.next('start'), signal);
      }
    }
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  }
}

/** Starts a supervisor unless another heir does; false when it did not come up. */
async function inherit(options: HeirOptions, signal: AbortSignal): Promise<boolean> {
  const { paths, clock, log } = options;
  const lock = takeLock(paths, 'heir');
  if (lock === undefined) {
    await clock.sleep(CONNECT_POLL_MS, signal);
    return true;
  }
  try {
    if (await isAnswering(paths)) return true;
    log.info('starting a supervisor');
    options.startSupervisor();
    const deadline = clock.monotonicMs() + START_WAIT_MS;
    while (!(await isAnswering(paths))) {
      if (clock.monotonicMs() > deadline) {
        log.error('the new supervisor did not come up', { waitedMs: START_WAIT_MS });
        return false;
      }
      await clock.sleep(CONNECT_POLL_MS, signal);
    }
    return true;
  } finally {
    closeSync(lock);
  }
}

async function isAnswering({ supervisorSocket }: StatePaths): Promise<boolean> {
  const connection = await connectBeacon(supervisorSocket);
  connection?.destroy();
  return connection !== undefined;
}

/** However it closes: a supervisor that died before it accepted the connection resets it. */
async function untilClosed(connection: Socket, signal: AbortSignal): Promise<void> {
  const closed = Promise.withResolvers<void>();
  connection.once('close', () => closed.resolve());
  if (connection.destroyed) closed.resolve();
  await untilAborted(closed.promise, signal).finally(() => connection.destroy());
}

/** Starts a process of its own session, which outlives this one; its output goes to `DIR/log/supervisor.log`. */
export function startDetached({ file, args, env }: Command, paths: Pick<StatePaths, 'log'>): void {
  const output = openSync(path.join(paths.log, 'supervisor.log'), 'a', 0o600);
  try {
    const child = spawn(file, args, { env: { ...env }, detached: true, stdio: ['ignore', output, output] });
    // A process that could not be started shows in its absence; the caller waits for it and tries again.
    child.on('error', () => undefined);
    child.unref();
  } finally {
    closeSync(output);
  }
}
