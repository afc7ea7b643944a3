/**
 * Where the local store keeps what, and how a file gets there whole:
 *
 *     DIR/images/lock                  flock: shared while content is added, exclusive while it is removed
 *     DIR/images/blobs/sha256/HEX      manifests, configurations, layers as they came
 *     DIR/images/refs/HASH.json        one name each: {name, digest, mediaType, source, createdAt}; its mtime is the last use
 *     DIR/images/layers/KEY            an unpacked layer, ready to be a lower layer of an overlay
 *     DIR/images/layers/KEY.json       its record; a layer without one does not count
 *     DIR/images/layers/lock       held while a layer is put in its place
 *     DIR/images/layers/empty          for images without any file
 *     DIR/images/ingest/…              whatever is not complete yet; emptied at start
 *
 * Everything arrives by a rename from `ingest` on the same file system, so a name stands for something complete.
 */
import { existsSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { type Clock } from '#base/clock.ts';
import { randomSuffix } from '#base/ids.ts';
import { type Digest, digestOf, digestParts } from '#runtime/image/digest.ts';

export interface StoreLayout {
  readonly root: string;
  readonly lock: string;
  readonly blobs: string;
  readonly refs: string;
  readonly layers: string;
  readonly layersLock: string;
  readonly emptyLayer: string;
  readonly ingest: string;
}

export function storeLayout(root: string): StoreLayout {
  const at = (...parts: string[]) => path.join(root, ...parts);
  return {
    root,
    lock: at('lock'),
    blobs: at('blobs'),
    refs: at('refs'),
    layers: at('layers'),
    layersLock: at('layers', 'lock'),
    emptyLayer: at('layers', 'empty'),
    ingest: at('ingest'),
  };
}

/** Makes the directories; only root may look in, since layers hold set-user-ID programs. */
export async function makeStore(layout: StoreLayout): Promise<void> {
  await mkdir(layout.root, { recursive: true, mode: 0o700 });
  for (const dir of [...blobDirectories(layout), layout.refs, layout.emptyLayer, layout.ingest]) {
    await mkdir(dir, { recursive: true });
  }
}

/** Whether somebody made a store there: its directories tell it from another's of the same name. */
export function isStore({ blobs, refs, layers, ingest }: StoreLayout): boolean {
  return [blobs, refs, layers, ingest].every((dir) => existsSync(dir));
}

function blobDirectories({ blobs }: StoreLayout): string[] {
  return ['sha256', 'sha512'].map((algorithm) => path.join(blobs, algorithm));
}

/** Makes blobs durable that were renamed into their place one by one. */
export async function syncBlobDirectories(layout: StoreLayout): Promise<void> {
  for (const dir of blobDirectories(layout)) await syncDirectory(dir);
}

export function blobPath(layout: StoreLayout, digest: Digest): string {
  const { algorithm, hex } = digestParts(digest);
  return path.join(layout.blobs, algorithm, hex);
}

export function refPath(layout: StoreLayout, name: string): string {
  return path.join(layout.refs, `${digestParts(digestOf(name)).hex}.json`);
}

/** Short, because kernels before 6.5 take all lower layers of a mount in one page of text. */
const KEY_LENGTH = 20;

export function layerPath(layout: StoreLayout, id: Digest): string {
  return path.join(layout.layers, digestParts(id).hex.slice(0, KEY_LENGTH));
}

export function layerRecordPath(layout: StoreLayout, id: Digest): string {
  return `${layerPath(layout, id)}.json`;
}

const TEMPORARY_NAME_LENGTH = 16;

/** A name in `ingest` that nobody has. */
export function temporaryPath(layout: StoreLayout, clock: Clock): string {
  return path.join(layout.ingest, randomSuffix(clock, TEMPORARY_NAME_LENGTH));
}

/** Puts a complete file in its place, durably. */
export async function writeWhole(
  layout: StoreLayout,
  clock: Clock,
  file: { path: string; bytes: Uint8Array },
): Promise<void> {
  const temporary = temporaryPath(layout, clock);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(file.bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file.path);
  await syncDirectory(path.dirname(file.path));
}

/** Makes renames within `dir` durable. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
