/**
 * Writes down what the agent knows of a pod. Whoever is started next reads it, finds the containers still running, and
 * goes on: so it is written at each change of a container's life, whole (temporary file and rename), in memory:
 * `DIR/run/pods/UID/record.json`. After a reboot nothing runs; what a pod should keep over it (uid, number of restarts)
 * is in a copy on disk, `DIR/pods/UID/record.json`, which may be some seconds older.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { uidOf } from '#kube/object.ts';
import type { StatePaths } from '#protocol/platform.ts';
import type { Digest } from '#runtime/image/digest.ts';
import type { PodState } from '#runtime/pod/state.ts';
import { unmountBelow } from '#sys/mounts.ts';

const RECORD_FILE = 'record.json';

/**
 * `DIR/pods`, on disk, and `DIR/run/pods`, in memory. A start makes a dozen files that are of no use once it is through
 * or the machine was started anew; those are made in memory. What a container may write to is on disk.
 */
export type PodFolders = Pick<StatePaths, 'pods' | 'bundles'>;

/** Paths of one pod. */
export interface PodPaths {
  /** Everything of the pod lies below these. */
  readonly roots: readonly [disk: string, memory: string];
  readonly record: string;
  /** The copy for after a reboot. */
  readonly keptRecord: string;
  readonly volumes: string;
  /** Of volumes that must not be on disk. */
  readonly memoryVolumes: string;
  readonly container: (name: string) => ContainerPaths;
}

export interface ContainerPaths {
  readonly root: string;
  /** Holds config.json; the runtime's bundle. */
  readonly bundle: string;
  readonly rootfs: string;
  readonly etcLayer: string;
  readonly upper: string;
  readonly work: string;
  readonly terminationLog: string;
}

export function podPaths({ pods, bundles }: PodFolders, uid: string): PodPaths {
  const disk = path.join(pods, uid);
  const memory = path.join(bundles, uid);
  return {
    roots: [disk, memory],
    record: path.join(memory, RECORD_FILE),
    keptRecord: path.join(disk, RECORD_FILE),
    // No container can have a name with a dot in it.
    volumes: path.join(disk, '.volumes'),
    memoryVolumes: path.join(memory, '.volumes'),
    container: (name) => {
      const own = path.join(memory, name);
      const layers = path.join(disk, name);
      return {
        root: own,
        bundle: own,
        rootfs: path.join(own, 'rootfs'),
        etcLayer: path.join(own, 'etc-layer'),
        upper: path.join(layers, 'upper'),
        work: path.join(layers, 'work'),
        terminationLog: path.join(layers, 'termination-log'),
      };
    },
  };
}

/** The control group of one container, below the root of every tree. */
export function containerCgroup(cgroup: string, pod: Pod, id: string): string {
  return `/${cgroup}/pod${uidOf(pod)}/${id}`;
}

export function writeRecord(folders: PodFolders, state: PodState): void {
  writeWhole(podPaths(folders, state.pod.metadata.uid ?? '').record, state);
}

/** Writes the copy that outlives a reboot. */
export function keepRecord(folders: PodFolders, state: PodState): void {
  writeWhole(podPaths(folders, state.pod.metadata.uid ?? '').keptRecord, state);
}

function writeWhole(file: string, state: PodState): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The pods that were recorded; a folder without a readable record is one that was never started, or half removed. */
export function readRecords(folders: PodFolders): { states: PodState[]; strays: string[] } {
  const states: PodState[] = [];
  const strays: string[] = [];
  for (const uid of new Set([...namesIn(folders.pods), ...namesIn(folders.bundles)])) {
    const { record, keptRecord } = podPaths(folders, uid);
    const state = readRecord(record) ?? readRecord(keptRecord);
    if (state?.pod.metadata.uid === uid) states.push(state);
    else strays.push(uid);
  }
  return { states, strays };
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Digests of the images that containers on this machine were started from. */
export function imagesInUse(folders: PodFolders): ReadonlySet<Digest> {
  const containers = readRecords(folders).states.flatMap((state) => Object.values(state.containers));
  return new Set(containers.flatMap(({ imageId }) => (imageId?.split('@')[1] ?? []) as Digest[]));
}

function readRecord(file: string): PodState | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PodState;
  } catch {
    return undefined;
  }
}

/** Detaches everything that is mounted below the pod's folders. */
export function unmountPod(folders: PodFolders, uid: string): void {
  for (const root of podPaths(folders, uid).roots) unmountBelow(root);
}

/** Removes what is left of a pod's folders; its mounts must be gone. */
export function removePodFolders(folders: PodFolders, uid: string): void {
  for (const root of podPaths(folders, uid).roots) rmSync(root, { recursive: true, force: true });
}
