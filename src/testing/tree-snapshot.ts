/** A directory tree as data, for comparing one with another or with what was meant. Needs root to see everything. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';

export interface TreeNode {
  readonly type: 'file' | 'directory' | 'symlink' | 'fifo' | 'character' | 'block' | 'other';
  /** Permission bits; 0 for links, which have none. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds. */
  readonly mtime: number;
  /** A file's bytes or a link's target, as latin1. */
  readonly content?: string;
  readonly device?: string;
}

/** By path below `root` (latin1, so that any name has its place); the root itself is left out. */
export function treeSnapshot(root: string): Record<string, TreeNode> {
  const nodes: Record<string, TreeNode> = {};
  const walk = (folder: Buffer, prefix: string) => {
    for (const name of readdirSync(folder, { encoding: 'buffer' })) {
      const full = Buffer.concat([folder, Buffer.from('/'), name]);
      const key = `${prefix}${name.toString('latin1')}`;
      const stats = lstatSync(full);
      nodes[key] = nodeOf(full, stats);
      if (stats.isDirectory()) walk(full, `${key}/`);
    }
  };
  walk(Buffer.from(root), '');
  return Object.fromEntries(Object.entries(nodes).sort(([left], [right]) => (left < right ? -1 : 1)));
}

function nodeOf(full: Buffer, stats: Stats): TreeNode {
  const type = typeOf(stats);
  const { uid, gid } = stats;
  const mode = type === 'symlink' ? 0 : stats.mode & 0o7777;
  const common = { type, mode, uid, gid, mtime: Math.floor(stats.mtimeMs / 1_000) };
  if (type === 'file') return { ...common, content: readFileSync(full, 'latin1') };
  if (type === 'symlink') return { ...common, content: readlinkSync(full, 'latin1') };
  const isDevice = type === 'character' || type === 'block';
  return isDevice ? { ...common, device: `${stats.rdev >> 8}:${stats.rdev & 0xff}` } : common;
}

function typeOf(stats: Stats): TreeNode['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isCharacterDevice()) return 'character';
  return stats.isBlockDevice() ? 'block' : 'other';
}
