/**
 * Credentials of registries out of pull secrets (`kubernetes.io/dockerconfigjson`, `kubernetes.io/dockercfg`) and
 * Docker's own config file, chosen for an image as the kubelet does: by host (with `*` within a label), port and
 * path prefix, more specific entries first. All that match are tried in turn.
 */
import { isObject } from '#base/json.ts';
import type { ImageReference } from '#runtime/image/reference.ts';

export interface RegistryCredential {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** A refresh token, exchanged for bearer tokens at the authorization service. */
  readonly identityToken?: string | undefined;
  /** A bearer token for the registry itself. */
  readonly registryToken?: string | undefined;
}

/** Where a credential holds: `host[:port][/path]`, the scheme already gone. */
export interface CredentialEntry {
  readonly location: string;
  readonly credential: RegistryCredential;
}

const HUB_KEYS = new Set(['index.docker.io', 'docker.io', 'registry-1.docker.io']);

/** The part of a Secret that is read; `data` values are base64. */
export interface PullSecret {
  readonly type?: string | undefined;
  readonly data?: Readonly<Record<string, string>> | undefined;
}

/** Entries of one secret; none when it is of another type or cannot be read (the kubelet ignores it as well). */
export function entriesOfSecret(secret: PullSecret): CredentialEntry[] {
  if (secret.type === 'kubernetes.io/dockerconfigjson') {
    return entriesOfConfig(decodeJson(secret.data?.['.dockerconfigjson']));
  }
  if (secret.type !== 'kubernetes.io/dockercfg') return [];
  return entriesOfAuths(decodeJson(secret.data?.['.dockercfg']));
}

/** Entries of a parsed `config.json` of Docker. */
export function entriesOfConfig(config: unknown): CredentialEntry[] {
  return isObject(config) ? entriesOfAuths(config['auths']) : [];
}

function entriesOfAuths(auths: unknown): CredentialEntry[] {
  if (!isObject(auths)) return [];
  return Object.entries(auths).flatMap(([key, value]) => {
    const location = locationOf(key);
    const credential = credentialOf(value);
    return location && credential ? [{ location, credential }] : [];
  });
}

function decodeJson(base64: string | undefined): unknown {
  if (base64 === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** `https://index.docker.io/v1/` → `index.docker.io`: the scheme and an API version at the front do not count. */
function locationOf(key: string): string {
  const bare = key.replace(/^[a-z]+:\/\//i, '');
  const slash = bare.indexOf('/');
  const host = slash < 0 ? bare : bare.slice(0, slash);
  const path = slash < 0 ? '' : bare.slice(slash).replace(/^\/v[12](?=\/|$)/, '');
  return path === '' || path === '/' ? host : `${host}${path}`;
}

function credentialOf(value: unknown): RegistryCredential | undefined {
  if (!isObject(value)) return undefined;
  const text = (name: string) => (typeof value[name] === 'string' && value[name] !== '' ? value[name] : undefined);
  const pair = decodeAuth(text('auth'));
  const credential = {
    username: pair?.username ?? text('username'),
    password: pair?.password ?? text('password'),
    identityToken: text('identitytoken'),
    registryToken: text('registrytoken'),
  };
  return Object.values(credential).some((part) => part !== undefined) ? credential : undefined;
}

function decodeAuth(auth: string | undefined): { username: string; password: string } | undefined {
  if (auth === undefined) return undefined;
  const decoded = Buffer.from(auth, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) return undefined;
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') };
}

/** The credentials that hold for an image, most specific first; empty means anonymous. */
export function credentialsFor(reference: ImageReference, entries: readonly CredentialEntry[]): RegistryCredential[] {
  return entries
    .filter(({ location }) => locationMatches(location, reference))
    .sort((left, right) => (left.location < right.location ? 1 : left.location > right.location ? -1 : 0))
    .map(({ credential }) => credential);
}

function locationMatches(location: string, { registry, repository }: ImageReference): boolean {
  const slash = location.indexOf('/');
  const host = slash < 0 ? location : location.slice(0, slash);
  const path = slash < 0 ? '' : location.slice(slash);
  if (!`/${repository}`.startsWith(path)) return false;
  if (registry === 'docker.io' && HUB_KEYS.has(host)) return true;
  return hostMatches(host, registry);
}

/** Label by label, so that `*` never spans a dot; ports must be equal. */
function hostMatches(pattern: string, registry: string): boolean {
  const [wantedHost, wantedPort] = splitPort(pattern);
  const [host, port] = splitPort(registry);
  if (wantedPort !== port) return false;
  const wanted = wantedHost.split('.');
  const labels = host.split('.');
  return wanted.length === labels.length && wanted.every((label, at) => globMatches(label, labels[at] ?? ''));
}

function splitPort(host: string): [host: string, port: string] {
  const match = /^(.*?)(?::(\d+))?$/.exec(host);
  return [match?.[1] ?? host, match?.[2] ?? ''];
}

/** `*` and `?`, in time linear in the text for each `*`: patterns come from users. */
function globMatches(glob: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let position = 0;
  while (position < text.length) {
    if (glob[at] === '*') {
      star = at;
      at += 1;
      resume = position;
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === text[position])) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      position = resume;
    } else return false;
  }
  return glob.slice(at).replaceAll('*', '') === '';
}

/** A key that tells credentials apart without keeping them readable, for caches. */
export function credentialKey(credential: RegistryCredential | undefined): string {
  if (!credential) return '';
  const { username = '', password = '', identityToken = '', registryToken = '' } = credential;
  return JSON.stringify([username, password, identityToken, registryToken]);
}
