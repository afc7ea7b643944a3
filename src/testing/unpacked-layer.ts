/** Unpacks a layer that a test made in memory, and shows what became of it. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Digest } from '#runtime/image/digest.ts';
import { LAYER_LIMITS, type LayerLimits } from '#runtime/image/limits.ts';
import type { LayerFacts } from '#runtime/image/unpack/layer-writer.ts';
import { unpackLayer } from '#runtime/image/unpack/unpack-layer.ts';
import type { TemporaryFolder } from '#testing/temporary-folder.ts';

export interface LayerOptions {
  readonly limits?: Partial<LayerLimits>;
  /** Roots of layers below, the nearest first. */
  readonly lowerDirs?: readonly string[];
  readonly diffId?: Digest;
  /** The blob, where it is not simply the compressed archive. */
  readonly blob?: Buffer;
  readonly signal?: AbortSignal;
}

export interface UnpackedLayer {
  readonly root: string;
  readonly facts: LayerFacts;
}

let count = 0;

/** A new directory below `folder` for each call. */
export async function unpackTar(
  folder: TemporaryFolder,
  tar: Buffer,
  options: LayerOptions = {},
): Promise<UnpackedLayer> {
  const { limits, lowerDirs = [], blob = gzipSync(tar, { level: 1 }), signal = new AbortController().signal } = options;
  count += 1;
  const root = folder.at(`layer-${count}`);
  mkdirSync(root);
  const file = folder.at(`blob-${count}`);
  writeFileSync(file, blob);
  const diffId = options.diffId ?? (`sha256:${createHash('sha256').update(tar).digest('hex')}` as const);
  const layer = { blob: file, diffId, root, lowerDirs, limits: { ...LAYER_LIMITS, ...limits } };
  return { root, facts: await unpackLayer(layer, signal, () => {}) };
}
