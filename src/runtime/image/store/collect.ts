/**
 * Takes away what nothing refers to: blobs and layers that belong neither to a named image nor to one that is given
 * as in use, and whatever an interrupted pull left. Runs with the store locked against additions.
 *
 * Directories are moved aside at once and deleted later by whoever asked, off the main thread.
 */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import { chainId, type Digest, isDigest } from '#runtime/image/digest.ts';
import { isImageError } from '#runtime/image/errors.ts';
import type { Platform } from '#runtime/image/manifest.ts';
import { readImage } from '#runtime/image/store/image.ts';
import { layerPath, type StoreLayout, temporaryPath } from '#runtime/image/store/layout.ts';
import { lockStore } from '#runtime/image/store/lock.ts';
import { lastUse, listReferences, removeReference } from '#runtime/image/store/references.ts';

export interface Collection {
  readonly blobs: number;
  readonly layers: number;
  /** Of the blobs. */
  readonly bytes: number;
  /** Names that were forgotten. */
  readonly forgotten: readonly string[];
  /** Paths that are garbage now and wait to be deleted. */
  readonly trash: readonly string[];
}

export interface CollectOptions {
  /** Digests of images that are in use, by a Pod that is bound to this node at whatever stage. */
  readonly roots: Iterable<Digest>;
  readonly platform: Platform;
  readonly timeoutMs?: number;
  /** Names that were last needed before this instant, and whose image is not in use, are forgotten first. */
  readonly unusedSinceMs?: number;
}

export async function collectGarbage(
  layout: StoreLayout,
  clock: Clock,
  options: CollectOptions,
  signal: AbortSignal,
): Promise<Collection> {
  const request = {
    mode: 'exclusive',
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  } as const;
  using _held = await lockStore(layout, clock, request, signal);
  const forgotten = await forgetUnused(layout, options);
  const keep = await keptContent(layout, options);
  const removed = await removeBlobs(layout, keep.blobs);
  const layers = await removeLayers(layout, clock, keep.layers);
  const leftovers = await readdir(layout.ingest);
  return { ...removed, forgotten, layers, trash: leftovers.map((name) => path.join(layout.ingest, name)) };
}

async function forgetUnused(layout: StoreLayout, { roots, unusedSinceMs }: CollectOptions): Promise<string[]> {
  if (unusedSinceMs === undefined) return [];
  const inUse = new Set<Digest>(roots);
  const forgotten: string[] = [];
  for (const { name, digest } of await listReferences(layout)) {
    if (inUse.has(digest) || (await lastUse(layout, name)) >= unusedSinceMs) continue;
    await removeReference(layout, name);
    forgotten.push(name);
  }
  return forgotten;
}

interface Kept {
  readonly blobs: Set<string>;
  /** Names of directories. */
  readonly layers: Set<string>;
}

async function keptContent(layout: StoreLayout, { roots, platform }: CollectOptions): Promise<Kept> {
  const kept: Kept = { blobs: new Set(), layers: new Set([path.basename(layout.emptyLayer)]) };
  const named = (await listReferences(layout)).map(({ digest }) => digest);
  for (const digest of new Set([...named, ...roots])) await keep(layout, digest, platform, kept);
  return kept;
}

async function keep(layout: StoreLayout, digest: Digest, platform: Platform, kept: Kept): Promise<void> {
  kept.blobs.add(digest);
  const image = await readImage(layout, digest, platform).catch((error: unknown) => {
    // What cannot be read refers to nothing.
    if (isImageError(error)) return undefined;
    throw error;
  });
  if (!image) return;
  const { manifest, config, manifestChain } = image;
  for (const blob of [...manifestChain, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)]) {
    kept.blobs.add(blob);
  }
  for (const [index, diffId] of config.diffIds.entries()) {
    const chain = chainId(config.diffIds.slice(0, index + 1)) ?? diffId;
    for (const id of [diffId, chain]) kept.layers.add(path.basename(layerPath(layout, id)));
  }
}

async function removeBlobs(layout: StoreLayout, kept: Set<string>): Promise<{ blobs: number; bytes: number }> {
  let blobs = 0;
  let bytes = 0;
  for (const algorithm of ['sha256', 'sha512']) {
    const dir = path.join(layout.blobs, algorithm);
    for (const hex of await readdir(dir)) {
      const digest = `${algorithm}:${hex}`;
      if (isDigest(digest) && kept.has(digest)) continue;
      bytes += (await stat(path.join(dir, hex))).size;
      await rm(path.join(dir, hex), { force: true });
      blobs += 1;
    }
  }
  return { blobs, bytes };
}

/** The record goes first: without it the directory does not count any more. */
async function removeLayers(layout: StoreLayout, clock: Clock, kept: Set<string>): Promise<number> {
  const entries = await readdir(layout.layers, { withFileTypes: true });
  const records = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.json'));
  const known = new Set(records.map((entry) => entry.name.slice(0, -'.json'.length)));
  for (const name of known) if (!kept.has(name)) await rm(path.join(layout.layers, `${name}.json`), { force: true });
  // A directory without a record was left by a crash, even if an image refers to it.
  const isEmptyLayer = (name: string) => name === path.basename(layout.emptyLayer);
  const dead = entries.filter(({ name }) => !isEmptyLayer(name) && !(kept.has(name) && known.has(name)));
  const directories = dead.filter((entry) => entry.isDirectory());
  for (const { name } of directories) await rename(path.join(layout.layers, name), temporaryPath(layout, clock));
  return directories.length;
}
