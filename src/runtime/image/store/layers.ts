/**
 * Unpacked layers. A layer that depends on nothing below it is kept under its DiffID and shared by every image that
 * has it; one that took attributes of parents from the layers below is kept under its ChainID.
 *
 * A record says on which boot the layer was unpacked and whether it was written back since: after a power loss, what
 * had not been is unpacked again from its blob rather than trusted.
 */
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import { isObject } from '#base/json.ts';
import { chainId, type Digest } from '#runtime/image/digest.ts';
import { ImageError } from '#runtime/image/errors.ts';
import {
  layerPath,
  layerRecordPath,
  type StoreLayout,
  temporaryPath,
  writeWhole,
} from '#runtime/image/store/layout.ts';
import { lockFile } from '#runtime/image/store/lock.ts';
import type { LayerFacts } from '#runtime/image/unpack/layer-writer.ts';
import { hasCode } from '#sys/errors.ts';
import { bootId } from '#sys/proc.ts';

export interface LayerRecord extends LayerFacts {
  /** What the layer is kept under: its DiffID or its ChainID. */
  readonly id: Digest;
  readonly diffId: Digest;
  readonly bootId: string;
  /** On disk for good. */
  readonly synced: boolean;
}

/** The layer at `index` of a stack of DiffIDs, if it is unpacked. */
export async function findLayer(
  layout: StoreLayout,
  diffIds: readonly Digest[],
  index: number,
): Promise<LayerRecord | undefined> {
  const diffId = diffIds[index];
  const chain = chainId(diffIds.slice(0, index + 1));
  if (diffId === undefined || chain === undefined) return undefined;
  const shared = await readLayer(layout, diffId);
  if (shared && (shared.independent || chain === diffId)) return shared;
  return chain === diffId ? undefined : readLayer(layout, chain);
}

async function readLayer(layout: StoreLayout, id: Digest): Promise<LayerRecord | undefined> {
  const record = await readRecord(layerRecordPath(layout, id));
  if (record?.['id'] !== id || !existsSync(layerPath(layout, id))) return undefined;
  if (record['synced'] !== true && record['bootId'] !== bootId()) return undefined;
  return record as unknown as LayerRecord;
}

async function readRecord(file: string): Promise<Record<string, unknown> | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Puts an unpacked directory in its place; answers the record that now counts. The directory stays where it is when
 * somebody else was faster.
 */
export async function commitLayer(
  layout: StoreLayout,
  clock: Clock,
  unpacked: { directory: string; diffIds: readonly Digest[]; index: number; facts: LayerFacts },
  signal: AbortSignal,
): Promise<LayerRecord> {
  const { directory, diffIds, index, facts } = unpacked;
  const diffId = diffIds[index];
  const chain = chainId(diffIds.slice(0, index + 1));
  if (diffId === undefined || chain === undefined) throw new ImageError('Internal', 'no such layer');
  const id = facts.independent ? diffId : chain;
  using _held = await lockFile(layout.layersLock, clock, { mode: 'exclusive' }, signal);
  const earlier = await readLayer(layout, id);
  if (earlier) return earlier;
  await clearPlace(layout, clock, id);
  await rename(directory, layerPath(layout, id));
  const record: LayerRecord = { ...facts, id, diffId, bootId: bootId(), synced: false };
  await writeRecord(layout, clock, record);
  return record;
}

/** What is there without a valid record was left by a crash; it is taken away when the store is next swept. */
async function clearPlace(layout: StoreLayout, clock: Clock, id: Digest): Promise<void> {
  const record = await readRecord(layerRecordPath(layout, id));
  if (record && record['id'] !== id) throw new ImageError('StorageFailed', `layer ${id} has the short name of another`);
  await rm(layerRecordPath(layout, id), { force: true });
  try {
    await rename(layerPath(layout, id), temporaryPath(layout, clock));
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** To be called after the file system was written back. */
export async function markSynced(layout: StoreLayout, clock: Clock, record: LayerRecord): Promise<void> {
  const current = await readLayer(layout, record.id);
  if (current && !current.synced) await writeRecord(layout, clock, { ...current, synced: true });
}

function writeRecord(layout: StoreLayout, clock: Clock, record: LayerRecord): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
  return writeWhole(layout, clock, { path: layerRecordPath(layout, record.id), bytes });
}

/**
 * Directories for an overlay, the topmost first. Layers without entries are left out, a layer that occurs twice is
 * taken where it is on top (overlayfs refuses the same directory twice, and nothing of it shows further down), and
 * what an opaque root hides is left out too. Never empty.
 */
export function lowerDirs(layout: StoreLayout, layers: readonly LayerRecord[]): string[] {
  const dirs: string[] = [];
  for (const { id, entries, opaqueRoot } of layers.toReversed()) {
    const dir = layerPath(layout, id);
    if (entries > 0 && !dirs.includes(dir)) dirs.push(dir);
    if (opaqueRoot) break;
  }
  return dirs.length > 0 ? dirs : [layout.emptyLayer];
}
