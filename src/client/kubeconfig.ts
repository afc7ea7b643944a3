/**
 * Reads a kubeconfig: the server, its CA and how to authenticate, of the current context.
 *
 * Client certificates, tokens and basic auth, inline or by file. Exec plugins and auth providers are refused with an
 * error that names them.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

export interface ClusterAccess {
  readonly server: string;
  readonly caCertificate?: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly token?: string | undefined;
  readonly namespace: string;
}

class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

interface Named<T> {
  name: string;
  value: T;
}
type Entry = Record<string, unknown>;
interface Kubeconfig {
  'current-context'?: string;
  contexts?: ({ name: string } & { context: { cluster: string; user: string; namespace?: string } })[];
  clusters?: ({ name: string } & { cluster: Entry })[];
  users?: ({ name: string } & { user: Entry })[];
}

/** Reads `file` and resolves its current context; relative file names in it are relative to `file`. */
export function loadKubeconfig(file: string): ClusterAccess {
  const config = parse(readFileSync(file, 'utf8')) as Kubeconfig | null;
  const contextName = config?.['current-context'];
  const context = config?.contexts?.find(({ name }) => name === contextName)?.context;
  if (!config || !context) throw new KubeconfigError(`${file}: no current context`);
  const cluster = pick(
    file,
    'cluster',
    context.cluster,
    config.clusters?.map(({ name, cluster: value }) => ({ name, value })),
  );
  const user = pick(
    file,
    'user',
    context.user,
    config.users?.map(({ name, user: value }) => ({ name, value })),
  );
  if ('exec' in user || 'auth-provider' in user) {
    throw new KubeconfigError(
      `${file}: user "${context.user}" authenticates by a plugin, which is not supported; use a token or a certificate`,
    );
  }
  const read = (entry: Entry, name: string) => material(path.dirname(file), entry, name);
  return {
    server: typeof cluster['server'] === 'string' ? cluster['server'] : '',
    caCertificate: read(cluster, 'certificate-authority'),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] === true,
    clientCertificate: read(user, 'client-certificate'),
    clientKey: read(user, 'client-key'),
    token: tokenOf(path.dirname(file), user),
    namespace: context.namespace ?? 'default',
  };
}

function pick(file: string, what: string, wanted: string, entries: Named<Entry>[] | undefined): Entry {
  const found = entries?.find(({ name }) => name === wanted)?.value;
  if (!found) throw new KubeconfigError(`${file}: the context names ${what} "${wanted}", which is not there`);
  return found;
}

/** `NAME-data` in base64, or the content of the file that `NAME` names. */
function material(directory: string, entry: Entry, name: string): string | undefined {
  const inline = entry[`${name}-data`];
  if (typeof inline === 'string') return Buffer.from(inline, 'base64').toString('utf8');
  const file = entry[name];
  return typeof file === 'string' ? readFileSync(path.resolve(directory, file), 'utf8') : undefined;
}

function tokenOf(directory: string, user: Entry): string | undefined {
  if (typeof user['token'] === 'string') return user['token'];
  const file = user['tokenFile'];
  return typeof file === 'string' ? readFileSync(path.resolve(directory, file), 'utf8').trim() : undefined;
}
