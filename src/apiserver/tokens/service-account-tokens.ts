/**
 * Issues tokens of service accounts and says who comes with one.
 *
 * A token is checked in two steps: its signature, once, remembered for the last tokens that were good; then, with each
 * use, its time, its audience and that everything it is bound to is still there. Those are look-ups in memory, so a
 * token ends in the moment in which its pod does. What is refused says why only to a TokenReview.
 */
import { uuid } from '#base/ids.ts';
import type { Clock } from '#base/clock.ts';
import type { KubeObject } from '#kube/object.ts';
import { namespaceOf, nameOf } from '#kube/object.ts';
import type { Store } from '#store/store.ts';
import { boundObjectProblem, LEEWAY_SECONDS, secretProblem } from '#apiserver/tokens/bound-objects.ts';
import {
  type BoundClaims,
  type Claims,
  formatBoundClaims,
  formatSecretClaims,
  ISSUER,
  nameOfObject,
  parseClaims,
} from '#apiserver/tokens/claims.ts';
import { generateSigningKey, type JsonWebKey, SigningKey } from '#apiserver/tokens/signing-key.ts';
import {
  AUTHENTICATED,
  CREDENTIAL_ID,
  serviceAccountGroups,
  serviceAccountUserName,
  type User,
} from '#apiserver/user.ts';

/** Tokens whose signature is remembered as good; the one that was not seen for longest goes first. */
const MAX_REMEMBERED = 4_096;

const EXTRA = 'authentication.kubernetes.io';

/** The API server, as an audience. */
export const API_AUDIENCES: readonly string[] = [ISSUER];

/** What Kubernetes says of whatever is no token that it knows. */
const NOT_A_TOKEN = 'invalid bearer token';

export interface ServiceAccountTokensOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** PEM; without one, tokens end with this process. */
  readonly key?: string | undefined;
}

export interface Grant {
  readonly account: KubeObject;
  readonly audiences: readonly string[];
  /** How long the token is good. */
  readonly seconds: number;
  readonly warnAfterSeconds?: number | undefined;
  readonly pod?: KubeObject | undefined;
  readonly secret?: KubeObject | undefined;
  readonly node?: BoundClaims['node'];
}

export interface Authenticated {
  readonly user: User;
  /** Those that were asked for and that the token is meant for. */
  readonly audiences: readonly string[];
}

export interface Refused {
  readonly user?: undefined;
  readonly error: string;
}

export class ServiceAccountTokens {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #key: SigningKey;
  readonly #remembered = new Map<string, Claims>();

  constructor({ store, clock, key }: ServiceAccountTokensOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#key = new SigningKey(key ?? generateSigningKey());
  }

  get jwk(): JsonWebKey {
    return this.#key.jwk;
  }

  /** A token that ends by itself. */
  issue({ account, audiences, seconds, warnAfterSeconds, pod, secret, node }: Grant): string {
    const now = this.#now;
    const claims: BoundClaims = {
      type: 'bound',
      id: uuid(this.#clock),
      audiences,
      issuedAt: now,
      notBefore: now,
      expiresAt: now + seconds,
      namespace: namespaceOf(account),
      account: nameOfObject(account),
      pod: pod && nameOfObject(pod),
      secret: secret && nameOfObject(secret),
      node,
      warnAfter: warnAfterSeconds === undefined ? undefined : now + warnAfterSeconds,
    };
    return this.#key.sign(formatBoundClaims(claims));
  }

  /** A token to be kept in a Secret: good for as long as the Secret holds it. */
  issueForSecret(account: KubeObject, secret: KubeObject): string {
    const [namespace, secretName] = [namespaceOf(secret), nameOf(secret)];
    return this.#key.sign(
      formatSecretClaims({ type: 'secret', namespace, account: nameOfObject(account), secretName }),
    );
  }

  /** @param audiences of whom the token must be meant for one. */
  authenticate(token: string, audiences: readonly string[] = API_AUDIENCES): Authenticated | Refused {
    const claims = this.#claimsOf(token);
    if (!claims) return { error: NOT_A_TOKEN };
    const meant = claims.type === 'bound' ? claims.audiences : API_AUDIENCES;
    const common = meant.filter((one) => audiences.includes(one));
    const problem = common.length === 0 ? otherAudience(meant, audiences) : this.#problemOf(claims, token);
    if (problem !== undefined) return { error: `[${NOT_A_TOKEN}, ${problem}]` };
    return { user: userOf(claims), audiences: common };
  }

  get #now(): number {
    return Math.floor(this.#clock.now() / 1_000);
  }

  #problemOf(claims: Claims, token: string): string | undefined {
    const lookup = { store: this.#store, now: this.#clock.now() / 1_000 };
    if (claims.type === 'secret') return secretProblem(lookup, claims, token);
    return timeProblem(claims, lookup.now) ?? boundObjectProblem(lookup, claims);
  }

  #claimsOf(token: string): Claims | undefined {
    const known = this.#remembered.get(token);
    const payload = known ? undefined : this.#key.verify(token);
    const claims = known ?? (payload && parseClaims(payload));
    if (claims) this.#remember(token, claims);
    return claims;
  }

  #remember(token: string, claims: Claims): void {
    this.#remembered.delete(token);
    this.#remembered.set(token, claims);
    if (this.#remembered.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}

function timeProblem({ expiresAt, notBefore, issuedAt }: BoundClaims, now: number): string | undefined {
  if (notBefore > now + LEEWAY_SECONDS) return 'service account token is not valid yet';
  if (expiresAt < now - LEEWAY_SECONDS) return 'service account token has expired';
  return issuedAt > now + LEEWAY_SECONDS ? 'service account token is issued in the future' : undefined;
}

function otherAudience(meant: readonly string[], wanted: readonly string[]): string {
  const list = (texts: readonly string[]) => `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`;
  return `token audiences ${list(meant)} is invalid for the target audiences ${list(wanted)}`;
}

function userOf(claims: Claims): User {
  const { namespace, account } = claims;
  const name = serviceAccountUserName({ namespace, name: account.name });
  const user = { name, uid: account.uid, groups: [...serviceAccountGroups(namespace), AUTHENTICATED] };
  return claims.type === 'bound' ? { ...user, extra: extraOf(claims) } : user;
}

function extraOf({ id, node, pod }: BoundClaims): Record<string, string[]> {
  return {
    [CREDENTIAL_ID]: [`JTI=${id}`],
    ...(node ? { [`${EXTRA}/node-name`]: [node.name] } : {}),
    ...(node && node.uid !== '' ? { [`${EXTRA}/node-uid`]: [node.uid] } : {}),
    ...(pod ? { [`${EXTRA}/pod-name`]: [pod.name], [`${EXTRA}/pod-uid`]: [pod.uid] } : {}),
  };
}
