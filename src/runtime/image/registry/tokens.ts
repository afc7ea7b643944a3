/**
 * Bearer tokens of a registry's authorization service: fetched with GET (anonymous, or a user and password) or, with
 * a refresh token, by OAuth2's POST form; remembered until shortly before they expire.
 *
 * Credentials are sent only to the service that the registry names, and over plain HTTP only where the registry
 * itself may be spoken to that way.
 */
import type { Clock } from '#base/clock.ts';
import { isObject } from '#base/json.ts';
import { credentialKey, type RegistryCredential } from '#runtime/image/credentials.ts';
import { ImageError, quote, within } from '#runtime/image/errors.ts';
import { MAX_TOKEN_BODY_BYTES, MAX_TOKENS } from '#runtime/image/limits.ts';
import { type InsecureRegistry, isInsecure } from '#runtime/image/registry/endpoint.ts';
import { type HttpClient, type HttpRequest, readBody } from '#runtime/image/registry/http.ts';
import { statusError } from '#runtime/image/registry/status-error.ts';

export interface TokenRequest {
  readonly realm: string;
  readonly service: string | undefined;
  readonly scope: string;
  readonly credential: RegistryCredential | undefined;
}

interface CachedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** The token specification's default life when the service names none. */
const DEFAULT_LIFE_SECONDS = 60;
/** A token is not used in the last tenth of its life. */
const USABLE_SHARE = 0.9;
const CLIENT_ID = 'pinnace';
const NO_GET = new Set([404, 405, 501]);

export class TokenSource {
  readonly #http: HttpClient;
  readonly #clock: Clock;
  readonly #insecure: readonly InsecureRegistry[];
  readonly #cache = new Map<string, CachedToken>();

  constructor(options: { http: HttpClient; clock: Clock; insecure: readonly InsecureRegistry[] }) {
    this.#http = options.http;
    this.#clock = options.clock;
    this.#insecure = options.insecure;
  }

  async token(request: TokenRequest, signal: AbortSignal): Promise<string> {
    const key = keyOf(request);
    const cached = this.#cache.get(key);
    if (cached && cached.expiresAtMs > this.#clock.monotonicMs()) return cached.token;
    const fresh = await this.#fetch(request, signal);
    if (this.#cache.size >= MAX_TOKENS) this.#cache.clear();
    this.#cache.set(key, fresh);
    return fresh.token;
  }

  /** To be called when the registry refused the token. */
  forget(request: TokenRequest): void {
    this.#cache.delete(keyOf(request));
  }

  async #fetch(request: TokenRequest, signal: AbortSignal): Promise<CachedToken> {
    const realm = this.#realm(request);
    const { credential } = request;
    try {
      if (credential?.identityToken !== undefined) return await this.#exchange(post(request, realm), signal);
      const answer = await this.#exchange(get(request, realm), signal, NO_GET);
      if (answer) return answer;
      return await this.#exchange(post(request, realm), signal);
    } catch (error) {
      const kind = credential ? 'oauth' : 'anonymous';
      throw within(`failed to authorize: failed to fetch ${kind} token`, error);
    }
  }

  async #exchange(request: HttpRequest, signal: AbortSignal): Promise<CachedToken>;
  async #exchange(request: HttpRequest, signal: AbortSignal, unless: Set<number>): Promise<CachedToken | undefined>;
  async #exchange(request: HttpRequest, signal: AbortSignal, unless?: Set<number>): Promise<CachedToken | undefined> {
    const askedAtMs = this.#clock.monotonicMs();
    const response = await this.#http.send(request, signal);
    const options = { clock: this.#clock, signal, limit: MAX_TOKEN_BODY_BYTES, what: 'token answer' };
    const body = await readBody(response, options);
    if (unless?.has(response.status) && request.headers?.['authorization'] !== undefined) return undefined;
    if (response.status !== 200) throw statusError(response, body);
    return parseToken(body, askedAtMs);
  }

  #realm({ realm, credential }: TokenRequest): Realm {
    if (!URL.canParse(realm))
      throw new ImageError('UnexpectedAnswer', `invalid token auth challenge realm: ${quote(realm)}`);
    const url = new URL(realm);
    const lax = isInsecure(url.host, this.#insecure);
    if (url.protocol === 'https:' || (url.protocol === 'http:' && (lax || !credential))) {
      return { url, certificates: lax ? 'any' : 'verify' };
    }
    throw new ImageError(
      'AccessDenied',
      `failed to authorize: credentials are not sent to ${quote(realm)} without TLS`,
    );
  }
}

interface Realm {
  readonly url: URL;
  readonly certificates: HttpRequest['certificates'];
}

function get({ service, scope, credential }: TokenRequest, realm: Realm): HttpRequest {
  const url = new URL(realm.url);
  url.searchParams.append('scope', scope);
  if (service !== undefined) url.searchParams.append('service', service);
  return { method: 'GET', url, certificates: realm.certificates, headers: basicHeader(credential) };
}

function post({ service, scope, credential }: TokenRequest, realm: Realm): HttpRequest {
  const form = new URLSearchParams({ client_id: CLIENT_ID, scope, ...(service === undefined ? {} : { service }) });
  if (credential?.identityToken !== undefined) {
    form.set('grant_type', 'refresh_token');
    form.set('refresh_token', credential.identityToken);
  } else {
    form.set('grant_type', 'password');
    form.set('username', credential?.username ?? '');
    form.set('password', credential?.password ?? '');
  }
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  return { method: 'POST', url: realm.url, certificates: realm.certificates, headers, body: form.toString() };
}

/** Basic authorization, or no header at all for anonymous access. */
export function basicHeader(credential: RegistryCredential | undefined): { authorization?: string } {
  if (credential?.username === undefined) return {};
  const pair = `${credential.username}:${credential.password ?? ''}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function parseToken(body: Buffer, askedAtMs: number): CachedToken {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new ImageError('UnexpectedAnswer', 'unable to decode token response', { cause });
  }
  const members = isObject(answer) ? answer : {};
  const token = [members['token'], members['access_token']].find((entry) => typeof entry === 'string' && entry !== '');
  if (typeof token !== 'string' || /[\r\n]/.test(token)) {
    throw new ImageError('UnexpectedAnswer', 'authorization server did not include a token in the response');
  }
  const life = members['expires_in'];
  const seconds = typeof life === 'number' && life > 0 ? life : DEFAULT_LIFE_SECONDS;
  return { token, expiresAtMs: askedAtMs + seconds * 1_000 * USABLE_SHARE };
}

function keyOf({ realm, service, scope, credential }: TokenRequest): string {
  return JSON.stringify([realm, service, scope, credentialKey(credential)]);
}
