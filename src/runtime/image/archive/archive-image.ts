/** What an archive says that it holds: an image by its digest, and the names that it gives it. */
import type { Digest } from '#runtime/image/digest.ts';
import { ImageError, invalidImageName } from '#runtime/image/errors.ts';
import { canonicalName, parseReference } from '#runtime/image/reference.ts';

export interface ArchiveImage {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Canonical. */
  readonly names: readonly string[];
}

/** A full name, or an error that names what is wrong with it. */
export function nameOrThrow(text: string): string {
  const parsed = parseReference(text);
  if ('problem' in parsed) throw invalidImageName(text, parsed.problem);
  return canonicalName(parsed.reference);
}

/** One name for each image: those of the archive, or the one given where there is but one image. */
export function namesFor(
  images: readonly ArchiveImage[],
  override: string | undefined,
): { name: string; image: ArchiveImage }[] {
  if (images.length === 0) throw new ImageError('MalformedArchive', 'the archive holds no image');
  if (override === undefined) {
    const unnamed = images.find(({ names }) => names.length === 0);
    if (unnamed)
      throw new ImageError(
        'MalformedArchive',
        `the archive gives image ${unnamed.digest} no name: choose one with --name`,
      );
    return images.flatMap((image) => image.names.map((name) => ({ name, image })));
  }
  const [image] = images;
  const isOne = new Set(images.map(({ digest }) => digest)).size === 1;
  if (!image || !isOne) {
    throw new ImageError('MalformedArchive', `the archive holds ${images.length} images, --name is for one`);
  }
  return [{ name: nameOrThrow(override), image }];
}
