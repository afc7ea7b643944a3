/**
 * Writes a volume's files so that a change shows all at once, the way the kubelet lays them out:
 *
 *     VOLUME/..2026_01_01_00_00_00.0001/key     the files
 *     VOLUME/..data -> ..2026_01_01_00_00_00.0001
 *     VOLUME/key -> ..data/key                  one link per top-level name
 *
 * A new payload goes into a new folder, then `..data` is replaced by rename.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { VolumeContent } from '#runtime/volumes/content.ts';

const DATA = '..data';

/** @param group owner of the files besides root, from `fsGroup`. Answers whether anything changed. */
export function writePayload(
  volume: string,
  content: VolumeContent,
  options: { stamp: string; group?: number | undefined },
): boolean {
  mkdirSync(volume, { recursive: true, mode: 0o755 });
  if (isCurrent(volume, content)) return false;
  const folder = `..${options.stamp}`;
  writeFiles(path.join(volume, folder), content, options.group);
  const old = currentFolder(volume);
  const link = path.join(volume, '..data_new');
  rmSync(link, { force: true });
  symlinkSync(folder, link);
  renameSync(link, path.join(volume, DATA));
  updateLinks(volume, content);
  if (old !== undefined) rmSync(path.join(volume, old), { recursive: true, force: true });
  return true;
}

function writeFiles(folder: string, content: VolumeContent, group: number | undefined): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const [name, { content: bytes, mode, owner = 0 }] of content) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
    // Nobody reads it before it has its owner.
    writeFileSync(file, bytes, { mode: 0o600 });
    if (group !== undefined || owner !== 0) chownSync(file, owner, group ?? 0);
    chmodSync(file, group === undefined ? mode : mode | 0o040);
  }
}

function updateLinks(volume: string, content: VolumeContent): void {
  const wanted = new Set([...content.keys()].map((name) => name.split('/')[0] ?? name));
  for (const name of readdirSync(volume)) {
    if (!name.startsWith('..') && !wanted.has(name)) rmSync(path.join(volume, name), { force: true });
  }
  for (const name of wanted) {
    const link = path.join(volume, name);
    if (!existsSync(link) && !isLink(link)) symlinkSync(path.join(DATA, name), link);
  }
}

function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function currentFolder(volume: string): string | undefined {
  const link = path.join(volume, DATA);
  return isLink(link) ? readlinkSync(link) : undefined;
}

function isCurrent(volume: string, content: VolumeContent): boolean {
  const folder = currentFolder(volume);
  if (folder === undefined) return false;
  const root = path.join(volume, folder);
  const present = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  if (present.length !== content.size) return false;
  return [...content].every(([name, file]) => {
    const at = path.join(root, name);
    return existsSync(at) && readFileSync(at).equals(file.content);
  });
}
