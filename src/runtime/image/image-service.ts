/**
 * Images for the rest of the platform: the node agent asks for one to be there and mountable, the Revision controller
 * for the digest behind a tag.
 *
 *     ensureImage ─▶ local store? ─▶ registry: digest → manifest → configuration → layers ─▶ unpack ─▶ lowerDirs
 *
 * Guarantees: what is returned is complete and checked; concurrent requests for one image share the work; an abort
 * ends the caller's wait at once, and the work when nobody else wants it. Several services, also of different
 * processes, may share a store. Hashing, decompression and unpacking never run on the caller's thread.
 */
import { existsSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import { type Logger, silentLogger } from '#base/log.ts';
import {
  type CredentialEntry,
  credentialKey,
  credentialsFor,
  type RegistryCredential,
} from '#runtime/image/credentials.ts';
import type { Digest } from '#runtime/image/digest.ts';
import {
  ImageError,
  type ImageErrorCode,
  invalidImageName,
  isImageError,
  neverPull,
  notFound,
  storageError,
  within,
} from '#runtime/image/errors.ts';
import { fetchImage } from '#runtime/image/fetch-image.ts';
import { Gate } from '#base/gate.ts';
import type { ImageConfig } from '#runtime/image/image-config.ts';
import { ImageLayers, type BlobSource } from '#runtime/image/image-layers.ts';
import { type LayerLimits, MAX_CACHED_IMAGES, MAX_CONCURRENT_PULLS, MAX_WAITING_PULLS } from '#runtime/image/limits.ts';
import type { Platform } from '#runtime/image/manifest.ts';
import { hostPlatform } from '#runtime/image/platform.ts';
import type { PullProgress } from '#runtime/image/progress.ts';
import { canonicalName, type ImageReference, parseReference, repositoryName } from '#runtime/image/reference.ts';
import { type RegistryClient, whileResolving } from '#runtime/image/registry/client.ts';
import { createRegistryClient, plainSettings, type RegistrySettings } from '#runtime/image/registry/settings.ts';
import { type Interest, type Shared, SharedWork } from '#runtime/image/shared-work.ts';
import { isComplete, readImage, type StoredImage } from '#runtime/image/store/image.ts';
import { makeStore, storeLayout, type StoreLayout } from '#runtime/image/store/layout.ts';
import { lockStore } from '#runtime/image/store/lock.ts';
import {
  readReference,
  type StoredReference,
  touchReference,
  writeReference,
} from '#runtime/image/store/references.ts';
import { startSweep } from '#runtime/image/store/sweep.ts';
import { createWorkers, type StoreWorkers } from '#runtime/image/worker/store-workers.ts';

export interface ImageServiceOptions {
  /** `DIR/images`. */
  readonly root: string;
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
  readonly registry?: RegistrySettings | undefined;
  readonly platform?: Platform | undefined;
  readonly limits?: LayerLimits | undefined;
}

export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never';

export interface EnsureRequest {
  readonly pullPolicy: PullPolicy;
  /** Of all pull secrets; those that hold for the image are tried in turn. */
  readonly credentials?: readonly CredentialEntry[] | undefined;
  /** Hears nothing when the image is there: the first call means that a pull begins. */
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
}

export interface EnsuredImage {
  /** Canonical, such as `docker.io/library/nginx:1`. */
  readonly name: string;
  /** What the registry has under that name: the index, if there is one. */
  readonly digest: Digest;
  /** `repository@digest`, for a container's status. */
  readonly imageId: string;
  readonly config: ImageConfig;
  /** For an overlay, the topmost first; never empty. */
  readonly lowerDirs: readonly string[];
  /** Bytes of the configuration and the layers as they come from a registry. */
  readonly size: number;
  /** Absent when nothing had to be pulled. */
  readonly pull?: { readonly pulledMs: number; readonly waitedMs: number } | undefined;
}

type Watch = Interest<PullProgress>;

interface Local {
  readonly image: StoredImage;
  readonly reference: StoredReference | undefined;
}

interface Pulled {
  readonly image: StoredImage;
  readonly lowerDirs: readonly string[];
  readonly pulledMs: number;
}

/** Why an image that was loaded by hand is used although its registry was to be asked. */
const REGISTRY_OF_NO_USE: readonly ImageErrorCode[] = [
  'Unreachable',
  'NotFound',
  'AccessDenied',
  'Tls',
  'ConnectionLost',
  'Timeout',
  'RegistryFailed',
  'RateLimited',
];
/** Why the digest that was last pulled is taken for a tag. */
const REGISTRY_DOWN: readonly ImageErrorCode[] = [
  'Unreachable',
  'ConnectionLost',
  'Timeout',
  'RegistryFailed',
  'RateLimited',
];
/** Uses are noted at most this often for one name. */
const TOUCH_INTERVAL_MS = 60_000;

export class ImageService implements AsyncDisposable {
  readonly layout: StoreLayout;
  readonly clock: Clock;
  readonly platform: Platform;
  readonly workers: StoreWorkers;
  readonly #client: RegistryClient;
  readonly #layers: ImageLayers;
  readonly #gate = new Gate({
    width: MAX_CONCURRENT_PULLS,
    maxWaiting: MAX_WAITING_PULLS,
    onFull: () => new ImageError('Busy', 'too many image pulls wait'),
  });
  readonly #pulls = new SharedWork<Pulled, PullProgress>();
  /** Images that are unpacked; checked against the disk at each use. */
  readonly #ready = new Map<Digest, { image: StoredImage; lowerDirs: readonly string[] }>();
  readonly #touched = new Map<string, number>();

  private constructor(options: ImageServiceOptions) {
    const { clock, logger = silentLogger, limits } = options;
    const registry = plainSettings(options.registry ?? {});
    this.layout = storeLayout(options.root);
    this.clock = clock;
    this.platform = options.platform ?? hostPlatform();
    this.workers = createWorkers(clock);
    this.#client = createRegistryClient(registry, clock);
    this.#layers = new ImageLayers({ layout: this.layout, clock, logger, registry, limits, ...this.workers });
  }

  /** Makes the store if need be and clears what an interrupted operation left. */
  static async open(options: ImageServiceOptions): Promise<ImageService> {
    const service = new ImageService(options);
    await makeStore(service.layout);
    const unsynced = await startSweep(service.layout, service.clock, service.workers.unpackers);
    for (const record of unsynced) service.#layers.syncLater(record);
    return service;
  }

  /** Waits until unpacked layers are on disk; pulls under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#layers[Symbol.asyncDispose]();
    await this.workers[Symbol.asyncDispose]();
    this.#client[Symbol.dispose]();
  }

  /**
   * The image, unpacked. Fails with an `ImageError` whose texts are the kubelet's (`pull-messages.ts`). Until the
   * caller's use of it is known as a root to garbage collection, its name keeps it.
   */
  async ensureImage(image: string, request: EnsureRequest, signal: AbortSignal): Promise<EnsuredImage> {
    const reference = parseOrThrow(image);
    const { pullPolicy } = request;
    const watch: Watch = { signal, onProgress: request.onProgress };
    if (pullPolicy !== 'Always') {
      const there = await this.#ensureLocal(reference, watch);
      if (there) return there;
      if (pullPolicy === 'Never') throw neverPull(image);
    }
    const startedMs = this.clock.monotonicMs();
    try {
      const pulled = await this.#sharedPull(reference, request, watch);
      const waitedMs = this.clock.monotonicMs() - startedMs;
      return ensured(reference, pulled, { pulledMs: pulled.pulledMs, waitedMs });
    } catch (error) {
      const loaded = isImageError(error, ...REGISTRY_OF_NO_USE) && (await this.#local(reference));
      const isOurs = loaded && loaded.reference?.source === 'loaded';
      const there = isOurs && (await this.#ensureLocal(reference, watch));
      if (there) return there;
      throw error;
    }
  }

  /**
   * The digest behind a name: at once for a digest or for an image that was loaded by hand, else the registry's
   * answer, else, when the registry does not answer, what was last pulled. Errors carry the failed request, so that
   * `digestResolutionText` words them as Knative does.
   */
  async resolveDigest(
    image: string,
    request: { readonly credentials?: readonly CredentialEntry[] | undefined },
    signal: AbortSignal,
  ): Promise<Digest> {
    const reference = parseOrThrow(image);
    if (reference.digest) return reference.digest;
    const local = await this.#local(reference);
    if (local?.reference?.source === 'loaded') return local.image.digest;
    try {
      return await this.#withCredentials(reference, request.credentials, (credential) =>
        this.#client.resolve({ reference, credential }, signal),
      );
    } catch (error) {
      if (local && isImageError(error, ...REGISTRY_DOWN)) return local.image.digest;
      throw error;
    }
  }

  /** The image if it is in the store, unpacked or not. */
  async present(image: string): Promise<{ readonly digest: Digest; readonly config: ImageConfig } | undefined> {
    const local = await this.#local(parseOrThrow(image));
    return local && { digest: local.image.digest, config: local.image.config };
  }

  /** Unpacks an image of the store, so that its first start need not wait for it. */
  async prepare(digest: Digest, signal: AbortSignal): Promise<void> {
    using _held = await lockStore(this.layout, this.clock, { mode: 'shared' }, signal);
    const image = await readImage(this.layout, digest, this.platform);
    if (!image) throw notFound(digest);
    await this.#unpack(image, undefined, { signal });
  }

  async #ensureLocal(reference: ImageReference, watch: Watch): Promise<EnsuredImage | undefined> {
    const digest = reference.digest ?? (await readReference(this.layout, canonicalName(reference)))?.digest;
    const ready = digest && this.#ready.get(digest);
    if (ready?.lowerDirs.every((dir) => existsSync(dir === this.layout.emptyLayer ? dir : `${dir}.json`))) {
      await this.#touch(canonicalName(reference));
      return ensured(reference, ready);
    }
    using _held = await lockStore(this.layout, this.clock, { mode: 'shared' }, watch.signal);
    const local = await this.#local(reference);
    if (!local) return undefined;
    const { image } = local;
    const lowerDirs = await this.#unpack(image, undefined, { signal: watch.signal });
    if (!local.reference) await this.#name(reference, image, image.manifest.mediaType);
    await this.#touch(canonicalName(reference));
    return ensured(reference, { image, lowerDirs });
  }

  async #local(reference: ImageReference): Promise<Local | undefined> {
    const stored = await readReference(this.layout, canonicalName(reference));
    const digest = reference.digest ?? stored?.digest;
    const image = digest && (await readImage(this.layout, digest, this.platform));
    if (!image || !(await isComplete(this.layout, image))) return undefined;
    return { image, reference: stored };
  }

  /** To be called with the store locked against removal. */
  async #unpack(image: StoredImage, source: BlobSource | undefined, watch: Watch): Promise<readonly string[]> {
    const lowerDirs = await this.#layers.prepare(image, source, watch);
    if (this.#ready.size >= MAX_CACHED_IMAGES) this.#ready.clear();
    this.#ready.set(image.digest, { image, lowerDirs });
    return lowerDirs;
  }

  #sharedPull(reference: ImageReference, request: EnsureRequest, watch: Watch): Promise<Pulled> {
    const { credentials = [] } = request;
    const keys = credentialsFor(reference, credentials).map(credentialKey);
    const key = JSON.stringify([canonicalName(reference), ...keys]);
    return this.#pulls.run(key, watch, (shared) => this.#pull(reference, credentials, shared));
  }

  async #pull(
    reference: ImageReference,
    credentials: readonly CredentialEntry[],
    watch: Shared<PullProgress>,
  ): Promise<Pulled> {
    using _turn = await this.#gate.enter(watch.signal);
    const startedMs = this.clock.monotonicMs();
    try {
      using _held = await lockStore(this.layout, this.clock, { mode: 'shared' }, watch.signal);
      const attempt = (credential: RegistryCredential | undefined) => this.#pullWith({ reference, credential }, watch);
      const pulled = await this.#withCredentials(reference, credentials, attempt);
      return { ...pulled, pulledMs: this.clock.monotonicMs() - startedMs };
    } catch (error) {
      if (watch.signal.aborted) throw watch.signal.reason;
      throw within(`failed to pull and unpack image ${JSON.stringify(canonicalName(reference))}`, storageError(error));
    }
  }

  async #pullWith(source: BlobSource, watch: Shared<PullProgress>): Promise<Omit<Pulled, 'pulledMs'>> {
    const { layout, clock, platform } = this;
    const { reference } = source;
    const { signal, onProgress } = watch;
    onProgress({ phase: 'resolving' });
    const digest = reference.digest ?? (await this.#resolve(source, signal));
    const fetching = { layout, clock, platform, client: this.#client, repository: source };
    const mediaType = await fetchImage(fetching, digest, signal);
    const image = await readImage(layout, digest, platform);
    if (!image) throw new ImageError('StorageFailed', `image ${digest} cannot be read back from the store`);
    onProgress({ phase: 'resolved', digest, layers: image.manifest.layers.length, bytes: image.size });
    const lowerDirs = await this.#unpack(image, source, watch);
    await this.#name(reference, image, mediaType);
    return { image, lowerDirs };
  }

  async #resolve(source: BlobSource, signal: AbortSignal): Promise<Digest> {
    try {
      return await this.#client.resolve(source, signal);
    } catch (error) {
      throw whileResolving(source.reference, error);
    }
  }

  /** Tries each credential that holds for the image until one is let in; none at all means anonymous. */
  async #withCredentials<T>(
    reference: ImageReference,
    entries: readonly CredentialEntry[] = [],
    attempt: (credential: RegistryCredential | undefined) => Promise<T>,
  ): Promise<T> {
    const credentials = credentialsFor(reference, entries);
    const others = credentials.slice(0, -1);
    for (const credential of others) {
      try {
        return await attempt(credential);
      } catch (error) {
        if (!isImageError(error, 'AccessDenied')) throw error;
      }
    }
    return attempt(credentials.at(-1));
  }

  async #name(reference: ImageReference, { digest }: StoredImage, mediaType: string): Promise<void> {
    const name = canonicalName(reference);
    const stored = { name, digest, mediaType, source: 'pulled', createdAt: this.clock.now() } as const;
    await writeReference(this.layout, this.clock, stored);
  }

  async #touch(name: string): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - (this.#touched.get(name) ?? -Infinity) < TOUCH_INTERVAL_MS) return;
    if (this.#touched.size >= MAX_CACHED_IMAGES) this.#touched.clear();
    this.#touched.set(name, nowMs);
    await touchReference(this.layout, this.clock, name);
  }
}

function parseOrThrow(image: string): ImageReference {
  const parsed = parseReference(image);
  if ('problem' in parsed) throw invalidImageName(image, parsed.problem);
  return parsed.reference;
}

function ensured(
  reference: ImageReference,
  { image, lowerDirs }: Pick<Pulled, 'image' | 'lowerDirs'>,
  pull?: EnsuredImage['pull'],
): EnsuredImage {
  const { digest, config, size } = image;
  const imageId = `${repositoryName(reference)}@${digest}`;
  return { name: canonicalName(reference), digest, imageId, config, lowerDirs, size, pull };
}
