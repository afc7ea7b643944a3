/**
 * `npm run clients`: puts every client that tests run on this machine, and says what that took. Go programs are built
 * once per content of their `go.mod`; modules and compiled packages stay in Go's own caches.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import { buildFlags, GO_CLIENTS, type GoClient, isBuilt, programOf } from './catalogue.ts';
import { ensureGo } from './go.ts';

/** More only takes more memory: compilers use all cores by themselves. */
const PARALLEL_COMPILERS = '2';

/** Answers the exit code: 1 when a client could not be had. */
export async function installClients(): Promise<number> {
  const failures: string[] = [];
  for (const client of Object.values<GoClient>(GO_CLIENTS)) {
    const problem = await attempt(() => ensureBuilt(client));
    if (problem !== undefined) failures.push(`${client.name}: ${problem}`);
  }
  for (const failure of failures) say(`Not installed: ${failure}`);
  return failures.length === 0 ? 0 : 1;
}

async function ensureBuilt(client: GoClient): Promise<void> {
  if (isBuilt(client)) {
    say(`${client.name} is there: ${programOf(client)}`);
    return;
  }
  const go = await ensureGo(say);
  say(`${client.name}: building it from Go modules …`);
  const startedAt = systemClock.monotonicMs();
  build(go, client);
  say(`${client.name}: built in ${Math.round((systemClock.monotonicMs() - startedAt) / 1_000)} s`);
}

function build(go: string, client: GoClient): void {
  const program = programOf(client);
  const temporary = `${program}.${process.pid}`;
  mkdirSync(path.dirname(program), { recursive: true });
  const flags = ['-p', PARALLEL_COMPILERS, `-modfile=${client.modfile}`, ...buildFlags(client)];
  const { status, error } = spawnSync(go, ['build', ...flags, '-o', temporary, client.package], {
    cwd: client.folder,
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'auto', GOWORK: 'off', GOFLAGS: '' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`go build ended with ${status}`);
  renameSync(temporary, program);
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
