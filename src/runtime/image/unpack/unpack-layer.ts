/**
 * Unpacks one layer from its blob into an empty directory, and checks the digest of what was unpacked (its DiffID).
 * Runs in a worker thread: reading and laying out are synchronous between chunks.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { DIRECTORY_FLAGS } from '#sys/directory.ts';
import { Digester, type Digest } from '#runtime/image/digest.ts';
import { digestMismatch, ImageError, storageError } from '#runtime/image/errors.ts';
import type { LayerLimits } from '#runtime/image/limits.ts';
import { decompressFile } from '#runtime/image/unpack/decompress.ts';
import { type LayerFacts, LayerWriter } from '#runtime/image/unpack/layer-writer.ts';
import { TarReader } from '#runtime/image/unpack/tar-reader.ts';

export interface UnpackLayer {
  /** The blob's file. */
  readonly blob: string;
  readonly diffId: Digest;
  /** An empty directory. */
  readonly root: string;
  /** Directories of the layers below, the nearest first. */
  readonly lowerDirs: readonly string[];
  readonly limits: LayerLimits;
}

/** Progress is in bytes of the blob. What fails is told of the layer by its DiffID; the root is left to the caller. */
export async function unpackLayer(
  layer: UnpackLayer,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<LayerFacts> {
  const lowerFds = layer.lowerDirs.map((dir) => openSync(dir, DIRECTORY_FLAGS | constants.O_NOFOLLOW));
  try {
    return await unpack(layer, lowerFds, { signal, onProgress });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const known = storageError(error);
    const code = known.code === 'Internal' ? 'MalformedLayer' : known.code;
    throw new ImageError(code, `failed to extract layer ${layer.diffId}: ${known.message}`, { cause: error });
  } finally {
    for (const fd of lowerFds) closeSync(fd);
  }
}

interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
}

async function unpack(layer: UnpackLayer, lowerFds: readonly number[], watch: Watch): Promise<LayerFacts> {
  const { root, limits, diffId } = layer;
  const { chunks, sourceBytes } = await decompressFile(layer.blob);
  using writer = new LayerWriter({ root, lowerFds, limits, compressedBytes: sourceBytes });
  const reader = new TarReader(writer, { maxHeaderBytes: limits.headerBytes });
  const digester = new Digester(diffId);
  for await (const chunk of chunks) {
    watch.signal.throwIfAborted();
    digester.update(chunk);
    reader.push(chunk);
    watch.onProgress(sourceBytes());
  }
  reader.finish();
  const facts = writer.finish();
  const got = digester.finish();
  if (got !== diffId) throw digestMismatch(diffId, got, 'unpacked content');
  return facts;
}
