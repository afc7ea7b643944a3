/**
 * Writes down what the agent knows of a pod, beside the pod: `DIR/pods/UID/record.json`. Whoever is started next reads
 * it, finds the containers still running, and goes on. Written whole (temporary file and rename) at each change of a
 * container's life; not synced, since after a power failure there is nothing left to adopt.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { uidOf } from '#kube/object.ts';
import type { Digest } from '#runtime/image/digest.ts';
import type { PodState } from '#runtime/pod/state.ts';

const RECORD_FILE = 'record.json';

/** Paths of one pod below `DIR/pods`. */
export interface PodPaths {
  readonly root: string;
  readonly etc: string;
  readonly volumes: string;
  readonly container: (name: string) => ContainerPaths;
}

export interface ContainerPaths {
  readonly root: string;
  /** Holds config.json; the runtime's bundle. */
  readonly bundle: string;
  readonly rootfs: string;
  readonly upper: string;
  readonly work: string;
  readonly terminationLog: string;
}

export function podPaths(pods: string, uid: string): PodPaths {
  const root = path.join(pods, uid);
  return {
    root,
    etc: path.join(root, 'etc'),
    volumes: path.join(root, 'volumes'),
    container: (name) => {
      const own = path.join(root, 'containers', name);
      return {
        root: own,
        bundle: own,
        rootfs: path.join(own, 'rootfs'),
        upper: path.join(own, 'upper'),
        work: path.join(own, 'work'),
        terminationLog: path.join(own, 'termination-log'),
      };
    },
  };
}

/** The control group of one container, below the root of every tree. */
export function containerCgroup(cgroup: string, pod: Pod, id: string): string {
  return `/${cgroup}/pod${uidOf(pod)}/${id}`;
}

export function writeRecord(pods: string, state: PodState): void {
  const { root } = podPaths(pods, state.pod.metadata.uid ?? '');
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const file = path.join(root, RECORD_FILE);
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The pods that were recorded; a folder without a readable record is one that was never started, or half removed. */
export function readRecords(pods: string): { states: PodState[]; strays: string[] } {
  const states: PodState[] = [];
  const strays: string[] = [];
  for (const uid of existsSync(pods) ? readdirSync(pods) : []) {
    const state = readRecord(path.join(pods, uid, RECORD_FILE));
    if (state?.pod.metadata.uid === uid) states.push(state);
    else strays.push(uid);
  }
  return { states, strays };
}

/** Digests of the images that containers on this machine were started from. */
export function imagesInUse(pods: string): ReadonlySet<Digest> {
  const containers = readRecords(pods).states.flatMap((state) => Object.values(state.containers));
  return new Set(containers.flatMap(({ imageId }) => (imageId?.split('@')[1] ?? []) as Digest[]));
}

function readRecord(file: string): PodState | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PodState;
  } catch {
    return undefined;
  }
}

/** Removes what is left of a pod's folder; its mounts must be gone. */
export function removePodFolder(pods: string, uid: string): void {
  rmSync(podPaths(pods, uid).root, { recursive: true, force: true });
}
