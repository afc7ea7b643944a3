/**
 * The files of a volume that shows API objects: path → bytes and mode.
 *
 * Keys map to file names, or to the paths that `items` give them; what is missing and not optional is a `VolumeError`
 * in the kubelet's words (Event FailedMount).
 */
import type { Volume } from '#kube/kinds/core/volume.ts';
import type { DownwardAPIVolumeFile, KeyToPath } from '#kube/kinds/core/projection.ts';
import { podField, resourceField } from '#runtime/pod/fields.ts';
import type { EnvironmentInput, Lookup } from '#runtime/pod/environment.ts';

const DEFAULT_MODE = 0o644;

export class VolumeError extends Error {
  override readonly name = 'VolumeError';
}

export interface VolumeFile {
  readonly content: Buffer;
  readonly mode: number;
}

export type VolumeContent = ReadonlyMap<string, VolumeFile>;

export type ContentInput = Omit<EnvironmentInput, 'container' | 'imageEnv' | 'hostname'>;

export interface TokenRequest {
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
}

export interface ContentSources extends Pick<Lookup, 'configMap' | 'secret'> {
  /** A token of the pod's service account. */
  token(request: TokenRequest): Promise<string>;
}

/** Undefined for volumes that do not show API objects. */
export async function volumeContent(
  volume: Volume,
  input: ContentInput,
  sources: ContentSources,
): Promise<VolumeContent | undefined> {
  const files = new Map<string, VolumeFile>();
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) {
    const data = await configMapData(configMap.name ?? '', configMap.optional, sources);
    add(files, { data, items: configMap.items, isOptional: configMap.optional ?? false, mode: configMap.defaultMode });
  } else if (secret) {
    const data = await secretData(secret.secretName ?? '', secret.optional, sources);
    add(files, { data, items: secret.items, isOptional: secret.optional ?? false, mode: secret.defaultMode });
  } else if (downwardAPI) {
    addFields(files, downwardAPI.items ?? [], { input, mode: downwardAPI.defaultMode });
  } else if (projected) await addProjected(files, projected, { input, sources });
  else return undefined;
  return files;
}

type Projected = NonNullable<Volume['projected']>;

async function addProjected(
  files: Map<string, VolumeFile>,
  { sources: parts = [], defaultMode: mode }: Projected,
  { input, sources }: { input: ContentInput; sources: ContentSources },
): Promise<void> {
  for (const { configMap, secret, downwardAPI, serviceAccountToken } of parts) {
    if (configMap) {
      const data = await configMapData(configMap.name ?? '', configMap.optional, sources);
      add(files, { data, items: configMap.items, isOptional: configMap.optional ?? false, mode });
    }
    if (secret) {
      const data = await secretData(secret.name ?? '', secret.optional, sources);
      add(files, { data, items: secret.items, isOptional: secret.optional ?? false, mode });
    }
    if (downwardAPI) addFields(files, downwardAPI.items ?? [], { input, mode });
    if (serviceAccountToken) {
      const { audience, expirationSeconds = 3_600, path } = serviceAccountToken;
      const token = await sources.token({ audience, expirationSeconds });
      put(files, path, { content: Buffer.from(token), mode: mode ?? DEFAULT_MODE });
    }
  }
}

async function configMapData(
  name: string,
  optional: boolean | undefined,
  { configMap }: ContentSources,
): Promise<Record<string, Buffer>> {
  const data = await configMap(name);
  if (!data && !optional) throw new VolumeError(`configmap "${name}" not found`);
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'utf8')]));
}

async function secretData(
  name: string,
  optional: boolean | undefined,
  { secret }: ContentSources,
): Promise<Readonly<Record<string, Buffer>>> {
  const data = await secret(name);
  if (!data && !optional) throw new VolumeError(`secret "${name}" not found`);
  return data ?? {};
}

interface Addition {
  readonly data: Readonly<Record<string, Buffer>>;
  readonly items: readonly KeyToPath[] | undefined;
  readonly isOptional: boolean;
  readonly mode: number | undefined;
}

function add(files: Map<string, VolumeFile>, { data, items = [], isOptional, mode = DEFAULT_MODE }: Addition): void {
  if (items.length === 0) {
    for (const [key, content] of Object.entries(data)) put(files, key, { content, mode });
    return;
  }
  for (const item of items) {
    const content = data[item.key];
    if (content) put(files, item.path, { content, mode: item.mode ?? mode });
    else if (!isOptional) throw new VolumeError(`references non-existent config key: ${item.key}`);
  }
}

function addFields(
  files: Map<string, VolumeFile>,
  items: readonly DownwardAPIVolumeFile[],
  { input, mode = DEFAULT_MODE }: { input: ContentInput; mode: number | undefined },
): void {
  for (const { path, fieldRef, resourceFieldRef, mode: own } of items) {
    const text = fieldRef ? podField(input, fieldRef.fieldPath) : '';
    const value = resourceFieldRef ? resourceField(input, resourceFieldRef) : text;
    put(files, path, { content: Buffer.from(value), mode: own ?? mode });
  }
}

/** Paths are relative, without `..`, and do not begin with the two dots that mark our own entries. */
function put(files: Map<string, VolumeFile>, path: string, file: VolumeFile): void {
  const parts = path.split('/');
  const isSafe =
    !path.startsWith('/') &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..') &&
    !path.startsWith('..');
  if (!isSafe || path.includes('\0'))
    throw new VolumeError(`invalid path "${path}": it must be relative and stay within the volume`);
  files.set(path, file);
}
