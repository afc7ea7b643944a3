/**
 * The bind mounts of one container from its volumeMounts.
 *
 * A sub-path is opened without following any link (a container may have planted one in a shared volume), and what was
 * opened is bound to a place of ours, so that it cannot be exchanged between check and mount.
 */
import { closeSync, lstatSync, mkdirSync, openSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Container } from '#kube/kinds/core/container.ts';
import { DIRECTORY_FLAGS, makeDirectoryAt, openBeneath } from '#sys/directory.ts';
import { hasCode } from '#sys/errors.ts';
import { O_PATH } from '#sys/libc.ts';
import { bindMount } from '#sys/mount.ts';
import type { BindMount } from '#runtime/oci/spec.ts';
import { expand } from '#runtime/pod/environment.ts';
import { VolumeError } from '#runtime/volumes/volume-error.ts';
import type { VolumeSources } from '#runtime/volumes/volumes.ts';

export interface MountRequest {
  readonly container: Container;
  readonly volumes: VolumeSources;
  /** Volumes whose mounts are read-only whatever the mount says: those that show API objects. */
  readonly readOnlyVolumes: ReadonlySet<string>;
  /** Where opened sub-paths are bound: below the pod's volumes folder, so that they are unmounted with it. */
  readonly subPathRoot: string;
  /** For `subPathExpr`. */
  readonly env: ReadonlyMap<string, string>;
}

export function containerMounts(request: MountRequest): BindMount[] {
  return (request.container.volumeMounts ?? []).map((mount, index) => {
    const volume = request.volumes.get(mount.name);
    if (volume === undefined) throw new VolumeError(`volumeMount "${mount.name}" has no matching volume`);
    const subPath = mount.subPathExpr ? expand(mount.subPathExpr, request.env) : (mount.subPath ?? '');
    const place = path.join(request.subPathRoot, request.container.name, String(index));
    const isReadOnly = mount.readOnly === true || request.readOnlyVolumes.has(mount.name);
    return {
      source: subPath === '' ? volume : bindSubPath(volume, subPath, place),
      destination: mount.mountPath,
      access: isReadOnly ? 'read-only' : 'read-write',
      propagation: propagationOf(mount.mountPropagation),
    };
  });
}

function propagationOf(mode: string | undefined): 'private' | 'rslave' | 'rshared' {
  if (mode === 'HostToContainer') return 'rslave';
  return mode === 'Bidirectional' ? 'rshared' : 'private';
}

function bindSubPath(volume: string, subPath: string, place: string): string {
  const parts = subPath.split('/').filter((part) => part !== '' && part !== '.');
  if (subPath.startsWith('/') || parts.includes('..'))
    throw new VolumeError(`subPath "${subPath}" must be relative and not contain ".."`);
  const root = openSync(volume, DIRECTORY_FLAGS);
  try {
    const fd = openSubPath(root, parts, volume);
    try {
      bindOpened(fd, place);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(root);
  }
  return place;
}

/** Opens the sub-path; a directory that is missing is made, as the kubelet does. */
function openSubPath(root: number, parts: readonly string[], volume: string): number {
  const name = resolvePayload(volume, parts);
  try {
    return openBeneath(root, name, { flags: O_PATH });
  } catch (error) {
    if (!hasCode(error, 'ENOENT'))
      throw new VolumeError(`subPath "${parts.join('/')}" cannot be used: ${(error as Error).message}`);
  }
  let parent = root;
  for (const part of parts) {
    try {
      makeDirectoryAt(parent, part, 0o755);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    const next = openBeneath(parent, part, { flags: DIRECTORY_FLAGS });
    if (parent !== root) closeSync(parent);
    parent = next;
  }
  return parent;
}

/** In a volume of ours the first name is a link to the current payload: use the payload itself. */
function resolvePayload(volume: string, parts: readonly string[]): string {
  const data = path.join(volume, '..data');
  const isPayload = lstatSync(data, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isPayload ? path.join(readlinkSync(data), ...parts) : parts.join('/');
}

function bindOpened(fd: number, place: string): void {
  const source = `/proc/self/fd/${fd}`;
  mkdirSync(path.dirname(place), { recursive: true, mode: 0o700 });
  if (statSync(source).isDirectory()) mkdirSync(place, { recursive: true, mode: 0o700 });
  else writeFileSync(place, '', { mode: 0o600 });
  bindMount(source, place);
}
