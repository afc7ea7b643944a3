/**
 * Loads an archive of images into the store: an OCI layout or a docker archive, as a tar that may be compressed,
 * from a file or a descriptor, read once from front to back. The images have no names yet when this is done: their
 * layers may turn out to be no good.
 */
import { createReadStream } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import { namesFor, type ArchiveImage } from '#runtime/image/archive/archive-image.ts';
import { readDescriptor } from '#runtime/image/archive/descriptor.ts';
import { isDockerArchive, readDockerArchive } from '#runtime/image/archive/docker-archive.ts';
import { isOciLayout, readOciLayout, unrecognized } from '#runtime/image/archive/oci-layout.ts';
import { Staging } from '#runtime/image/archive/staging.ts';
import { ImageError, storageError } from '#runtime/image/errors.ts';
import { LAYER_LIMITS } from '#runtime/image/limits.ts';
import { hostPlatform } from '#runtime/image/platform.ts';
import { writeBlob } from '#runtime/image/store/blobs.ts';
import { isComplete, readImage } from '#runtime/image/store/image.ts';
import { storeLayout, type StoreLayout, syncBlobDirectories } from '#runtime/image/store/layout.ts';
import { decompress } from '#runtime/image/unpack/decompress.ts';
import { TarReader } from '#runtime/image/unpack/tar-reader.ts';
import type { LoadedImage, LoadJob } from '#runtime/image/worker/jobs.ts';

export interface LoadContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
}

const READ_BYTES = 512 * 1024;

/** The store must be locked against removal meanwhile. */
export async function loadArchive(job: LoadJob, context: LoadContext): Promise<LoadedImage[]> {
  try {
    return await load(job, context);
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    const { code, message } = storageError(error);
    const known =
      code === 'MalformedLayer' || code === 'MalformedImage' || code === 'Internal' ? 'MalformedArchive' : code;
    throw new ImageError(known, `failed to load image archive: ${message}`, { cause: error });
  }
}

async function load(job: LoadJob, context: LoadContext): Promise<LoadedImage[]> {
  const layout = storeLayout(job.storeRoot);
  const { chunks, sourceBytes } = await decompress(openSource(job.source, context));
  using staging = new Staging({ layout, clock: context.clock, sourceBytes });
  const reader = new TarReader(staging, { maxHeaderBytes: LAYER_LIMITS.headerBytes });
  for await (const chunk of chunks) {
    context.signal.throwIfAborted();
    reader.push(chunk);
    context.onProgress(sourceBytes());
  }
  reader.finish();
  const images = await takeImages(staging, layout, context.clock);
  const named = namesFor(images, job.name);
  for (const image of images) await requireComplete(layout, image);
  return named.map(({ name, image }) => ({ name, digest: image.digest, mediaType: image.mediaType }));
}

function openSource(source: string | number, { clock, signal }: LoadContext): AsyncIterable<Buffer> {
  if (typeof source === 'number') return readDescriptor(source, clock, signal);
  return createReadStream(source, { highWaterMark: READ_BYTES });
}

async function takeImages(staging: Staging, layout: StoreLayout, clock: Clock): Promise<ArchiveImage[]> {
  if (isOciLayout(staging)) {
    const images = readOciLayout(staging);
    await syncBlobDirectories(layout);
    return images;
  }
  if (!isDockerArchive(staging)) throw unrecognized();
  const { images, manifests } = readDockerArchive(staging);
  await syncBlobDirectories(layout);
  for (const manifest of manifests) await writeBlob(layout, clock, manifest);
  return images;
}

async function requireComplete(layout: StoreLayout, { digest }: ArchiveImage): Promise<void> {
  const image = await readImage(layout, digest, hostPlatform());
  if (!image) throw new ImageError('MalformedArchive', `image ${digest} lacks its manifest or configuration`);
  if (!(await isComplete(layout, image))) throw new ImageError('MalformedArchive', `image ${digest} lacks a layer`);
}
