/**
 * Reads manifests and indexes: untrusted bytes become checked values, or an error that says what is wrong.
 * Knows nothing of where the bytes come from.
 */
import { isObject } from '#base/json.ts';
import { type Digest, isDigest } from '#runtime/image/digest.ts';
import { ImageError, limitExceeded, quote } from '#runtime/image/errors.ts';
import {
  MAX_CONFIG_BYTES,
  MAX_IMAGE_BYTES,
  MAX_INDEX_ENTRIES,
  MAX_LAYERS,
  MAX_MANIFEST_BYTES,
} from '#runtime/image/limits.ts';
import {
  DOCKER_MANIFEST,
  isConfigType,
  isIndexType,
  isLayerType,
  isManifestType,
  isSchema1Type,
  OCI_INDEX,
  OCI_MANIFEST,
} from '#runtime/image/media-types.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

export interface IndexEntry extends Descriptor {
  readonly platform?: Platform | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly IndexEntry[];
}

export interface ImageManifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
}

/** `mediaType` is what the source calls it; an OCI manifest may lack the member of that name. */
export function parseManifest(bytes: Uint8Array, mediaType: string): ImageManifest | ImageIndex {
  if (bytes.byteLength > MAX_MANIFEST_BYTES)
    throw limitExceeded(`manifest of ${bytes.byteLength} bytes`, MAX_MANIFEST_BYTES);
  const value = parseJson(bytes, 'manifest');
  const type = effectiveType(value, mediaType);
  if (isIndexType(type)) return parseIndex(value, type);
  if (isManifestType(type)) return parseImageManifest(value, type);
  throw new ImageError('UnsupportedMediaType', `unsupported manifest media type ${quote(type)}`);
}

/** The member wins over the header, as it is covered by the digest; without either the members tell. */
function effectiveType(value: Record<string, unknown>, mediaType: string): string {
  const own = value['mediaType'];
  const header = mediaType.split(';', 1)[0]?.trim() ?? '';
  const type = typeof own === 'string' && own !== '' ? own : header;
  if (value['schemaVersion'] === 1 || isSchema1Type(type)) throw schema1Refused(type);
  if (isIndexType(type) || isManifestType(type)) return type;
  if (typeof own === 'string' && own !== '') return type;
  if (Array.isArray(value['manifests'])) return OCI_INDEX;
  return Array.isArray(value['layers']) && isObject(value['config']) ? OCI_MANIFEST : type;
}

/** For manifests of the format before 2016, whose digest is not even that of their bytes. */
export function schema1Refused(type: string): ImageError {
  const old = isSchema1Type(type) ? type : 'application/vnd.docker.distribution.manifest.v1+prettyjws';
  return new ImageError(
    'UnsupportedMediaType',
    `media type ${quote(old)} (Docker schema 1) is no longer supported, please rebuild the image as ` +
      `${quote(DOCKER_MANIFEST)} or ${quote(OCI_MANIFEST)}`,
  );
}

function parseIndex(value: Record<string, unknown>, mediaType: string): ImageIndex {
  const list = value['manifests'];
  if (!Array.isArray(list)) throw malformed('index', 'manifests is not a list');
  if ('layers' in value) throw malformed('index', 'it has layers beside manifests');
  if (list.length > MAX_INDEX_ENTRIES) throw limitExceeded(`index of ${list.length} manifests`, MAX_INDEX_ENTRIES);
  const manifests = list.map((entry: unknown, at) => {
    const descriptor = parseDescriptor(entry, `index: manifests[${at}]`);
    const { platform, annotations } = entry as { platform?: unknown; annotations?: unknown };
    return { ...descriptor, platform: parsePlatform(platform), annotations: stringsOf(annotations) };
  });
  return { kind: 'index', mediaType, manifests };
}

function parseImageManifest(value: Record<string, unknown>, mediaType: string): ImageManifest {
  if ('manifests' in value) throw malformed('manifest', 'it has manifests beside layers');
  const config = parseDescriptor(value['config'], 'manifest: config');
  const list = value['layers'];
  if (!Array.isArray(list)) throw malformed('manifest', 'layers is not a list');
  if (!isConfigType(config.mediaType)) {
    throw new ImageError(
      'UnsupportedMediaType',
      `not a container image: its configuration is ${quote(config.mediaType)}`,
    );
  }
  if (list.length > MAX_LAYERS) throw limitExceeded(`image of ${list.length} layers`, MAX_LAYERS);
  if (config.size > MAX_CONFIG_BYTES)
    throw limitExceeded(`image configuration of ${config.size} bytes`, MAX_CONFIG_BYTES);
  const layers = list.map((entry: unknown, at) => parseLayer(entry, `manifest: layers[${at}]`));
  const total = layers.reduce((sum, layer) => sum + layer.size, config.size);
  if (total > MAX_IMAGE_BYTES) throw limitExceeded(`image of ${total} bytes`, MAX_IMAGE_BYTES);
  return { kind: 'manifest', mediaType, config, layers };
}

function parseLayer(entry: unknown, where: string): Descriptor {
  const layer = parseDescriptor(entry, where);
  if (isLayerType(layer.mediaType)) return layer;
  throw new ImageError('UnsupportedMediaType', `${where}: unsupported layer media type ${quote(layer.mediaType)}`);
}

function parseDescriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw malformed(where, 'not a descriptor');
  const { mediaType = '', digest, size } = value;
  if (typeof mediaType !== 'string') throw malformed(where, 'mediaType is not a string');
  if (!isDigest(digest)) throw malformed(where, `invalid digest ${quote(String(digest))}`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw malformed(where, 'invalid size');
  return { mediaType, digest, size };
}

function parsePlatform(value: unknown): Platform | undefined {
  if (!isObject(value)) return undefined;
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return { os, architecture, variant: typeof variant === 'string' && variant !== '' ? variant : undefined };
}

function stringsOf(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

/** A JSON object, or an error that names `what`. */
export function parseJson(bytes: Uint8Array, what: string): Record<string, unknown> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ImageError('MalformedImage', `${what}: not JSON`, { cause });
  }
  if (!isObject(value)) throw malformed(what, 'not a JSON object');
  return value;
}

function malformed(what: string, problem: string): ImageError {
  return new ImageError('MalformedImage', `${what}: ${problem}`);
}

/** Serializes as the digest will be taken: no extra space, members in the order given. */
export function manifestBytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
