/**
 * How long logs are kept after their pod is gone: the newest `MAX_KEPT_PODS` for at most `KEEP_MS`, and no more than
 * `MAX_KEPT_BYTES` together.
 */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';

const KEEP_MS = 24 * 60 * 60_000;
const MAX_KEPT_PODS = 500;
const MAX_KEPT_BYTES = 1024 * 1024 * 1024;

interface Folder {
  readonly path: string;
  readonly changedAt: number;
  readonly bytes: number;
}

/** @param keep UIDs of pods that live. */
export function sweepPodLogs(root: string, { keep, now }: { keep: ReadonlySet<string>; now: number }): void {
  if (!existsSync(root)) return;
  const gone = readdirSync(root)
    .filter((name) => !keep.has(name.split('_').at(-1) ?? ''))
    .map((name) => measure(path.join(root, name)))
    .sort((a, b) => b.changedAt - a.changedAt);
  let bytes = 0;
  for (const [index, folder] of gone.entries()) {
    bytes += folder.bytes;
    const isOld = now - folder.changedAt > KEEP_MS;
    if (isOld || index >= MAX_KEPT_PODS || bytes > MAX_KEPT_BYTES)
      rmSync(folder.path, { recursive: true, force: true });
  }
}

function measure(folder: string): Folder {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const stats = files.map((entry) => statSync(path.join(entry.parentPath, entry.name)));
  return {
    path: folder,
    changedAt: Math.max(statSync(folder).mtimeMs, ...stats.map(({ mtimeMs }) => mtimeMs)),
    bytes: stats.reduce((sum, { size }) => sum + size, 0),
  };
}
