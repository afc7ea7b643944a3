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
import type { WantedToken } from '#runtime/volumes/pod-tokens.ts';
import { tokenMode, tokenOwner } from '#runtime/volumes/token-owner.ts';
import { VolumeError } from '#runtime/volumes/volume-error.ts';

const DEFAULT_MODE = 0o644;
const DEFAULT_TOKEN_SECONDS = 3_600;

export interface VolumeFile {
  readonly content: Buffer;
  readonly mode: number;
  /** Root when absent. */
  readonly owner?: number | undefined;
}

export type VolumeContent = ReadonlyMap<string, VolumeFile>;

export type ContentInput = Omit<EnvironmentInput, 'container' | 'imageEnv' | 'hostname'>;

export interface ContentSources extends Pick<Lookup, 'configMap' | 'secret'> {
  /** A token of the pod's service account. */
  token(wanted: WantedToken): Promise<string>;
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

/** The tokens that a pod's volumes show. */
export function tokensIn({ volumes = [] }: { readonly volumes?: readonly Volume[] | undefined }): WantedToken[] {
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  return sources.flatMap(({ serviceAccountToken }) => (serviceAccountToken ? [wantedToken(serviceAccountToken)] : []));
}

function wantedToken({ audience, expirationSeconds = DEFAULT_TOKEN_SECONDS }: TokenProjection): WantedToken {
  return { audience, expirationSeconds };
}

type Projected = NonNullable<Volume['projected']>;
type Projection = NonNullable<Projected['sources']>[number];
type TokenProjection = NonNullable<Projection['serviceAccountToken']>;

interface ProjectionContext {
  readonly input: ContentInput;
  readonly sources: ContentSources;
  readonly mode: number | undefined;
}

/** Everything is looked up at once; where two sources have a path in common, the later one counts. */
async function addProjected(
  files: Map<string, VolumeFile>,
  { sources: parts, defaultMode: mode }: Projected,
  context: Omit<ProjectionContext, 'mode'>,
): Promise<void> {
  const contents = await Promise.all((parts ?? []).map((part) => projectionContent(part, { ...context, mode })));
  for (const content of contents) for (const [path, file] of content) files.set(path, file);
}

async function projectionContent(
  { configMap, secret, downwardAPI, serviceAccountToken }: Projection,
  { input, sources, mode }: ProjectionContext,
): Promise<VolumeContent> {
  const files = new Map<string, VolumeFile>();
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
    const content = Buffer.from(await sources.token(wantedToken(serviceAccountToken)));
    put(files, serviceAccountToken.path, {
      content,
      mode: tokenMode(input.pod, mode ?? DEFAULT_MODE),
      owner: tokenOwner(input.pod),
    });
  }
  return files;
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
