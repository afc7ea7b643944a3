/**
 * Content addresses: `sha256:<64 hex digits>` (or sha512), as the OCI image specification writes them.
 */
import { createHash, type Hash } from 'node:crypto';

/** A digest that was checked for its form. */
export type Digest = `sha256:${string}` | `sha512:${string}`;

const FORM = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && FORM.test(text);
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export interface DigestParts {
  readonly algorithm: 'sha256' | 'sha512';
  readonly hex: string;
}

export function digestParts(digest: Digest): DigestParts {
  const colon = digest.indexOf(':');
  return { algorithm: digest.startsWith('sha256') ? 'sha256' : 'sha512', hex: digest.slice(colon + 1) };
}

/** A running hash that ends as a digest of the same algorithm as `like`. */
export class Digester {
  readonly #hash: Hash;
  readonly #algorithm: DigestParts['algorithm'];

  constructor(like?: Digest) {
    this.#algorithm = like ? digestParts(like).algorithm : 'sha256';
    this.#hash = createHash(this.#algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** To be called once. */
  finish(): Digest {
    return `${this.#algorithm}:${this.#hash.digest('hex')}` as Digest;
  }
}

/**
 * The identity of a stack of layers: the digest of the chain so far and the next layer's, as the OCI image
 * specification defines ChainID.
 */
export function chainId(diffIds: readonly Digest[]): Digest | undefined {
  let chain: Digest | undefined;
  for (const diffId of diffIds) chain = chain ? digestOf(`${chain} ${diffId}`) : diffId;
  return chain;
}
