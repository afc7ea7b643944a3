/**
 * Whether what is in a directory is ours. `down --purge` removes folders by names that others use too (`log`, `run`,
 * `store`): with `--state-dir /var` they are not for us to touch, so a name alone proves nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isObject } from '#base/json.ts';
import { findLeftovers, type Leftover } from '#cli/leftovers.ts';
import type { StatePaths } from '#protocol/platform.ts';
import { isStore, storeLayout } from '#runtime/image/store/layout.ts';

/** Their names are derived from the directory. An `up` that was killed at once may have made nothing else. */
const OURS_BY_NAME: ReadonlySet<Leftover['kind']> = new Set([
  'network interfaces',
  'control groups',
  'lines in /etc/hosts',
]);

/** A platform ran or runs there, however little is left of it. */
export function holdsPlatform(paths: StatePaths): boolean {
  const { config, store, platformState, startFailure, supervisorSocket } = paths;
  if (isSettings(config)) return true;
  if ([path.join(store, 'state.db'), platformState, startFailure, supervisorSocket].some((file) => existsSync(file)))
    return true;
  return findLeftovers(paths.root).some(({ kind }) => OURS_BY_NAME.has(kind));
}

/** Images were loaded or pulled there, maybe without a platform. */
export function holdsImages({ images }: StatePaths): boolean {
  return isStore(storeLayout(images));
}

function isSettings(file: string): boolean {
  try {
    const settings: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isObject(settings) && typeof settings['instance'] === 'string';
  } catch {
    return false;
  }
}
