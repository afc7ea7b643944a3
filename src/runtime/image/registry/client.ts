/**
 * The pull half of the OCI distribution protocol: tags to digests, manifests, blobs.
 *
 * Guarantees: whatever comes back as a manifest has the digest that was asked for; credentials go to the registry
 * and its authorization service only; passing failures are tried again, others are not. Does not push, and does not
 * keep anything but tokens and which scheme a registry speaks.
 */
import type { Clock } from '#base/clock.ts';
import { type Digest, Digester, digestOf, isDigest } from '#runtime/image/digest.ts';
import { digestMismatch, ImageError, isImageError, notFound, within } from '#runtime/image/errors.ts';
import { MAX_ERROR_BODY_BYTES, MAX_MANIFEST_BYTES } from '#runtime/image/limits.ts';
import { type Descriptor, schema1Refused } from '#runtime/image/manifest.ts';
import { isSchema1Type, MANIFEST_ACCEPT } from '#runtime/image/media-types.ts';
import { Authorizer } from '#runtime/image/registry/authorizer.ts';
import { type Endpoint, endpointsOf, type InsecureRegistry } from '#runtime/image/registry/endpoint.ts';
import { HttpClient, type HttpOptions, type HttpResponse, readBody } from '#runtime/image/registry/http.ts';
import { speaksPlainHttp } from '#runtime/image/registry/network-error.ts';
import type { Repository } from '#runtime/image/registry/repository.ts';
import { withRetries } from '#runtime/image/registry/retry.ts';
import { statusError } from '#runtime/image/registry/status-error.ts';
import { canonicalName, type ImageReference, referenceObject } from '#runtime/image/reference.ts';

export interface RegistryOptions extends HttpOptions {
  /** Registries that may be spoken to without TLS or with any certificate. */
  readonly insecureRegistries?: readonly InsecureRegistry[] | undefined;
}

export interface RemoteManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

interface Ask {
  readonly method: 'GET' | 'HEAD';
  /** Below the repository, such as `manifests/latest`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const NO_HEAD = new Set([405, 501]);

export class RegistryClient implements Disposable {
  readonly clock: Clock;
  readonly #insecure: readonly InsecureRegistry[];
  readonly #http: HttpClient;
  readonly #authorizer: Authorizer;
  /** Which endpoint of a registry answered. */
  readonly #working = new Map<string, Endpoint>();

  constructor(options: RegistryOptions) {
    this.clock = options.clock;
    this.#insecure = options.insecureRegistries ?? [];
    this.#http = new HttpClient(options);
    this.#authorizer = new Authorizer({ http: this.#http, clock: options.clock, insecure: this.#insecure });
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  /** The digest that the reference stands for now, by HEAD, or by GET where the registry gives none. */
  async resolve(repository: Repository, signal: AbortSignal): Promise<Digest> {
    const path = `manifests/${referenceObject(repository.reference)}`;
    const headers = { accept: MANIFEST_ACCEPT };
    const response = await this.#ask(repository, { method: 'HEAD', path, headers }, signal, NO_HEAD);
    response.body.resume();
    const digest = response.headers['docker-content-digest'];
    if (response.status === 200 && isDigest(digest)) return digest;
    return (await this.manifest(repository, signal)).digest;
  }

  /** The manifest or index of the reference; its bytes have the digest of the answer (and of the reference). */
  manifest(repository: Repository, signal: AbortSignal): Promise<RemoteManifest> {
    const { reference } = repository;
    const ask: Ask = {
      method: 'GET',
      path: `manifests/${referenceObject(reference)}`,
      headers: { accept: MANIFEST_ACCEPT },
    };
    return withRetries(this.clock, signal, async () => {
      const response = await this.#ask(repository, ask, signal);
      const mediaType = response.headers['content-type'] ?? '';
      if (isSchema1Type(mediaType)) {
        response.body.destroy();
        throw schema1Refused(mediaType);
      }
      const bytes = await this.#read(response, signal, MAX_MANIFEST_BYTES);
      const promised = reference.digest ?? response.headers['docker-content-digest'];
      const digest = digestLike(bytes, promised);
      if (isDigest(promised) && promised !== digest) throw digestMismatch(promised, digest, canonicalName(reference));
      return { digest, mediaType, bytes };
    });
  }

  /** Opens a blob at `offset`; the answer says where the body really begins (0 when ranges are not supported). */
  async blob(
    repository: Repository,
    wanted: { descriptor: Descriptor; offset: number },
    signal: AbortSignal,
  ): Promise<{ response: HttpResponse; offset: number }> {
    const { descriptor, offset } = wanted;
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const ask: Ask = { method: 'GET', path: `blobs/${descriptor.digest}`, headers };
    const response = await this.#ask(repository, ask, signal);
    return { response, offset: response.status === 206 ? rangeStart(response, offset) : 0 };
  }

  #read(response: HttpResponse, signal: AbortSignal, limit: number): Promise<Buffer> {
    return readBody(response, { clock: this.clock, signal, limit, what: 'manifest' });
  }

  /** An answer with a status of success, or one of `accepted`. */
  #ask(repository: Repository, ask: Ask, signal: AbortSignal, accepted?: Set<number>): Promise<HttpResponse> {
    return withRetries(this.clock, signal, async () => {
      const response = await this.#authorized(repository, ask, signal);
      if (response.status < 300 || accepted?.has(response.status)) return response;
      throw await this.#failure(repository, ask, response, signal);
    });
  }

  async #authorized(repository: Repository, ask: Ask, signal: AbortSignal): Promise<HttpResponse> {
    const first = await this.#send(repository, ask, signal);
    if (first.status !== 401) return first;
    first.body.resume();
    this.#authorizer.learn(repository, first);
    const second = await this.#send(repository, ask, signal);
    if (second.status === 401) this.#authorizer.refused(repository, second);
    return second;
  }

  /** Tries the endpoints of the registry in turn until one speaks its protocol, and remembers it. */
  async #send(repository: Repository, ask: Ask, signal: AbortSignal): Promise<HttpResponse> {
    const { registry } = repository.reference;
    const known = this.#working.get(registry);
    const endpoints = known ? [known] : endpointsOf(registry, this.#insecure);
    for (const [at, endpoint] of endpoints.entries()) {
      try {
        const response = await this.#sendTo(endpoint, repository, ask, signal);
        this.#working.set(registry, endpoint);
        return response;
      } catch (error) {
        const isLast = at === endpoints.length - 1;
        if (isLast || !suggestsPlainHttp(error)) throw error;
      }
    }
    throw new ImageError('Internal', `no endpoint for registry ${registry}`);
  }

  async #sendTo(endpoint: Endpoint, repository: Repository, ask: Ask, signal: AbortSignal): Promise<HttpResponse> {
    const { method, path, headers } = ask;
    const url = new URL(`${repository.reference.repository}/${path}`, endpoint.baseUrl);
    const authorization = await this.#authorizer.headers(repository, signal);
    const { certificates } = endpoint;
    return this.#http.send({ method, url, headers: { ...headers, ...authorization }, certificates }, signal);
  }

  async #failure(repository: Repository, ask: Ask, response: HttpResponse, signal: AbortSignal): Promise<unknown> {
    const name = canonicalName(repository.reference);
    const error = await this.#statusError(response, signal);
    if (error.code === 'NotFound') {
      const what = ask.path.startsWith('blobs/') ? `content at ${response.url.href}` : name;
      return notFound(what, { cause: error, request: error.request });
    }
    if (ask.method === 'HEAD' && response.status === 403) {
      // A HEAD has no body, so only a GET tells why.
      const again = await this.#authorized(repository, { ...ask, method: 'GET' }, signal);
      return again.status >= 400 ? this.#statusError(again, signal) : error;
    }
    return error;
  }

  async #statusError(response: HttpResponse, signal: AbortSignal): Promise<ImageError> {
    const options = { clock: this.clock, signal, limit: MAX_ERROR_BODY_BYTES, what: 'error answer' };
    const body = await readBody(response, options).catch((error: unknown) => {
      if (isImageError(error)) return Buffer.alloc(0);
      throw error;
    });
    return statusError(response, body);
  }
}

function suggestsPlainHttp(error: unknown): boolean {
  if (!isImageError(error)) return false;
  return speaksPlainHttp(error.cause) || error.code === 'ConnectionLost';
}

function digestLike(bytes: Buffer, promised: unknown): Digest {
  if (!isDigest(promised)) return digestOf(bytes);
  const digester = new Digester(promised);
  digester.update(bytes);
  return digester.finish();
}

/** Where a 206 begins; one that begins elsewhere than asked is of no use. */
function rangeStart(response: HttpResponse, wanted: number): number {
  const header = response.headers['content-range'] ?? '';
  const start = Number(/^bytes (\d+)-/.exec(header)?.[1] ?? Number.NaN);
  if (start === wanted) return start;
  response.body.destroy();
  throw new ImageError('ConnectionLost', `unhandled content range in response: ${header}`);
}

/** Context of failures while a name is looked up, as containerd words it. */
export function whileResolving(reference: ImageReference, error: unknown): unknown {
  return within(`failed to resolve reference ${JSON.stringify(canonicalName(reference))}`, error);
}
