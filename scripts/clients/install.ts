/**
 * `npm run clients`: puts every client that tests run on this machine, with the packages that tests need besides, and
 * says what that took. Go programs are built
 * once per content of their `go.mod`; modules and compiled packages stay in Go's own caches.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import {
  ALL_CLIENTS,
  buildFlags,
  type Client,
  type GoClient,
  isThere,
  type NpmClient,
  programOf,
} from './catalogue.ts';
import { installMissing } from '../tests/packages.ts';
import { ensureGo } from './go.ts';

/** More only takes more memory: compilers use all cores by themselves. */
const PARALLEL_COMPILERS = '2';
/** As `scripts/setup.mjs` does it, and says why. */
const NPM_INSTALL = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** Answers the exit code: 1 when a client could not be had. */
export async function installClients(): Promise<number> {
  const failures: string[] = [];
  for (const note of installMissing(say)) say(`Note: ${note}`);
  for (const client of ALL_CLIENTS) {
    const problem = await attempt(() => ensureInstalled(client));
    if (problem !== undefined) failures.push(`${client.name}: ${problem}`);
  }
  for (const failure of failures) say(`Not installed: ${failure}`);
  return failures.length === 0 ? 0 : 1;
}

async function ensureInstalled(client: Client): Promise<void> {
  if (isThere(client)) {
    say(`${client.name} is there`);
    return;
  }
  const go = client.kind === 'go' ? await ensureGo(say) : '';
  say(`${client.name}: ${client.kind === 'go' ? 'building it from Go modules' : 'installing it from npm'} …`);
  const startedAt = systemClock.monotonicMs();
  if (client.kind === 'go') build(go, client);
  else installPackage(client);
  say(`${client.name}: that took ${Math.round((systemClock.monotonicMs() - startedAt) / 1_000)} s`);
}

function build(go: string, client: GoClient): void {
  const program = programOf(client);
  const temporary = `${program}.${process.pid}`;
  mkdirSync(path.dirname(program), { recursive: true });
  const flags = ['-p', PARALLEL_COMPILERS, `-modfile=${client.modfile}`, ...buildFlags(client)];
  const { status, error } = spawnSync(go, ['build', ...flags, '-o', temporary, client.package], {
    cwd: client.folder,
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'auto', GOWORK: 'off', GOFLAGS: '-mod=readonly' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`go build ended with ${status}`);
  renameSync(temporary, program);
}

function installPackage({ folder }: NpmClient): void {
  const { status, error } = spawnSync('npm', NPM_INSTALL, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw error;
  if (status !== 0) throw new Error(`npm install ended with ${status}`);
}

async function attempt(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
