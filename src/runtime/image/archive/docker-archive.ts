/**
 * Images of a docker archive (`docker save`): `manifest.json` lists configurations, layers and tags. Such an archive
 * has no manifests in the registries' sense, so one is made for each image; its digest follows from the content.
 */
import { type ArchiveImage, nameOrThrow } from '#runtime/image/archive/archive-image.ts';
import type { StagedFile, Staging } from '#runtime/image/archive/staging.ts';
import { isObject } from '#base/json.ts';
import { type Digest, digestOf } from '#runtime/image/digest.ts';
import { ImageError } from '#runtime/image/errors.ts';
import { MAX_ARCHIVE_IMAGES } from '#runtime/image/limits.ts';
import { manifestBytes } from '#runtime/image/manifest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '#runtime/image/media-types.ts';
import type { Compression } from '#runtime/image/unpack/decompress.ts';

interface Entry {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

export interface NewManifest {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

const SUFFIX: Record<Compression, string> = { none: '', gzip: '+gzip', zstd: '+zstd' };

export function isDockerArchive(staging: Staging): boolean {
  return staging.has('manifest.json');
}

/** Moves configurations and layers into the store; the manifests are the caller's to store. */
export function readDockerArchive(staging: Staging): { images: ArchiveImage[]; manifests: NewManifest[] } {
  const manifests: NewManifest[] = [];
  const images = entriesOf(staging.read('manifest.json')).map((entry) => {
    const manifest = manifestOf(staging, entry);
    manifests.push(manifest);
    return { digest: manifest.digest, mediaType: OCI_MANIFEST, names: entry.tags.map(nameOrThrow) };
  });
  return { images, manifests };
}

function manifestOf(staging: Staging, entry: Entry): NewManifest {
  const config = descriptor(OCI_CONFIG, staging.commit(entry.config));
  const layers = entry.layers.map((name) => {
    const mediaType = `${OCI_LAYER}${SUFFIX[staging.compression(name)]}`;
    return descriptor(mediaType, staging.commit(name));
  });
  const bytes = manifestBytes({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers });
  return { digest: digestOf(bytes), bytes };
}

function descriptor(mediaType: string, { digest, size }: StagedFile): object {
  return { mediaType, digest, size };
}

function entriesOf(bytes: Buffer): Entry[] {
  let list: unknown;
  try {
    list = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new ImageError('MalformedArchive', 'manifest.json: not JSON', { cause });
  }
  if (!Array.isArray(list)) throw new ImageError('MalformedArchive', 'manifest.json: not a list');
  if (list.length > MAX_ARCHIVE_IMAGES) throw new ImageError('LimitExceeded', `an archive of ${list.length} images`);
  return list.map(entryOf);
}

function entryOf(value: unknown): Entry {
  const { Config: config, RepoTags: tags, Layers: layers } = isObject(value) ? value : {};
  if (typeof config !== 'string' || !isStrings(layers) || !isStrings(tags ?? [])) {
    throw new ImageError('MalformedArchive', 'manifest.json: an entry without Config, RepoTags and Layers');
  }
  return { config, layers, tags: isStrings(tags) ? tags : [] };
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
