/**
 * An authorization service as registries know it: bearer tokens as signed JWTs that a real registry verifies, by GET
 * with a user and password or by POST with a refresh token. It counts what it is asked.
 */
import { createHash, createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '#base/clock.ts';
import { REGISTRY_PASSWORD, REGISTRY_USER } from '#testing/registry.ts';

export const REFRESH_TOKEN = 'a refresh token';
export const TOKEN_SERVICE = 'test registry';
export const TOKEN_ISSUER = 'test issuer';

export interface TokenServerOptions {
  /** Files of the certificate that the registry trusts and of its key. */
  readonly certificate: string;
  readonly key: string;
  readonly expiresInSeconds?: number;
  /** Repositories that anybody may pull. */
  readonly publicRepositories?: readonly string[];
  /** Answers GET with this status instead. */
  readonly refuseGet?: number;
}

export interface TokenRequestSeen {
  readonly method: string;
  readonly authorization: string | undefined;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
}

export class TokenServer implements AsyncDisposable {
  readonly seen: TokenRequestSeen[] = [];
  readonly #server: Server;
  readonly #options: TokenServerOptions;
  readonly #key: KeyObject;
  readonly #certificate: X509Certificate;

  private constructor(options: TokenServerOptions) {
    this.#options = options;
    this.#key = createPrivateKey(readFileSync(options.key));
    this.#certificate = new X509Certificate(readFileSync(options.certificate));
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(options: TokenServerOptions): Promise<TokenServer> {
    const server = new TokenServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get realm(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request;
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const form = new URLSearchParams(body);
    this.seen.push({ method, authorization: headers.authorization, query, form });
    if (method === 'GET' && this.#options.refuseGet !== undefined) {
      response.writeHead(this.#options.refuseGet).end();
      return;
    }
    const scope = query.get('scope') ?? form.get('scope') ?? '';
    const isKnown = this.#isKnown(headers.authorization, form);
    if (isKnown === 'wrong') {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }] }));
      return;
    }
    const repository = scope.split(':')[1] ?? '';
    const mayPull = isKnown === 'known' || this.#options.publicRepositories?.includes(repository);
    const token = this.#token(mayPull ? scope : '');
    const expires = this.#options.expiresInSeconds;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        [method === 'POST' ? 'access_token' : 'token']: token,
        ...(expires === undefined ? {} : { expires_in: expires }),
      }),
    );
  }

  #isKnown(authorization: string | undefined, form: URLSearchParams): 'known' | 'anonymous' | 'wrong' {
    if (form.get('grant_type') === 'refresh_token')
      return form.get('refresh_token') === REFRESH_TOKEN ? 'known' : 'wrong';
    if (form.get('grant_type') === 'password') {
      return form.get('username') === REGISTRY_USER && form.get('password') === REGISTRY_PASSWORD ? 'known' : 'wrong';
    }
    if (authorization === undefined) return 'anonymous';
    const expected = Buffer.from(`${REGISTRY_USER}:${REGISTRY_PASSWORD}`).toString('base64');
    return authorization === `Basic ${expected}` ? 'known' : 'wrong';
  }

  #token(scope: string): string {
    const nowSeconds = Math.floor(systemClock.now() / 1_000);
    const [type, name, actions] = scope.split(':');
    const access = name === undefined ? [] : [{ type, name, actions: actions?.split(',') ?? [] }];
    const claims = {
      iss: TOKEN_ISSUER,
      sub: 'test',
      aud: TOKEN_SERVICE,
      nbf: nowSeconds - 60,
      iat: nowSeconds,
      exp: nowSeconds + 600,
      jti: createHash('sha256').update(scope).digest('hex'),
      access,
    };
    const header = { typ: 'JWT', alg: 'ES256', x5c: [this.#certificate.raw.toString('base64')] };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = sign('sha256', Buffer.from(text), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }
}
