/**
 * The key that signs tokens of service accounts: ECDSA on P-256 with SHA-256 (ES256). Kubernetes signs with RS256 unless
 * it is given such a key, and takes either; ES256 is what every verifier of OpenID Connect tokens knows as well, and a
 * signature takes a tenth of the time, which counts where fifty pods start at once.
 *
 * Which algorithm a token says it has decides nothing: only ES256 with this key is ever tried.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { type CompactJws, formatCompactJws, parseCompactJws } from '#apiserver/tokens/compact-jws.ts';

const ALGORITHM = 'ES256';
const HASH = 'sha256';
/** OpenSSL's name of P-256. */
const CURVE = 'prime256v1';
/** Two numbers of 32 bytes, as JSON Web Signatures have them. */
const ENCODING = 'ieee-p1363';
const SIGNATURE_BYTES = 64;

export interface JsonWebKey {
  readonly use: string;
  readonly kty: string;
  readonly kid: string;
  readonly crv: string;
  readonly alg: string;
  readonly x: string;
  readonly y: string;
}

/** A new key, in PEM. */
export function generateSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: CURVE });
  return privateKey.export({ type: 'pkcs8', format: 'pem' });
}

/** Throws when it is no key at all. */
export function isSigningKey(pem: string): boolean {
  return createPrivateKey(pem).asymmetricKeyDetails?.namedCurve === CURVE;
}

export class SigningKey {
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #id: string;

  constructor(pem: string) {
    this.#private = createPrivateKey(pem);
    this.#public = createPublicKey(this.#private);
    this.#id = createHash(HASH)
      .update(this.#public.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
  }

  sign(claims: object): string {
    const header = { alg: ALGORITHM, kid: this.#id };
    return formatCompactJws(header, claims, (signed) =>
      sign(HASH, signed, { key: this.#private, dsaEncoding: ENCODING }),
    );
  }

  /** The claims of a token that this key has signed. */
  verify(token: string): Readonly<Record<string, unknown>> | undefined {
    const jws = parseCompactJws(token);
    return jws && this.#isSigned(jws) ? jws.payload : undefined;
  }

  /** For others who verify. */
  get jwk(): JsonWebKey {
    const { kty = '', crv = '', x = '', y = '' } = this.#public.export({ format: 'jwk' });
    return { use: 'sig', kty, kid: this.#id, crv, alg: ALGORITHM, x, y };
  }

  #isSigned({ header: { alg, kid = this.#id, crit }, signed, signature }: CompactJws): boolean {
    // Extensions that must be understood are not.
    if (alg !== ALGORITHM || kid !== this.#id || crit !== undefined) return false;
    if (signature.length !== SIGNATURE_BYTES) return false;
    return verify(HASH, signed, { key: this.#public, dsaEncoding: ENCODING }, signature);
  }
}
