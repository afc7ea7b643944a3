/**
 * The OpenAPI documents as text, made when they are first asked for and again once the served kinds have changed.
 * Their hashes are part of their addresses, so that clients keep them for as long as they are the same.
 */
import { createHash } from 'node:crypto';
import { documentOf, documentPath, swaggerOf } from '#apiserver/openapi/document.ts';
import { swaggerProtobuf } from '#apiserver/openapi/protobuf.ts';
import type { Registry, ServedKind } from '#apiserver/registry.ts';

export interface Document {
  readonly text: string;
  /** Upper-case hex. */
  readonly hash: string;
}

export class OpenApiDocuments {
  readonly #registry: Registry;
  readonly #version: string;
  readonly #documents = new Map<string, Document>();
  #generation = -1;
  #encoded: { readonly text: string; readonly bytes: Uint8Array } | undefined;

  constructor(registry: Registry, version: string) {
    this.#registry = registry;
    this.#version = version;
  }

  /** What there is, by path, each with the address that names its hash. */
  index(): Document {
    return this.#cached('', () => {
      const paths = [...this.#kindsByPath().keys()].sort().map((path) => {
        const { hash } = this.document(path) ?? { hash: '' };
        return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
      });
      return { paths: Object.fromEntries(paths) as object };
    });
  }

  /** `apis/apps/v1`; undefined when nothing is served there. */
  document(path: string): Document | undefined {
    const kinds = this.#kindsByPath().get(path);
    return kinds && this.#cached(path, () => documentOf(kinds, this.#version));
  }

  swagger(): Document {
    return this.#cached('v2', () => swaggerOf(this.#registry.list(), this.#version));
  }

  /** The same in protobuf; its hash is that of the text. */
  swaggerProtobuf(): Uint8Array {
    const { text } = this.swagger();
    if (this.#encoded?.text !== text) this.#encoded = { text, bytes: swaggerProtobuf(JSON.parse(text) as object) };
    return this.#encoded.bytes;
  }

  #kindsByPath(): Map<string, ServedKind[]> {
    return Map.groupBy(this.#registry.list(), documentPath);
  }

  #cached(key: string, make: () => object): Document {
    if (this.#generation !== this.#registry.generation) this.#documents.clear();
    this.#generation = this.#registry.generation;
    const known = this.#documents.get(key);
    if (known) return known;
    const text = JSON.stringify(make());
    const document = { text, hash: createHash('sha512').update(text).digest('hex').toUpperCase() };
    this.#documents.set(key, document);
    return document;
  }
}
