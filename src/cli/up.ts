/**
 * `pinnace up`: checks the machine, writes the settings, starts the supervisor.
 *
 * In the foreground it stays until Ctrl-C or SIGTERM, and then stops platform and containers; `--detach` returns once
 * the processes run, `--wait` (which implies it) once the platform is ready. Dying in the foreground, even by SIGKILL,
 * takes nothing along: the platform is a session of its own.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { type CliContext, CliError } from '#cli/context.ts';
import { purge, stopEverything } from '#cli/down.ts';
import { askReady, portOf, processNamed, readPlatform, readSettings, urlOf } from '#cli/platform.ts';
import { checkPreconditions } from '#cli/preconditions.ts';
import { canonicalStateDir, changedBy, type UpFlags, writeSettings } from '#cli/settings.ts';
import { withStateLock } from '#cli/state-lock.ts';
import { type PlatformState, type StatePaths, reachableAddress, statePaths } from '#protocol/platform.ts';
import { startDetached } from '#supervisor/heir.ts';
import { findRole } from '#supervisor/roles.ts';

export interface UpOptions extends UpFlags {
  readonly stateDir: string;
  /** `ready` implies that the command does not stay. */
  readonly until: 'stopped' | 'started' | 'ready';
}

/** How long the processes may take to run, and the platform to be ready. */
const START_LIMIT_MS = 10_000;
const READY_LIMIT_MS = 60_000;
const POLL_MS = 10;
/** In the foreground: how often the platform is looked for, and when it counts as gone. */
const LOOK_MS = 500;
const GONE_AFTER_MS = 10_000;

export async function up(context: CliContext, options: UpOptions): Promise<number> {
  const { out } = context;
  await demandPreconditions(context, options.stateDir);
  const stateDir = canonicalStateDir(options.stateDir);
  const paths = statePaths(stateDir);
  const wasRunning = await withStateLock(context, stateDir, () =>
    startUnlessRunning(context, { ...options, stateDir }),
  );
  if (wasRunning) out.note(`the platform in ${stateDir} is already running`);
  if (options.until === 'started') return 0;
  await untilReady(context, paths);
  announce(context, paths);
  if (options.until === 'stopped') await stay(context, paths);
  return 0;
}

async function demandPreconditions({ out, signal }: CliContext, stateDir: string): Promise<void> {
  for (const { name, result, detail, cure } of await checkPreconditions(stateDir, signal)) {
    if (result === 'failed') throw new CliError(`${name}: ${detail}`, cure === undefined ? {} : { cure });
    if (result === 'warning') out.note(`warning: ${name}: ${detail}${cure === undefined ? '' : ` (${cure})`}`);
  }
}

async function startUnlessRunning(context: CliContext, options: UpOptions): Promise<boolean> {
  const paths = statePaths(options.stateDir);
  const settings = readSettings(paths);
  const running = settings && existsSync(paths.locks) ? findRole(paths, 'supervisor', readPlatform(paths)) : undefined;
  if (settings && running) {
    if (!readPlatform(paths)) throw outOfSight(paths, running.pid);
    const changed = changedBy(options, settings);
    if (changed.length === 0) return true;
    const cure = 'stop it first with pinnace down; Services and data stay';
    throw new CliError(`the platform in ${options.stateDir} runs with other settings (${changed.join(', ')})`, {
      cure,
    });
  }
  await writeSettings(context, options.stateDir, options);
  for (const folder of [paths.locks, paths.log, paths.run]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  rmSync(paths.startFailure, { force: true });
  startDetached(context.supervisorCommand(options.stateDir), paths);
  try {
    await untilStarted(context, paths);
  } catch (error) {
    await takeBack(context, paths, { isFirst: settings === undefined });
    throw error;
  }
  return false;
}

/** What was there before stays. A first start that was refused leaves nothing; after another the logs tell more. */
async function takeBack(context: CliContext, paths: StatePaths, { isFirst }: { isFirst: boolean }): Promise<void> {
  const isRefused = existsSync(paths.startFailure);
  await stopEverything({ ...context, signal: new AbortController().signal }, paths);
  if (isFirst && isRefused) purge(paths);
}

/** Its `run` is a mount, which is seen in the mount namespace of whoever started it. */
function outOfSight({ root, run }: StatePaths, pid: number): CliError {
  return new CliError(`the platform in ${root} runs, but its ${run} cannot be seen from here`, {
    cure: `go to the mount namespace that it was started in: nsenter --mount --target ${pid}`,
  });
}

async function untilStarted({ clock, signal }: CliContext, paths: StatePaths): Promise<PlatformState> {
  const deadline = clock.monotonicMs() + START_LIMIT_MS;
  for (;;) {
    const failure = startFailure(paths);
    if (failure) throw failure;
    const platform = readPlatform(paths);
    if (platform && processNamed(platform, 'gateway')) return platform;
    if (clock.monotonicMs() > deadline) {
      throw new CliError(`the processes did not start within ${START_LIMIT_MS / 1_000} s`, { cure: seeLogs(paths) });
    }
    await clock.sleep(POLL_MS, signal);
  }
}

function startFailure({ startFailure: file }: StatePaths): CliError | undefined {
  if (!existsSync(file)) return undefined;
  const { message, cure } = JSON.parse(readFileSync(file, 'utf8')) as { message: string; cure?: string };
  return new CliError(message, cure === undefined ? {} : { cure });
}

async function untilReady({ clock, signal, version }: CliContext, paths: StatePaths): Promise<void> {
  const deadline = clock.monotonicMs() + READY_LIMIT_MS;
  for (;;) {
    const { ready, detail } = await askReady(paths, version);
    if (ready) return;
    const failure = startFailure(paths);
    if (failure) throw failure;
    if (clock.monotonicMs() > deadline) {
      throw new CliError(`not ready within ${READY_LIMIT_MS / 1_000} s: ${detail}`, { cure: seeLogs(paths) });
    }
    await clock.sleep(POLL_MS, signal);
  }
}

function seeLogs({ log }: StatePaths): string {
  return `look into ${log}/control.log and ${log}/supervisor.log`;
}

function announce({ out }: CliContext, paths: StatePaths): void {
  const settings = readSettings(paths);
  const platform = readPlatform(paths);
  const address = reachableAddress(settings?.listenAddress ?? '');
  const urls = (['http', 'https'] as const).map((name) => urlOf(name, address, portOf(platform, name) ?? 0));
  out.line(
    `${out.good('ready')}  API ${urlOf('https', address, portOf(platform, 'api') ?? 0)}  gateway ${urls.join('  ')}`,
  );
  out.line(`       export KUBECONFIG=${paths.kubeconfig}`);
}

/** Until it is told to stop, or somebody else stops the platform. A supervisor that died is replaced meanwhile. */
async function stay(context: CliContext, paths: StatePaths): Promise<void> {
  const { signal, clock, out } = context;
  let seenAt = clock.monotonicMs();
  while (!signal.aborted && existsSync(paths.run) && clock.monotonicMs() - seenAt < GONE_AFTER_MS) {
    if (findRole(paths, 'supervisor', readPlatform(paths))) seenAt = clock.monotonicMs();
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
  if (!signal.aborted) return out.note('the platform was stopped');
  out.note('stopping');
  const patient = { ...context, signal: new AbortController().signal };
  await withStateLock(patient, paths.root, () => stopEverything(patient, paths));
}
