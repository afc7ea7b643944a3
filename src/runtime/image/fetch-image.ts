/**
 * Fetches what describes an image (index, manifest, configuration) from a registry into the store, checked, so that
 * `readImage` finds it. Layers are `image-layers.ts`' business.
 */
import type { Clock } from '#base/clock.ts';
import type { Digest } from '#runtime/image/digest.ts';
import { Digester } from '#runtime/image/digest.ts';
import { digestMismatch, ImageError, sizeMismatch, within } from '#runtime/image/errors.ts';
import { parseImageConfig } from '#runtime/image/image-config.ts';
import { MAX_CONFIG_BYTES, MAX_INDEX_DEPTH, MAX_MANIFEST_BYTES } from '#runtime/image/limits.ts';
import { type Descriptor, type ImageManifest, parseManifest, type Platform } from '#runtime/image/manifest.ts';
import { selectManifest } from '#runtime/image/platform.ts';
import { withDigest } from '#runtime/image/reference.ts';
import { type RegistryClient, whileResolving } from '#runtime/image/registry/client.ts';
import { readBody } from '#runtime/image/registry/http.ts';
import type { Repository } from '#runtime/image/registry/repository.ts';
import { readBlob, writeBlob } from '#runtime/image/store/blobs.ts';
import { checkConfig } from '#runtime/image/store/image.ts';
import type { StoreLayout } from '#runtime/image/store/layout.ts';

export interface Fetching {
  readonly layout: StoreLayout;
  readonly clock: Clock;
  readonly client: RegistryClient;
  readonly repository: Repository;
  readonly platform: Platform;
}

/** Media type of what `digest` is. */
export async function fetchImage(fetching: Fetching, digest: Digest, signal: AbortSignal): Promise<string> {
  let mediaType: string | undefined;
  let current = digest;
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth += 1) {
    const manifest = await fetchManifest(fetching, current, signal);
    mediaType ??= manifest.mediaType;
    if (manifest.kind === 'manifest') {
      await fetchConfig(fetching, manifest, signal);
      return mediaType;
    }
    current = selectManifest(manifest, fetching.platform).digest;
  }
  throw new ImageError('MalformedImage', `index ${digest} is nested too deeply`);
}

async function fetchManifest(fetching: Fetching, digest: Digest, signal: AbortSignal) {
  const { layout, clock, client, repository } = fetching;
  const known = await readBlob(layout, digest, MAX_MANIFEST_BYTES);
  if (known) return parseManifest(known, '');
  const reference = withDigest(repository.reference, digest);
  const { bytes, mediaType } = await client.manifest({ ...repository, reference }, signal).catch((error: unknown) => {
    throw whileResolving(reference, error);
  });
  const manifest = parseManifest(bytes, mediaType);
  await writeBlob(layout, clock, { digest, bytes });
  return manifest;
}

async function fetchConfig(fetching: Fetching, manifest: ImageManifest, signal: AbortSignal): Promise<void> {
  const { layout, clock } = fetching;
  const { config } = manifest;
  if (await readBlob(layout, config.digest, MAX_CONFIG_BYTES)) return;
  const bytes = await downloadSmall(fetching, config, signal);
  checkConfig(parseImageConfig(bytes), manifest);
  await writeBlob(layout, clock, { digest: config.digest, bytes });
}

async function downloadSmall(
  { client, repository }: Fetching,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Buffer> {
  const what = `image configuration ${descriptor.digest}`;
  try {
    const { response } = await client.blob(repository, { descriptor, offset: 0 }, signal);
    const bytes = await readBody(response, { clock: client.clock, signal, limit: MAX_CONFIG_BYTES, what });
    if (bytes.length !== descriptor.size) throw sizeMismatch(descriptor.size, bytes.length, what);
    const digester = new Digester(descriptor.digest);
    digester.update(bytes);
    const got = digester.finish();
    if (got !== descriptor.digest) throw digestMismatch(descriptor.digest, got, what);
    return bytes;
  } catch (error) {
    throw within('failed to copy', error);
  }
}
