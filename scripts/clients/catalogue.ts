/**
 * The clients that tests run, and where they are on this machine. A program built from Go modules stands in a folder
 * of the user's cache that is named after everything that it is built from, so all clones share it, and nothing is
 * ever out of date.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const CLIENTS = path.join(import.meta.dirname, '..', '..', 'test', 'clients');
const HASH_LENGTH = 16;

export interface GoClient {
  /** As people call it. */
  readonly name: string;
  /** The program's file. */
  readonly program: string;
  /** Where its `go.mod` is. */
  readonly folder: string;
  /** The file to use instead of `go.mod`, for a second version of the same. */
  readonly modfile: string;
  readonly package: string;
  /** The variable of the program that says its version, and what its releases have there. */
  readonly version: string;
}

const go = (client: Pick<GoClient, 'name' | 'program'> & Partial<GoClient> & { folder: string }): GoClient => ({
  modfile: 'go.mod',
  package: '.',
  version: '',
  ...client,
  folder: path.join(CLIENTS, client.folder),
});

export const GO_CLIENTS = {
  'kn-0.44': go({
    name: 'kn 0.44',
    program: 'kn',
    folder: 'go-kn',
    package: 'knative.dev/client/cmd/kn',
    version: 'knative.dev/client/pkg/commands/version.Version=v1.17.0',
  }),
  'kubectl-1.28': go({
    name: 'kubectl 1.28',
    program: 'kubectl',
    folder: 'go-kubectl',
    modfile: 'kubectl-1.28.mod',
    version: 'k8s.io/component-base/version.gitVersion=v1.28.3',
  }),
  'kubectl-1.37': go({
    name: 'kubectl 1.37',
    program: 'kubectl',
    folder: 'go-kubectl',
    version: 'k8s.io/component-base/version.gitVersion=v1.37.2',
  }),
  'client-go-0.31': go({ name: 'client-go 0.31', program: 'client-go', folder: 'go-client' }),
  'client-go-0.35': go({
    name: 'client-go 0.35',
    program: 'client-go',
    folder: 'go-client',
    modfile: 'client-go-0.35.mod',
  }),
} as const satisfies Readonly<Record<string, GoClient>>;

export type GoClientId = keyof typeof GO_CLIENTS;

/** Folder of programs and tools that tests build or download. */
export function cacheFolder(): string {
  const own = process.env['XDG_CACHE_HOME'];
  return path.join(own === undefined || own === '' ? path.join(homedir(), '.cache') : own, 'pinnace');
}

/** Where the program is or will be; alone in its folder, so that the folder can stand in PATH. */
export function programOf(client: GoClient): string {
  const { name, program, folder, modfile } = client;
  const inputs = [...globSync('*.go', { cwd: folder }).sort(), modfile, modfile.replace(/mod$/, 'sum')];
  const hash = createHash('sha256').update(JSON.stringify([client.package, buildFlags(client), process.arch]));
  for (const input of inputs) hash.update(input).update(readFileSync(path.join(folder, input)));
  const key = hash.digest('hex').slice(0, HASH_LENGTH);
  return path.join(cacheFolder(), 'clients', `${name.replaceAll(' ', '-')}-${key}`, program);
}

/** What Go is asked for beside the package; Go's own version changes none of what is tested. */
export function buildFlags({ version }: GoClient): string[] {
  return ['-trimpath', `-ldflags=-s -w${version === '' ? '' : ` -X ${version}`}`];
}

export function isBuilt(client: GoClient): boolean {
  return existsSync(programOf(client));
}
