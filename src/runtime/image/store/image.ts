/**
 * An image as the store has it: from the digest that a name stands for, by way of an index if it is one, to the
 * manifest for this machine, its configuration and its layers. Only complete images come out of here.
 */
import type { Digest } from '#runtime/image/digest.ts';
import { ImageError } from '#runtime/image/errors.ts';
import { type ImageConfig, parseImageConfig } from '#runtime/image/image-config.ts';
import { MAX_CONFIG_BYTES, MAX_INDEX_DEPTH, MAX_MANIFEST_BYTES } from '#runtime/image/limits.ts';
import { type Descriptor, type ImageManifest, parseManifest, type Platform } from '#runtime/image/manifest.ts';
import { selectManifest } from '#runtime/image/platform.ts';
import { hasBlob, readBlob } from '#runtime/image/store/blobs.ts';
import { findLayer, type LayerRecord } from '#runtime/image/store/layers.ts';
import type { StoreLayout } from '#runtime/image/store/layout.ts';

export interface StoredImage {
  /** What the name stands for: the index, if there is one, else the manifest. */
  readonly digest: Digest;
  readonly manifestDigest: Digest;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  /** Digests on the way from `digest` to `manifestDigest`, both included. */
  readonly manifestChain: readonly Digest[];
  /** Bytes of the configuration and the layers as they came. */
  readonly size: number;
}

/** Undefined when something of the way to the configuration is missing. */
export async function readImage(
  layout: StoreLayout,
  digest: Digest,
  platform: Platform,
): Promise<StoredImage | undefined> {
  const chain: Digest[] = [];
  let current: { digest: Digest; mediaType: string } = { digest, mediaType: '' };
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth += 1) {
    const bytes = await readBlob(layout, current.digest, MAX_MANIFEST_BYTES);
    if (!bytes) return undefined;
    chain.push(current.digest);
    const manifest = parseManifest(bytes, current.mediaType);
    if (manifest.kind === 'manifest') return withConfig(layout, { digest, manifest, chain });
    current = selectManifest(manifest, platform);
  }
  throw new ImageError('MalformedImage', `index ${digest} is nested too deeply`);
}

async function withConfig(
  layout: StoreLayout,
  found: { digest: Digest; manifest: ImageManifest; chain: readonly Digest[] },
): Promise<StoredImage | undefined> {
  const { digest, manifest, chain } = found;
  const bytes = await readBlob(layout, manifest.config.digest, MAX_CONFIG_BYTES);
  if (!bytes) return undefined;
  const config = parseImageConfig(bytes);
  checkConfig(config, manifest);
  const size = [manifest.config, ...manifest.layers].reduce((sum, blob) => sum + blob.size, 0);
  return { digest, manifestDigest: chain.at(-1) ?? digest, manifest, config, manifestChain: chain, size };
}

/** What a manifest and its configuration must agree on. */
export function checkConfig(config: ImageConfig, manifest: ImageManifest): void {
  const [layers, diffIds] = [manifest.layers.length, config.diffIds.length];
  if (layers !== diffIds) {
    throw new ImageError('MalformedImage', `manifest has ${layers} layers, its configuration ${diffIds}`);
  }
  if (config.os !== 'linux') {
    throw new ImageError('NoMatchingPlatform', `image is for ${config.os}/${config.architecture}, not for Linux`);
  }
}

export interface LayerState {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** Set once it is unpacked. */
  readonly record: LayerRecord | undefined;
}

/** The layers of an image, lowest first, and which of them are unpacked. */
export function layerStates(layout: StoreLayout, { manifest, config }: StoredImage): Promise<LayerState[]> {
  return Promise.all(
    manifest.layers.map(async (descriptor, index) => ({
      descriptor,
      diffId: config.diffIds[index] ?? descriptor.digest,
      record: await findLayer(layout, config.diffIds, index),
    })),
  );
}

/** Every layer is unpacked, or can be from its blob. */
export async function isComplete(layout: StoreLayout, image: StoredImage): Promise<boolean> {
  const states = await layerStates(layout, image);
  const missing = states.filter(({ record }) => record === undefined);
  const there = await Promise.all(missing.map(({ descriptor }) => hasBlob(layout, descriptor)));
  return there.every(Boolean);
}
