/**
 * Every bound of the image code in one place. What exceeds one is refused with an error that names it; the values
 * are far above what real images need and far below what would hurt the machine.
 */
const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** Largest manifest or index that is read, in bytes (registries commonly refuse larger ones at push). */
export const MAX_MANIFEST_BYTES = 4 * MIB;
/** Largest image configuration, in bytes. */
export const MAX_CONFIG_BYTES = 8 * MIB;
/** Most manifests that one index may list. */
export const MAX_INDEX_ENTRIES = 1_000;
/** Deepest nesting of an index within an index. */
export const MAX_INDEX_DEPTH = 3;
/** Most layers of one image, as in Docker. */
export const MAX_LAYERS = 127;
/** Sum of the (compressed) sizes of an image's blobs, in bytes. */
export const MAX_IMAGE_BYTES = 64 * GIB;

/** What a registry may answer where a short JSON text is expected: errors, tokens. */
export const MAX_ERROR_BODY_BYTES = 64 * KIB;
export const MAX_TOKEN_BODY_BYTES = 1 * MIB;
export const MAX_REDIRECTS = 10;
/** Attempts per request or blob, the first included. */
export const MAX_ATTEMPTS = 5;
/** Longest that a `Retry-After` of a registry is honoured within one pull. */
export const MAX_RETRY_AFTER_MS = 20_000;
/** Until the head of a response is there, connecting included. */
export const RESPONSE_TIMEOUT_MS = 30_000;
/** Longest silence within a body. */
export const BODY_IDLE_TIMEOUT_MS = 60_000;
/** Most tokens that are remembered. */
export const MAX_TOKENS = 256;

/** Images that are pulled at the same time; further ones wait. */
export const MAX_CONCURRENT_PULLS = 4;
export const MAX_WAITING_PULLS = 1_000;
/** Blobs that are downloaded at the same time. */
export const MAX_CONCURRENT_DOWNLOADS = 3;
/** Layers that are unpacked at the same time (of different images). */
export const MAX_CONCURRENT_UNPACKS = 2;
/** A worker thread without work ends after this long. */
export const WORKER_IDLE_MS = 10_000;
/** Jobs that may wait for a worker thread. */
export const MAX_WAITING_JOBS = 2_000;
/** Parsed images that are kept in memory. */
export const MAX_CACHED_IMAGES = 512;
/** How long garbage collection and removal wait for pulls that hold the store. */
export const STORE_LOCK_TIMEOUT_MS = 10_000;

/** Bounds on one layer while it is unpacked. */
export interface LayerLimits {
  readonly entries: number;
  /** Sum of the bytes written. */
  readonly totalBytes: number;
  /** Apparent size of one file, holes included. */
  readonly fileBytes: number;
  /** Unpacked bytes per compressed byte, looked at once `ratioFloorBytes` were unpacked. */
  readonly ratio: number;
  readonly ratioFloorBytes: number;
  /** Components of a path. */
  readonly depth: number;
  /** Bytes of a path and of a link's target. */
  readonly pathBytes: number;
  /** Bytes of one component. */
  readonly nameBytes: number;
  /** Bytes of a PAX or GNU extension header. */
  readonly headerBytes: number;
}

export const LAYER_LIMITS: LayerLimits = {
  entries: 1_000_000,
  totalBytes: 64 * GIB,
  fileBytes: 32 * GIB,
  ratio: 200,
  ratioFloorBytes: 1 * GIB,
  depth: 256,
  pathBytes: 4_095,
  nameBytes: 255,
  headerBytes: 1 * MIB,
};

/** Bounds on an archive given to `image load`. */
export const MAX_ARCHIVE_ENTRIES = 10_000;
export const MAX_ARCHIVE_IMAGES = 500;

/** Largest /etc/passwd and /etc/group that users are looked up in. */
export const MAX_ACCOUNT_FILE_BYTES = 4 * MIB;
