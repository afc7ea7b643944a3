/**
 * How each repository wants to be authorized, learnt from its challenges: Basic, or Bearer with a token of the
 * service that the challenge names.
 */
import type { Clock } from '#base/clock.ts';
import { credentialKey } from '#runtime/image/credentials.ts';
import { ImageError } from '#runtime/image/errors.ts';
import { type Challenge, parseChallenges } from '#runtime/image/registry/challenge.ts';
import type { InsecureRegistry } from '#runtime/image/registry/endpoint.ts';
import type { HttpClient, HttpResponse } from '#runtime/image/registry/http.ts';
import type { Repository } from '#runtime/image/registry/repository.ts';
import { statusError } from '#runtime/image/registry/status-error.ts';
import { basicHeader, type TokenRequest, TokenSource } from '#runtime/image/registry/tokens.ts';
import { repositoryName } from '#runtime/image/reference.ts';

/** Most repositories whose challenge is remembered. */
const MAX_CHALLENGES = 1_000;
const DENIED = 'pull access denied, repository does not exist or may require authorization';

type Headers = Readonly<Record<string, string>>;

export class Authorizer {
  readonly #tokens: TokenSource;
  readonly #challenges = new Map<string, Challenge>();

  constructor(options: { http: HttpClient; clock: Clock; insecure: readonly InsecureRegistry[] }) {
    this.#tokens = new TokenSource(options);
  }

  /** Headers for the next request: none until the first challenge, so that public registries are asked but once. */
  async headers(repository: Repository, signal: AbortSignal): Promise<Headers> {
    const { credential } = repository;
    if (credential?.registryToken !== undefined) return { authorization: `Bearer ${credential.registryToken}` };
    const challenge = this.#challenges.get(keyOf(repository));
    if (!challenge) return {};
    if (challenge.scheme === 'basic') return basicHeader(credential);
    return { authorization: `Bearer ${await this.#tokens.token(tokenRequest(repository, challenge), signal)}` };
  }

  /** Takes the challenge of a 401; a token that was sent with the request counts as spent. */
  learn(repository: Repository, response: HttpResponse): void {
    const challenges = parseChallenges(response.headers['www-authenticate'] ?? '');
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm']);
    const challenge = bearer ?? challenges.find(({ scheme }) => scheme === 'basic');
    if (!challenge) throw statusError(response, new Uint8Array());
    if (challenge.scheme === 'basic' && repository.credential?.username === undefined) {
      throw this.#denied(response, 'authorization failed: no basic auth credentials');
    }
    if (challenge.scheme === 'bearer') this.#tokens.forget(tokenRequest(repository, challenge));
    if (this.#challenges.size >= MAX_CHALLENGES) this.#challenges.clear();
    this.#challenges.set(keyOf(repository), challenge);
  }

  /** Throws what a 401 after authorization means, if the registry says more than the status does. */
  refused(repository: Repository, response: HttpResponse): void {
    const challenges = parseChallenges(response.headers['www-authenticate'] ?? '');
    for (const challenge of challenges) {
      if (challenge.scheme === 'bearer') this.#tokens.forget(tokenRequest(repository, challenge));
    }
    const why = challenges.map(({ parameters }) => parameters['error']).find(Boolean);
    if (why !== undefined) throw this.#denied(response, `server message: ${why}: authorization failed`);
  }

  #denied(response: HttpResponse, why: string): ImageError {
    response.body.destroy();
    const { request } = statusError(response, new Uint8Array());
    return new ImageError('AccessDenied', `${DENIED}: ${why}`, { request });
  }
}

function tokenRequest(repository: Repository, { parameters }: Challenge): TokenRequest {
  return {
    realm: parameters['realm'] ?? '',
    service: parameters['service'],
    scope: parameters['scope'] ?? `repository:${repository.reference.repository}:pull`,
    credential: repository.credential,
  };
}

function keyOf({ reference, credential }: Repository): string {
  return `${repositoryName(reference)} ${credentialKey(credential)}`;
}
