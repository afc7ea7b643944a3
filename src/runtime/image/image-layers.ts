/**
 * Makes every layer of an image ready to mount: what is not unpacked is downloaded if need be, several at a time,
 * and unpacked from the bottom up, one at a time (a layer may need attributes of those below it). Two images that
 * share a layer share the work on it.
 */
import { existsSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { RegistryCredential } from '#runtime/image/credentials.ts';
import { chainId, type Digest } from '#runtime/image/digest.ts';
import { ImageError, isImageError, notFound, within } from '#runtime/image/errors.ts';
import { LAYER_LIMITS, type LayerLimits } from '#runtime/image/limits.ts';
import type { PullProgress } from '#runtime/image/progress.ts';
import type { ImageReference } from '#runtime/image/reference.ts';
import type { RegistrySettings } from '#runtime/image/registry/settings.ts';
import { type Interest, type Shared, SharedWork } from '#runtime/image/shared-work.ts';
import { hasBlob } from '#runtime/image/store/blobs.ts';
import { type LayerState, layerStates, type StoredImage } from '#runtime/image/store/image.ts';
import { commitLayer, findLayer, type LayerRecord, lowerDirs, markSynced } from '#runtime/image/store/layers.ts';
import { blobPath, layerPath, type StoreLayout, temporaryPath } from '#runtime/image/store/layout.ts';
import { lockStore } from '#runtime/image/store/lock.ts';
import type { ImageWorkers } from '#runtime/image/worker/image-workers.ts';

export interface ImageLayersOptions {
  readonly layout: StoreLayout;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: RegistrySettings;
  /** Threads for downloads, and others for unpacking, so that neither waits for the other. */
  readonly transfers: ImageWorkers;
  readonly unpackers: ImageWorkers;
  readonly limits?: LayerLimits | undefined;
}

/** Where missing blobs come from. */
export interface BlobSource {
  readonly reference: ImageReference;
  readonly credential: RegistryCredential | undefined;
}

type Watch = Interest<PullProgress>;

export class ImageLayers implements AsyncDisposable {
  readonly #options: ImageLayersOptions;
  readonly #downloads = new SharedWork<void, PullProgress>();
  readonly #unpacks = new SharedWork<LayerRecord, PullProgress>();
  readonly #closing = new AbortController();
  #unsynced = new Map<Digest, LayerRecord>();
  #syncing: Promise<void> | undefined;

  constructor(options: ImageLayersOptions) {
    this.#options = options;
  }

  /** Waits for layers to be on disk for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#syncing;
    this.#closing.abort();
  }

  /** Directories for an overlay, the topmost first. `source` may be left out where every blob is there. */
  async prepare(image: StoredImage, source: BlobSource | undefined, watch: Watch): Promise<string[]> {
    const states = await layerStates(this.#options.layout, image);
    const failure = new AbortController();
    const signal = AbortSignal.any([watch.signal, failure.signal]);
    const here = { signal, onProgress: watch.onProgress };
    try {
      const downloads = states.map((state) => this.#fetch(state, source, here));
      // Each is awaited in its turn; one that fails earlier must not count as unhandled.
      for (const download of downloads) download.catch(() => {});
      return await this.#unpackAll(image, { states, downloads, source }, here);
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  }

  async #unpackAll({ config }: StoredImage, work: LayerWork, watch: Watch): Promise<string[]> {
    const { states, downloads, source } = work;
    const { layout } = this.#options;
    const records: LayerRecord[] = [];
    for (const [index, state] of states.entries()) {
      await downloads[index];
      const place: Place = { diffIds: config.diffIds, index, below: records };
      const record = state.record ?? (await this.#unpackOrRefetch(state, place, source, watch));
      records.push(record);
    }
    return lowerDirs(layout, records);
  }

  async #fetch({ record, descriptor }: LayerState, source: BlobSource | undefined, watch: Watch): Promise<void> {
    const { layout, transfers, registry } = this.#options;
    if (record || (await hasBlob(layout, descriptor))) return;
    if (!source) throw notFound(`layer ${descriptor.digest}`);
    const { digest: layer, size: totalBytes } = descriptor;
    try {
      await this.#downloads.run(layer, watch, async ({ signal, onProgress }) => {
        await transfers.run(
          { kind: 'download', storeRoot: layout.root, registry, ...source, descriptor },
          { signal, onProgress: (bytes) => onProgress({ phase: 'downloading', layer, bytes, totalBytes }) },
        );
      });
    } catch (error) {
      throw within('failed to copy', error);
    }
  }

  /** A blob that the disk has damaged since it was checked is fetched again, once. */
  async #unpackOrRefetch(
    state: LayerState,
    place: Place,
    source: BlobSource | undefined,
    watch: Watch,
  ): Promise<LayerRecord> {
    try {
      return await this.#unpack(state, place, watch);
    } catch (error) {
      if (!isImageError(error, 'DigestMismatch', 'MalformedLayer') || (await this.#isIntact(state, watch))) throw error;
      const { digest } = state.descriptor;
      if (!source) throw new ImageError('StorageFailed', `layer ${digest} is damaged on disk`, { cause: error });
      await this.#fetch(state, source, watch);
      return this.#unpack(state, place, watch);
    }
  }

  #isIntact({ descriptor }: LayerState, { signal }: Watch): Promise<boolean> {
    const { layout, unpackers } = this.#options;
    return unpackers.run({ kind: 'verify', storeRoot: layout.root, digest: descriptor.digest }, { signal });
  }

  #unpack(state: LayerState, place: Place, watch: Watch): Promise<LayerRecord> {
    const chain = chainId(place.diffIds.slice(0, place.index + 1)) ?? state.diffId;
    return this.#unpacks.run(chain, watch, (shared) => this.#unpackOne(state, place, shared));
  }

  async #unpackOne(
    { descriptor, diffId }: LayerState,
    { diffIds, index, below }: Place,
    { signal, onProgress }: Shared<PullProgress>,
  ): Promise<LayerRecord> {
    const { layout, clock, unpackers, limits = LAYER_LIMITS } = this.#options;
    const earlier = await findLayer(layout, diffIds, index);
    if (earlier) return earlier;
    const { digest: layer, size: totalBytes } = descriptor;
    const directory = temporaryPath(layout, clock);
    const lower = below.map(({ id }) => layerPath(layout, id)).toReversed();
    const facts = await unpackers.run(
      { kind: 'unpack', blob: blobPath(layout, layer), diffId, directory, lowerDirs: lower, limits },
      { signal, onProgress: (bytes) => onProgress({ phase: 'unpacking', layer, bytes, totalBytes }) },
    );
    const record = await commitLayer(layout, clock, { directory, diffIds, index, facts }, signal);
    // Still there when another process was faster.
    if (existsSync(directory)) await unpackers.run({ kind: 'remove', paths: [directory] }, { signal });
    onProgress({ phase: 'unpacked', layer });
    this.syncLater(record);
    return record;
  }

  /** Writes the layer back in the background: nobody waits for it, and a power loss before costs an unpacking. */
  syncLater(record: LayerRecord): void {
    if (record.synced) return;
    this.#unsynced.set(record.id, record);
    this.#syncing ??= this.#sync().finally(() => {
      this.#syncing = undefined;
    });
  }

  async #sync(): Promise<void> {
    const { layout, clock, logger, unpackers } = this.#options;
    try {
      while (this.#unsynced.size > 0) {
        const records = [...this.#unsynced.values()];
        this.#unsynced = new Map();
        await unpackers.run({ kind: 'sync', path: layout.root }, { signal: this.#closing.signal });
        using _held = await lockStore(layout, clock, { mode: 'shared' }, this.#closing.signal);
        for (const record of records) await markSynced(layout, clock, record);
      }
    } catch (error) {
      logger.warn('unpacked layers could not be written back', { error });
    }
  }
}

interface LayerWork {
  readonly states: readonly LayerState[];
  /** One for each layer. */
  readonly downloads: readonly Promise<void>[];
  readonly source: BlobSource | undefined;
}

interface Place {
  readonly diffIds: readonly Digest[];
  readonly index: number;
  /** Records of the layers below, lowest first. */
  readonly below: readonly LayerRecord[];
}
