/**
 * At start: clears what interrupted operations left in `ingest`, unless another process is adding content right now,
 * and finds layers that this boot unpacked but that are not on disk for good.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import { isImageError } from '#runtime/image/errors.ts';
import type { LayerRecord } from '#runtime/image/store/layers.ts';
import type { StoreLayout } from '#runtime/image/store/layout.ts';
import { lockStore } from '#runtime/image/store/lock.ts';
import type { ImageWorkers } from '#runtime/image/worker/image-workers.ts';

const never = new AbortController().signal;

export async function startSweep(layout: StoreLayout, clock: Clock, workers: ImageWorkers): Promise<LayerRecord[]> {
  const leftovers = await leftoverPaths(layout, clock);
  if (leftovers.length > 0) await workers.run({ kind: 'remove', paths: leftovers }, { signal: never });
  return unsyncedLayers(layout);
}

async function leftoverPaths(layout: StoreLayout, clock: Clock): Promise<string[]> {
  try {
    using _held = await lockStore(layout, clock, { mode: 'exclusive', timeoutMs: 0 }, never);
    return (await readdir(layout.ingest)).map((name) => path.join(layout.ingest, name));
  } catch (error) {
    if (isImageError(error, 'Busy')) return [];
    throw error;
  }
}

async function unsyncedLayers(layout: StoreLayout): Promise<LayerRecord[]> {
  const files = (await readdir(layout.layers)).filter((name) => name.endsWith('.json'));
  const records = await Promise.all(files.map((name) => readFile(path.join(layout.layers, name), 'utf8')));
  return records.flatMap(parseUnsynced);
}

/** Only `markSynced` acts on it, after reading the record again with all its checks. */
function parseUnsynced(text: string): LayerRecord[] {
  try {
    const record = JSON.parse(text) as LayerRecord | null;
    return record && !record.synced ? [record] : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
