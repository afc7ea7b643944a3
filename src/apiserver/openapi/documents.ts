/**
 * The OpenAPI documents as text, made when they are first asked for and again once the kinds in them have changed.
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

interface Cached {
  /** What it was made from: it is true for as long as these are served. */
  readonly kinds: readonly ServedKind[];
  readonly document: Document;
}

export class OpenApiDocuments {
  readonly #registry: Registry;
  readonly #version: string;
  readonly #documents = new Map<string, Cached>();
  #encoded: { readonly text: string; readonly bytes: Uint8Array } | undefined;

  constructor(registry: Registry, version: string) {
    this.#registry = registry;
    this.#version = version;
  }

  /** What there is, by path, each with the address that names its hash. */
  index(): Document {
    const byPath = this.#kindsByPath();
    this.#forgetOthers(byPath);
    return this.#cached('', this.#registry.list(), () => {
      const paths = [...byPath.keys()].sort().map((path) => {
        const { hash } = this.document(path) ?? { hash: '' };
        return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
      });
      return { paths: Object.fromEntries(paths) as object };
    });
  }

  /** `apis/apps/v1`; undefined when nothing is served there. */
  document(path: string): Document | undefined {
    const kinds = this.#kindsByPath().get(path);
    return kinds && this.#cached(path, kinds, () => documentOf(kinds, this.#version));
  }

  swagger(): Document {
    const kinds = this.#registry.list();
    return this.#cached('v2', kinds, () => swaggerOf(kinds, this.#version));
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

  /** Of kinds that went, nothing is kept. */
  #forgetOthers(byPath: ReadonlyMap<string, unknown>): void {
    for (const key of this.#documents.keys()) {
      if (key !== '' && key !== 'v2' && !byPath.has(key)) this.#documents.delete(key);
    }
  }

  #cached(key: string, kinds: readonly ServedKind[], make: () => object): Document {
    const known = this.#documents.get(key);
    if (known && isSameList(known.kinds, kinds)) return known.document;
    const text = JSON.stringify(make());
    const document = { text, hash: createHash('sha512').update(text).digest('hex').toUpperCase() };
    this.#documents.set(key, { kinds, document });
    return document;
  }
}

function isSameList(one: readonly ServedKind[], other: readonly ServedKind[]): boolean {
  return one.length === other.length && one.every((kind, position) => kind === other[position]);
}
