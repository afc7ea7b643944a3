/**
 * What `pinnace image load|pull|list|rm` do, as functions over a service; printing is the command line's business.
 */
import type { Digest } from '#runtime/image/digest.ts';
import { ImageError, isImageError, notFound } from '#runtime/image/errors.ts';
import type { EnsuredImage, EnsureRequest, ImageService } from '#runtime/image/image-service.ts';
import { canonicalName, familiarName, parseReference } from '#runtime/image/reference.ts';
import { collectGarbage, type Collection } from '#runtime/image/store/collect.ts';
import { readImage } from '#runtime/image/store/image.ts';
import { lockStore } from '#runtime/image/store/lock.ts';
import { listReferences, readReference, removeReference, writeReference } from '#runtime/image/store/references.ts';
import { nameOrThrow } from '#runtime/image/archive/archive-image.ts';
import type { LoadedImage } from '#runtime/image/worker/jobs.ts';

export interface LoadOptions {
  /** Replaces the name that the archive gives to its only image. */
  readonly name?: string | undefined;
  /** Told the bytes of the archive that were read. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Loads a docker archive or an OCI layout, as a tar that may be compressed, and unpacks its images. They get their
 * names when all is well with all of them. `source` is a path
 * or a file descriptor of this process (0 for standard input).
 */
export async function loadImages(
  service: ImageService,
  source: string | number,
  options: LoadOptions,
  signal: AbortSignal,
): Promise<readonly LoadedImage[]> {
  const { layout, clock, workers } = service;
  using _held = await lockStore(layout, clock, { mode: 'shared' }, signal);
  const job = { kind: 'load', storeRoot: layout.root, source, name: options.name } as const;
  const loaded = await workers.unpackers.run(job, { signal, onProgress: options.onProgress });
  for (const digest of new Set(loaded.map((image) => image.digest))) await service.prepare(digest, signal);
  for (const { name, digest, mediaType } of loaded) {
    await writeReference(layout, clock, { name, digest, mediaType, source: 'loaded', createdAt: clock.now() });
  }
  return loaded;
}

/** Asks the registry even when an image of that name is there. */
export function pullImage(
  service: ImageService,
  image: string,
  options: Pick<EnsureRequest, 'credentials' | 'onProgress'>,
  signal: AbortSignal,
): Promise<EnsuredImage> {
  return service.ensureImage(image, { ...options, pullPolicy: 'Always' }, signal);
}

export interface ImageListing {
  /** As people write it: without Docker Hub's prefixes. */
  readonly name: string;
  readonly digest: Digest;
  /** Bytes as they come from a registry. */
  readonly size: number;
  /** When the image was built, in its own words (RFC 3339), if it says. */
  readonly created: string | undefined;
  /** When it was loaded or pulled here, in ms since the epoch. */
  readonly addedAt: number;
}

/** By name; names whose content is damaged are left out, as if they were not there. */
export async function listImages(service: ImageService): Promise<ImageListing[]> {
  const listings: ImageListing[] = [];
  for (const { name, digest, createdAt } of await listReferences(service.layout)) {
    const image = await readImage(service.layout, digest, service.platform).catch((error: unknown) => {
      if (isImageError(error)) return undefined;
      throw error;
    });
    if (!image) continue;
    const { size, config } = image;
    listings.push({ name: shown(name), digest, size, created: config.created, addedAt: createdAt });
  }
  return listings;
}

function shown(name: string): string {
  const parsed = parseReference(name);
  return 'reference' in parsed ? familiarName(parsed.reference) : name;
}

export interface RemoveOptions {
  /** Digests of images that Pods on this node use. */
  readonly inUse: ReadonlySet<Digest>;
  /** `forced` takes the name away even then; the content stays until nobody uses it. */
  readonly force: 'forced' | 'unless in use';
}

/**
 * Takes names away, and the content that nothing refers to any more. All names are checked before one is taken: a
 * used image may lose names, but not its last one, by which its Pods start again.
 */
export async function removeImages(
  service: ImageService,
  images: readonly string[],
  options: RemoveOptions,
  signal: AbortSignal,
): Promise<Collection> {
  const { layout } = service;
  const going = await Promise.all(images.map((image) => namedBy(service, image)));
  if (options.force === 'unless in use') await demandNoLastName(service, going, options.inUse);
  for (const { name } of going) await removeReference(layout, name);
  return collectUnused(service, { inUse: options.inUse }, signal);
}

/** A name that is to go, and how the user said it. */
interface Going {
  readonly image: string;
  readonly name: string;
  readonly digest: Digest;
}

async function namedBy(service: ImageService, image: string): Promise<Going> {
  const name = await storedName(service, image);
  const stored = await readReference(service.layout, name);
  if (!stored) throw notFound(image);
  return { image, name, digest: stored.digest };
}

async function demandNoLastName(
  { layout }: ImageService,
  going: readonly Going[],
  inUse: ReadonlySet<Digest>,
): Promise<void> {
  const names = new Set(going.map(({ name }) => name));
  const staying = (await listReferences(layout)).filter(({ name }) => !names.has(name));
  const named = new Set(staying.map(({ digest }) => digest));
  for (const { image, digest } of going) {
    if (!inUse.has(digest) || named.has(digest)) continue;
    throw new ImageError('InUse', `image ${JSON.stringify(image)} is in use by a container, remove it with --force`);
  }
}

/** The name, or the only name of the image whose digest begins with the text. */
async function storedName(service: ImageService, image: string): Promise<string> {
  const parsed = parseReference(image);
  if ('reference' in parsed) {
    const name = canonicalName(parsed.reference);
    if (await readReference(service.layout, name)) return name;
  }
  const prefix = image.replace(/^sha256:/, '');
  if (!/^[0-9a-f]{6,64}$/.test(prefix)) return nameOrThrow(image);
  const matching = (await listReferences(service.layout)).filter(({ digest }) =>
    digest.slice('sha256:'.length).startsWith(prefix),
  );
  if (matching.length > 1)
    throw new ImageError('InUse', `${image} has several names: ${matching.map(({ name }) => name).join(', ')}`);
  const [only] = matching;
  if (!only) throw notFound(image);
  return only.name;
}

export interface CollectRequest {
  readonly inUse: ReadonlySet<Digest>;
  /** Names last needed before this instant are forgotten, unless in use. */
  readonly unusedSinceMs?: number;
}

/** Garbage collection; waits for pulls that are under way, and fails with `Busy` when they take too long. */
export async function collectUnused(
  service: ImageService,
  request: CollectRequest,
  signal: AbortSignal,
): Promise<Collection> {
  const { layout, clock, platform, workers } = service;
  const { inUse: roots, unusedSinceMs } = request;
  const options = { roots, platform, ...(unusedSinceMs === undefined ? {} : { unusedSinceMs }) };
  const collection = await collectGarbage(layout, clock, options, signal);
  if (collection.trash.length > 0) {
    await workers.unpackers.run({ kind: 'remove', paths: collection.trash }, { signal });
  }
  return collection;
}
