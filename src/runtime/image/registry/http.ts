/**
 * One HTTP request at a time over Node's own client: TLS with the machine's authorities and extra ones, a deadline
 * for the answer, a limit on silence within a body, and redirects that never carry an Authorization header to
 * another host. Knows nothing of registries.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import type { Clock } from '#base/clock.ts';
import { ImageError, limitExceeded, quote } from '#runtime/image/errors.ts';
import { BODY_IDLE_TIMEOUT_MS, MAX_REDIRECTS, RESPONSE_TIMEOUT_MS } from '#runtime/image/limits.ts';
import { isLoopback } from '#runtime/image/registry/endpoint.ts';
import { networkFailure } from '#runtime/image/registry/network-error.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** `any` accepts whatever certificate the peer shows (registries configured as insecure). */
  readonly certificates: 'verify' | 'any';
}

export interface HttpResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: http.IncomingHttpHeaders;
  /** The URL that answered, after redirects. */
  readonly url: URL;
  readonly method: string;
  /** To be read to its end or destroyed. */
  readonly body: http.IncomingMessage;
}

export interface HttpOptions {
  readonly clock: Clock;
  /** Certificate authorities (PEM) to trust beside the machine's. */
  readonly extraAuthorities?: readonly string[] | undefined;
  /** Resolves host names instead of the system. */
  readonly lookup?: LookupFunction | undefined;
  /** `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` and their lower-case forms. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>> | undefined;
  readonly userAgent?: string | undefined;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_SOCKETS_PER_HOST = 8;

export class HttpClient implements Disposable {
  readonly #options: HttpOptions;
  readonly #agents = new Map<string, http.Agent>();

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** Follows redirects of GET and HEAD; the answer may have any other status. */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    let current = request;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await this.#once(current, signal);
      const target = response.headers.location;
      if (request.method === 'POST' || !REDIRECTS.has(response.status) || target === undefined) return response;
      response.body.destroy();
      current = redirected(current, target);
    }
    throw unexpected(current, `stopped after ${MAX_REDIRECTS} redirects`);
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #once(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const { url, method } = request;
      const send = url.protocol === 'https:' ? https.request : http.request;
      const headers = { 'user-agent': this.#options.userAgent ?? 'pinnace', ...request.headers };
      const outgoing = send(url, { method, headers, agent: this.#agent(request), ...this.#lookup() });
      const end = this.#watch(outgoing, request, signal);
      outgoing.on('response', (body) => {
        end();
        const { statusCode: status = 0, statusMessage: statusText = '' } = body;
        resolve({ status, statusText, headers: body.headers, url, method, body });
      });
      outgoing.on('error', (error) => {
        end();
        reject(signal.aborted ? signal.reason : error instanceof ImageError ? error : networkFailure(error, request));
      });
      outgoing.end(request.body);
    });
  }

  /** Ends the request on abort or when no answer comes in time; the answer of this function stops watching. */
  #watch(outgoing: http.ClientRequest, request: HttpRequest, signal: AbortSignal): () => void {
    const onAbort = () => outgoing.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = this.#options.clock.after(RESPONSE_TIMEOUT_MS, () => {
      const network = 'net/http: timeout awaiting response headers';
      const { method, url } = request;
      const message = `failed to do request: ${quote(url.href)}: ${network}`;
      outgoing.destroy(new ImageError('Timeout', message, { request: { method, url: url.href, network } }));
    });
    return () => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    };
  }

  #lookup(): { lookup?: LookupFunction } {
    return this.#options.lookup ? { lookup: this.#options.lookup } : {};
  }

  #agent({ url, certificates }: HttpRequest): http.Agent {
    // As in Go, no proxy stands between us and this machine, whatever the environment says.
    const isHere = isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
    const key = `${url.protocol}${certificates}${isHere ? 'direct' : ''}`;
    const known = this.#agents.get(key);
    if (known) return known;
    const proxyEnv = isHere ? undefined : this.#options.proxyEnv;
    const common = { keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST, ...(proxyEnv ? { proxyEnv } : {}) };
    const agent = url.protocol === 'https:' ? this.#secureAgent(common, certificates) : new http.Agent(common);
    this.#agents.set(key, agent);
    return agent;
  }

  #secureAgent(common: http.AgentOptions, certificates: HttpRequest['certificates']): http.Agent {
    if (certificates === 'any') return new https.Agent({ ...common, rejectUnauthorized: false });
    const extra = this.#options.extraAuthorities ?? [];
    return new https.Agent({ ...common, ca: [...trustedAuthorities(), ...extra] });
  }
}

/** What Node ships and what the machine trusts, as Go programs see it. */
function trustedAuthorities(): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

function redirected(request: HttpRequest, location: string): HttpRequest {
  if (!URL.canParse(location, request.url)) throw unexpected(request, `redirect to an invalid URL ${quote(location)}`);
  const url = new URL(location, request.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw unexpected(request, `redirect to ${quote(location)}`);
  if (request.url.protocol === 'https:' && url.protocol === 'http:' && request.certificates === 'verify') {
    throw unexpected(request, `redirect from https to ${quote(location)} refused`);
  }
  const sameHost = url.host === request.url.host && url.protocol === request.url.protocol;
  const { authorization: _dropped, ...others } = request.headers ?? {};
  // Another host's certificate is checked in any case, however insecure the first one was configured to be.
  return {
    ...request,
    url,
    headers: sameHost ? (request.headers ?? {}) : others,
    certificates: sameHost ? request.certificates : 'verify',
  };
}

function unexpected({ method, url }: HttpRequest, network: string): ImageError {
  const message = `failed to do request: ${quote(url.href)}: ${network}`;
  return new ImageError('UnexpectedAnswer', message, { request: { method, url: url.href, network } });
}

/**
 * The chunks of a body. Fails with `Timeout` after too long a silence, with `ConnectionLost` when the connection
 * breaks, with the signal's reason when that aborts.
 */
export async function* bodyChunks(response: HttpResponse, clock: Clock, signal: AbortSignal): AsyncGenerator<Buffer> {
  const { body } = response;
  const silence = () =>
    clock.after(BODY_IDLE_TIMEOUT_MS, () => {
      body.destroy(bodyError(response, 'Timeout', `no data for ${BODY_IDLE_TIMEOUT_MS / 1_000} s`));
    });
  let timer = silence();
  const onAbort = () => body.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    for await (const chunk of body as AsyncIterable<Buffer>) {
      timer.cancel();
      yield chunk;
      timer = silence();
    }
    if (!body.complete) throw new Error('aborted');
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof ImageError) throw error;
    const text = error instanceof Error && error.message !== 'aborted' ? error.message : 'unexpected EOF';
    throw bodyError(response, 'ConnectionLost', text);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', onAbort);
    body.destroy();
  }
}

function bodyError({ method, url }: HttpResponse, code: 'Timeout' | 'ConnectionLost', network: string): ImageError {
  return new ImageError(code, `failed to read ${quote(url.href)}: ${network}`, {
    request: { method, url: url.href, network },
  });
}

/** The whole body, of at most `limit` bytes. */
export async function readBody(
  response: HttpResponse,
  options: { clock: Clock; signal: AbortSignal; limit: number; what: string },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyChunks(response, options.clock, options.signal)) {
    size += chunk.length;
    if (size > options.limit) throw limitExceeded(`${options.what} of more than ${options.limit} bytes`, options.limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
