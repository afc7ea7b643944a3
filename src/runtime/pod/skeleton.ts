/**
 * The lowest layer of every root filesystem: the places that the runtime mounts something on. An image that lacks them
 * would have them made in each container's writable layer, file by file, on disk. What an image has itself covers this.
 */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const FOLDERS = ['dev', 'etc', 'proc', 'sys'];
const FILES = ['etc/hostname', 'etc/hosts', 'etc/resolv.conf'];

/** Made once, whole or not at all. @param root `DIR/skeleton`. */
export function makeSkeleton(root: string): void {
  if (existsSync(root)) return;
  const fresh = `${root}.new`;
  rmSync(fresh, { recursive: true, force: true });
  for (const name of FOLDERS) mkdirSync(path.join(fresh, name), { recursive: true, mode: 0o755 });
  for (const name of FILES) writeFileSync(path.join(fresh, name), '', { mode: 0o644 });
  const tmp = path.join(fresh, 'tmp');
  mkdirSync(tmp);
  // The runtime contract wants a /tmp that everybody may write to.
  chmodSync(tmp, 0o1777);
  renameSync(fresh, root);
}
