/** Images of an OCI image layout: `index.json` names manifests and indexes, `blobs/` holds everything. */
import type { ArchiveImage } from '#runtime/image/archive/archive-image.ts';
import { nameOrThrow } from '#runtime/image/archive/archive-image.ts';
import type { Staging } from '#runtime/image/archive/staging.ts';
import { ImageError, quote } from '#runtime/image/errors.ts';
import { MAX_ARCHIVE_IMAGES } from '#runtime/image/limits.ts';
import { type IndexEntry, parseManifest } from '#runtime/image/manifest.ts';
import { isIndexType, isManifestType, OCI_INDEX } from '#runtime/image/media-types.ts';

const FULL_NAME = 'io.containerd.image.name';
const REF_NAME = 'org.opencontainers.image.ref.name';

export function isOciLayout(staging: Staging): boolean {
  return staging.has('oci-layout') && staging.has('index.json');
}

/** Moves the layout's blobs into the store and answers what its index lists. */
export function readOciLayout(staging: Staging): ArchiveImage[] {
  const index = parseManifest(staging.read('index.json'), OCI_INDEX);
  if (index.kind !== 'index') throw new ImageError('MalformedArchive', 'index.json is not an index');
  const entries = index.manifests.filter((entry) => isIndexType(entry.mediaType) || isManifestType(entry.mediaType));
  if (entries.length > MAX_ARCHIVE_IMAGES)
    throw new ImageError('LimitExceeded', `an archive of ${entries.length} images`);
  staging.commitBlobs();
  const images = entries.map(({ digest, mediaType, ...rest }) => ({ digest, mediaType, names: namesOf(rest) }));
  return merged(images);
}

function namesOf({ annotations }: Pick<IndexEntry, 'annotations'>): string[] {
  const full = annotations[FULL_NAME];
  if (full !== undefined) return [nameOrThrow(full)];
  const name = annotations[REF_NAME];
  if (name === undefined || name === '') return [];
  // A bare tag names nothing; whoever loads it must say which image it is.
  if (!/[/:]/.test(name)) return [];
  return [nameOrThrow(name)];
}

/** An image with several tags is listed once for each. */
function merged(images: readonly ArchiveImage[]): ArchiveImage[] {
  const byDigest = new Map<string, ArchiveImage>();
  for (const image of images) {
    const known = byDigest.get(image.digest);
    byDigest.set(image.digest, known ? { ...known, names: [...new Set([...known.names, ...image.names])] } : image);
  }
  return [...byDigest.values()];
}

export function unrecognized(): ImageError {
  const [oci, docker] = [quote('index.json'), quote('manifest.json')];
  return new ImageError(
    'MalformedArchive',
    `unrecognized archive: neither an OCI layout (${oci}) nor a docker archive (${docker})`,
  );
}
