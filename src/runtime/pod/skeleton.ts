/**
 * The lowest layers of every root filesystem: the places that the runtime mounts something on. An image that lacks them
 * would have them made in each container's writable layer, file by file, on disk. What an image has itself covers these.
 *
 *     DIR/skeleton         for every container
 *     DIR/skeleton-token   beside it, for those that are shown a token at the usual place
 */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Container } from '#kube/kinds/core/container.ts';
import type { StatePaths } from '#protocol/platform.ts';

const FOLDERS = ['dev', 'etc', 'proc', 'sys'];
const FILES = ['etc/hostname', 'etc/hosts', 'etc/resolv.conf'];

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** In most images /var/run is a link to /run. */
const TOKEN_FOLDERS = [TOKEN_PATH, TOKEN_PATH.replace('/var', '')];

type SkeletonPaths = Pick<StatePaths, 'skeleton' | 'tokenSkeleton'>;

export interface Skeletons {
  /** From the upper one down. */
  layersFor(container: Container): readonly string[];
}

/** Made once, whole or not at all. */
export function makeSkeletons({ skeleton: root, tokenSkeleton: withToken }: SkeletonPaths): Skeletons {
  make(root, (fresh) => {
    for (const name of FOLDERS) mkdirSync(path.join(fresh, name), { recursive: true, mode: 0o755 });
    for (const name of FILES) writeFileSync(path.join(fresh, name), '', { mode: 0o644 });
    const tmp = path.join(fresh, 'tmp');
    mkdirSync(tmp);
    // The runtime contract wants a /tmp that everybody may write to.
    chmodSync(tmp, 0o1777);
  });
  make(withToken, (fresh) => {
    for (const name of TOKEN_FOLDERS) mkdirSync(path.join(fresh, name), { recursive: true, mode: 0o755 });
  });
  return {
    layersFor({ volumeMounts = [] }) {
      return volumeMounts.some(({ mountPath }) => mountPath === TOKEN_PATH) ? [withToken, root] : [root];
    },
  };
}

function make(root: string, fill: (fresh: string) => void): void {
  if (existsSync(root)) return;
  const fresh = `${root}.new`;
  rmSync(fresh, { recursive: true, force: true });
  fill(fresh);
  renameSync(fresh, root);
}
