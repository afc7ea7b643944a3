/**
 * `pinnace down`: stops the platform and its containers; with `--purge` nothing of it stays on the machine. It asks
 * nobody who might be dead, so it works as well after `kill -9` of everything.
 */
import { existsSync, readdirSync, realpathSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type CliContext, CliError } from '#cli/context.ts';
import { holdsImages, holdsPlatform } from '#cli/ownership.ts';
import { readSettings } from '#cli/platform.ts';
import { withStateLock } from '#cli/state-lock.ts';
import { type StatePaths, statePaths } from '#protocol/platform.ts';
import { cleanUpRuntime } from '#runtime/cleanup.ts';
import { removeHosts } from '#runtime/hosts/hosts-file.ts';
import { planNetwork } from '#runtime/network/address-plan.ts';
import { unmountRunFolder } from '#supervisor/run-folder.ts';
import { stopPlatform } from '#supervisor/stop.ts';

/** What is written whole gets its name by a rename, which a death or a full disk may have prevented. */
const HALF_WRITTEN = /^(kubeconfig|skeleton(-token)?)\.new$|^config\.json\.\d+\.tmp$/;

export interface DownOptions {
  readonly stateDir: string;
  readonly purge: boolean;
}

export async function down(context: CliContext, options: DownOptions): Promise<number> {
  const { out } = context;
  if (!existsSync(options.stateDir)) {
    out.note(`there is no platform in ${options.stateDir}`);
    return 0;
  }
  if (process.geteuid?.() !== 0)
    throw new CliError('root: only root can stop a platform', { cure: 'run it with sudo' });
  const stateDir = realpathSync(options.stateDir);
  const paths = statePaths(stateDir);
  if (!holdsPlatform(paths) && !(options.purge && holdsImages(paths))) {
    out.note(`there is no platform in ${stateDir}`);
    return 0;
  }
  await withStateLock(context, stateDir, async () => {
    await stopEverything(context, paths);
    if (options.purge) purge(paths);
  });
  out.line(outcome(options, stateDir));
  return 0;
}

/** Processes first, so that nobody starts what is being taken down. */
export async function stopEverything({ clock, signal }: CliContext, paths: StatePaths): Promise<void> {
  if (existsSync(paths.locks)) await stopPlatform({ paths, clock }, signal);
  const settings = readSettings(paths) ?? namesOf(paths.root);
  await cleanUpRuntime({ settings, paths, clock }, signal);
  await removeHosts({ clock }, settings.instance, signal);
  unmountRunFolder(paths.run);
  rmSync(paths.run, { recursive: true, force: true });
}

/** Without `config.json` (a purge that was cut short) the names still follow from the directory. */
function namesOf(stateDir: string) {
  return planNetwork({ stateDir, taken: [] });
}

function outcome({ purge: isPurge }: DownOptions, stateDir: string): string {
  if (!isPurge) return `stopped; what it knows stays in ${stateDir}`;
  if (!existsSync(stateDir)) return `stopped, and ${stateDir} removed`;
  const left = readdirSync(stateDir).join(', ');
  return `stopped, and removed; ${stateDir} stays: it holds files that are not pinnace's: ${left}`;
}

/** Removes what is ours; files that somebody else put there stay, and the directory with them. */
export function purge(paths: StatePaths): void {
  const { root, config, ...rest } = paths;
  const own = new Set(Object.values(rest).map((file) => topOf(root, file)));
  const ours = readdirSync(root).filter((name) => own.has(name) || HALF_WRITTEN.test(name));
  for (const name of ours) rmSync(path.join(root, name), { recursive: true, force: true });
  // Last: as long as it is there, an interrupted purge can be repeated.
  rmSync(config, { force: true });
  if (readdirSync(root).length === 0) rmdirSync(root);
}

function topOf(root: string, file: string): string {
  return path.relative(root, file).split(path.sep)[0] ?? '';
}
