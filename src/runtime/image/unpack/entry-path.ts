/**
 * Names in an archive, as paths below its root. Absolute names count from the root (builders such as ko write
 * them); whatever would climb, or is beyond a bound, is refused.
 */
import { ImageError, limitExceeded } from '#runtime/image/errors.ts';
import type { LayerLimits } from '#runtime/image/limits.ts';
import { type ByteString, shownName } from '#runtime/image/unpack/tar-entry.ts';

/** Clean components joined by `/`; the empty path is the root. */
export function entryPath(name: ByteString, limits: LayerLimits): ByteString {
  if (name.length > limits.pathBytes) throw limitExceeded(`path of ${name.length} bytes`, limits.pathBytes);
  if (name.includes('\0')) throw new ImageError('UnsafePath', `${shownName(name)}: NUL in a path`);
  const components = name.split('/').filter((component) => component !== '' && component !== '.');
  if (components.includes('..')) throw new ImageError('UnsafePath', `${shownName(name)} climbs out of its directory`);
  if (components.length > limits.depth) throw limitExceeded(`path of ${components.length} components`, limits.depth);
  const longest = components.find((component) => component.length > limits.nameBytes);
  if (longest !== undefined) throw limitExceeded(`file name of ${longest.length} bytes`, limits.nameBytes);
  return components.join('/');
}

/** What an entry's last component says about lower layers. */
export type Whiteout =
  | { readonly kind: 'none' }
  /** Hides that entry of the lower layers. */
  | { readonly kind: 'hide'; readonly path: ByteString }
  /** Hides all that lower layers have in that directory. */
  | { readonly kind: 'opaque'; readonly path: ByteString }
  /** Bookkeeping of a file system of old (AUFS): means nothing here. */
  | { readonly kind: 'ignore' };

const PREFIX = '.wh.';
const META_PREFIX = '.wh..wh.';

export function whiteoutOf(path: ByteString): Whiteout {
  const components = path.split('/');
  const base = components.at(-1) ?? '';
  const parents = components.slice(0, -1);
  if (components.some((component) => component.startsWith(META_PREFIX))) {
    return base === `${META_PREFIX}.opq` ? { kind: 'opaque', path: parents.join('/') } : { kind: 'ignore' };
  }
  if (parents.some((component) => component.startsWith(PREFIX))) throw reserved(path);
  if (!base.startsWith(PREFIX)) return { kind: 'none' };
  const hidden = base.slice(PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..') throw reserved(path);
  return { kind: 'hide', path: [...parents, hidden].join('/') };
}

function reserved(path: ByteString): ImageError {
  return new ImageError('UnsafePath', `${shownName(path)} is not a valid whiteout`);
}
