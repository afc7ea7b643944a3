/**
 * The clients that tests run, and where they are on this machine. A program built from Go modules stands in a folder
 * of the user's cache that is named after everything that it is built from, so all clones share it, and nothing is
 * ever out of date. npm packages stand beside the tests that use them.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const CLIENTS = path.join(import.meta.dirname, '..', '..', 'test', 'clients');
const HASH_LENGTH = 16;

export interface GoClient {
  readonly kind: 'go';
  /** As people call it. */
  readonly name: string;
  /** The program's file. */
  readonly program: string;
  /** Where its `go.mod` is. */
  readonly folder: string;
  /** The file to use instead of `go.mod`, for a second version of the same. */
  readonly modfile: string;
  readonly package: string;
  /** The variable of the program that says its version, and what its releases have there; or nothing. */
  readonly version: string;
}

export interface NpmClient {
  readonly kind: 'npm';
  readonly name: string;
  readonly package: string;
  /** Where its `package.json` is. */
  readonly folder: string;
}

export type Client = GoClient | NpmClient;

export const KN = goClient('kn 0.44', 'go-kn', {
  program: 'kn',
  package: 'knative.dev/client/cmd/kn',
  version: 'knative.dev/client/pkg/commands/version.Version=v1.17.0',
});

const KUBECTL_VERSION = 'k8s.io/component-base/version.gitVersion';

export const OLD_KUBECTL = goClient('kubectl 1.28', 'go-kubectl', {
  program: 'kubectl',
  modfile: 'kubectl-1.28.mod',
  version: `${KUBECTL_VERSION}=v1.28.3`,
});
export const NEW_KUBECTL = goClient('kubectl 1.37', 'go-kubectl', {
  program: 'kubectl',
  version: `${KUBECTL_VERSION}=v1.37.2`,
});

export const CLIENT_GO_JSON = goClient('client-go 0.31', 'go-client', { program: 'client-go' });
export const CLIENT_GO_PROTOBUF = goClient('client-go 0.35', 'go-client', {
  program: 'client-go',
  modfile: 'client-go-0.35.mod',
});

export const CLIENT_NODE: NpmClient = {
  kind: 'npm',
  name: '@kubernetes/client-node',
  package: '@kubernetes/client-node',
  folder: path.join(CLIENTS, 'client-node'),
};

export const ALL_CLIENTS: readonly Client[] = [
  KN,
  OLD_KUBECTL,
  NEW_KUBECTL,
  CLIENT_GO_JSON,
  CLIENT_GO_PROTOBUF,
  CLIENT_NODE,
];

type Particulars = Pick<GoClient, 'program'> & Partial<GoClient>;

function goClient(name: string, folder: string, particulars: Particulars): GoClient {
  const usual = { modfile: 'go.mod', package: '.', version: '' };
  return { kind: 'go', name, folder: path.join(CLIENTS, folder), ...usual, ...particulars };
}

export function isThere(client: Client): boolean {
  if (client.kind === 'go') return existsSync(programOf(client));
  const installed = path.join(client.folder, 'node_modules', client.package, 'package.json');
  return existsSync(installed) && versionIn(installed) === wantedVersion(client);
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
  return ['-trimpath', '-buildvcs=false', `-ldflags=-s -w${version === '' ? '' : ` -X ${version}`}`];
}

/** Folder of programs and tools that tests build or download. */
export function cacheFolder(): string {
  const own = process.env['XDG_CACHE_HOME'];
  return path.join(own === undefined || own === '' ? path.join(homedir(), '.cache') : own, 'pinnace');
}

function versionIn(file: string): string | undefined {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version;
}

function wantedVersion({ folder, package: name }: NpmClient): string | undefined {
  const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
  return (JSON.parse(text) as { dependencies: Record<string, string> }).dependencies[name];
}
