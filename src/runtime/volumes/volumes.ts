/**
 * Prepares every volume of a pod before its containers start, keeps those that show API objects up to date, and takes
 * down what was mounted.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Volume } from '#kube/kinds/core/volume.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { quantityToNumber } from '#kube/quantity.ts';
import { mount, MS_NODEV, MS_NOSUID } from '#sys/mount.ts';
import { readMounts, unmountBelow } from '#sys/mounts.ts';
import { type ContentInput, type ContentSources, volumeContent } from '#runtime/volumes/content.ts';
import { writePayload } from '#runtime/volumes/payload.ts';
import { VolumeError } from '#runtime/volumes/volume-error.ts';

export interface VolumeRequest {
  /** Where volumes are on disk. */
  readonly root: string;
  /** Where those are that must not be: whatever shows a token. */
  readonly memoryRoot: string;
  readonly input: ContentInput;
  readonly sources: ContentSources;
  /** Distinguishes one payload from the next. */
  readonly stamp: string;
}

/** Volume name → directory or file to mount from. */
export type VolumeSources = ReadonlyMap<string, string>;

export async function prepareVolumes(request: VolumeRequest): Promise<VolumeSources> {
  const sources = new Map<string, string>();
  const volumes = request.input.pod.spec.volumes ?? [];
  await Promise.all(volumes.map(async (volume) => sources.set(volume.name, await prepare(volume, request))));
  return sources;
}

/** Brings volumes that show API objects up to date; answers the names of those that changed. */
export async function refreshVolumes(request: VolumeRequest): Promise<string[]> {
  const changed: string[] = [];
  for (const volume of request.input.pod.spec.volumes ?? []) {
    const content = await volumeContent(volume, request.input, request.sources);
    if (content && writePayload(folderOf(volume, request), content, payloadOptions(request))) changed.push(volume.name);
  }
  return changed;
}

/** Whether a pod has volumes that change with API objects. */
export function hasLiveVolumes({ spec }: Pod): boolean {
  return (spec.volumes ?? []).some(
    ({ configMap, secret, projected, downwardAPI }) => configMap ?? secret ?? projected ?? downwardAPI,
  );
}

/** Unmounts what `prepareVolumes` mounted; the files go with the pod's folder. */
export function unmountVolumes(root: string): void {
  if (existsSync(root)) unmountBelow(root);
}

async function prepare(volume: Volume, request: VolumeRequest): Promise<string> {
  const content = await volumeContent(volume, request.input, request.sources);
  const folder = folderOf(volume, request);
  if (content) {
    writePayload(folder, content, payloadOptions(request));
    return folder;
  }
  if (volume.emptyDir) return prepareEmptyDir(volume.emptyDir, folder, groupOf(request));
  if (volume.hostPath) return prepareHostPath(volume.hostPath);
  const [kind = 'nothing'] = Object.keys(volume).filter((key) => key !== 'name');
  throw new VolumeError(`volume "${volume.name}": ${kind} volumes are not supported on this node`);
}

function prepareEmptyDir(
  { medium, sizeLimit }: NonNullable<Volume['emptyDir']>,
  folder: string,
  group: number | undefined,
): string {
  const isNew = !existsSync(folder);
  mkdirSync(folder, { recursive: true });
  if (medium === 'Memory' && !readMounts().some(({ target }) => target === folder)) {
    const size = sizeLimit === undefined ? '' : `,size=${Math.ceil(quantityToNumber(sizeLimit))}`;
    mount({ source: 'tmpfs', target: folder, type: 'tmpfs', flags: MS_NOSUID | MS_NODEV, options: `mode=0777${size}` });
  }
  if (isNew) {
    // Everybody in the pod may write; with fsGroup, new files belong to the group.
    chmodSync(folder, group === undefined ? 0o777 : 0o2777);
    if (group !== undefined) chownSync(folder, 0, group);
  }
  return folder;
}

const FILE_TYPES: Readonly<Record<string, (stat: ReturnType<typeof statSync>) => boolean>> = {
  Directory: (stat) => stat?.isDirectory() ?? false,
  File: (stat) => stat?.isFile() ?? false,
  Socket: (stat) => stat?.isSocket() ?? false,
  CharDevice: (stat) => stat?.isCharacterDevice() ?? false,
  BlockDevice: (stat) => stat?.isBlockDevice() ?? false,
};

function prepareHostPath({ path: file, type }: NonNullable<Volume['hostPath']>): string {
  if (type === 'DirectoryOrCreate') mkdirSync(file, { recursive: true, mode: 0o755 });
  const stat = statSync(file, { throwIfNoEntry: false });
  const check = FILE_TYPES[type ?? ''];
  if (check && !check(stat))
    throw new VolumeError(`hostPath type check failed: ${file} is not a ${type?.toLowerCase() ?? ''}`);
  if (!stat) throw new VolumeError(`hostPath ${file} does not exist`);
  return file;
}

function folderOf(volume: Volume, { root, memoryRoot }: VolumeRequest): string {
  return path.join(showsToken(volume) ? memoryRoot : root, volume.name);
}

function showsToken({ projected }: Volume): boolean {
  return projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken) ?? false;
}

function groupOf({ input }: VolumeRequest): number | undefined {
  return input.pod.spec.securityContext?.fsGroup;
}

function payloadOptions(request: VolumeRequest): { stamp: string; group: number | undefined } {
  return { stamp: request.stamp, group: groupOf(request) };
}
