/**
 * The Go that clients are built with. Any since 1.21 will do: it fetches the version that a `go.mod` asks for by
 * itself. Where there is none, this downloads the same archive that Go itself would, from the module proxy, into the
 * user's cache, checked against the hash that Go's checksum database has for it.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { findProgram, isAtLeast } from '#testing/requirements.ts';
import { whyForbidden } from '../apt.mjs';
import { cacheFolder } from './catalogue.ts';
import { unpackModule } from './module-zip.ts';

/** The first that switches to another version when it is asked to. */
const FIRST_USABLE = '1.21';
const TOOLCHAIN = 'go1.26.8';
/** As Go's checksum database has them. */
const SUMS: Readonly<Record<string, string>> = {
  amd64: 'h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=',
  arm64: 'h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc=',
};
/** What Go asks when GOPROXY says nothing. */
const USUAL_PROXY = 'https://proxy.golang.org';
const DOWNLOAD_LIMIT_MS = 600_000;

/** The `go` command, installed first if need be. Throws where that cannot be. */
export async function ensureGo(say: (line: string) => void): Promise<string> {
  const there = findGo();
  if (there !== undefined) return there;
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const folder = path.join(cacheFolder(), TOOLCHAIN);
  const go = path.join(folder, 'bin', 'go');
  if (existsSync(go)) return go;
  const sum = SUMS[architecture];
  if (sum === undefined) throw new Error(`there is no Go for ${architecture} that this could download`);
  const ban = whyForbidden();
  if (ban !== undefined) throw new Error(`Go ${FIRST_USABLE} or later is needed and not there, and ${ban}`);
  await download(`v0.0.1-${TOOLCHAIN}.linux-${architecture}`, sum, folder, say);
  return go;
}

function findGo(): string | undefined {
  const candidates = [findProgram('go'), '/usr/local/go/bin/go'];
  return candidates.find((file) => file !== undefined && existsSync(file) && isAtLeast(versionOf(file), FIRST_USABLE));
}

/** `1.26.8`, of `go version go1.26.8 linux/amd64`. */
function versionOf(file: string): string {
  const said = execFileSync(file, ['version'], { encoding: 'utf8', env: { ...process.env, GOTOOLCHAIN: 'local' } });
  return /\bgo(\d+\.\d+)/.exec(said)?.[1] ?? '0.0';
}

async function download(version: string, sum: string, folder: string, say: (line: string) => void): Promise<void> {
  const url = `${proxy()}/golang.org/toolchain/@v/${version}.zip`;
  say(`Clients are built with Go, which this machine lacks, so this downloads it (not with PINNACE_NO_INSTALL=1):`);
  say(`  ${url}, 70 MB, into ${folder}`);
  http.setGlobalProxyFromEnv();
  const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_LIMIT_MS) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  const zip = Buffer.from(await response.arrayBuffer());
  const temporary = `${folder}.${process.pid}`;
  try {
    mkdirSync(temporary, { recursive: true });
    unpackModule(zip, { prefix: `golang.org/toolchain@${version}/`, sum }, temporary);
    makeUsable(temporary);
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Module archives have no modes, and none may hold a `go.mod` of another module: Go's own way around both. */
function makeUsable(folder: string): void {
  for (const file of globSync('**/_go.mod', { cwd: folder })) {
    renameSync(path.join(folder, file), path.join(folder, path.dirname(file), 'go.mod'));
  }
  for (const file of globSync(['bin/*', 'pkg/tool/*/*'], { cwd: folder })) chmodSync(path.join(folder, file), 0o755);
}

function proxy(): string {
  const listed = (process.env['GOPROXY'] ?? '').split(/[,|]/);
  return listed.find((entry) => /^https?:/.test(entry))?.replace(/\/+$/, '') ?? USUAL_PROXY;
}
