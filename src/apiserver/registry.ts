/**
 * Which kinds are served, in which versions, under which strategy. Kinds may come and go while the server runs
 * (custom resources); whoever caches something derived from the registry compares `generation`.
 *
 * A kind may be a view of another: the same objects in another version or group, converted on the way in and out. And
 * it may have no objects at all: see `virtual-kind.ts`.
 */
import { apiVersionOf, type Kind, resourceOf } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import { noSuchResource } from '#kube/status.ts';
import type { Strategy } from '#apiserver/strategy.ts';
import type { VirtualKind } from '#apiserver/virtual-kind.ts';

/** To and from the version in which objects are stored; neither changes its argument. */
export interface Conversion {
  toStored(object: KubeObject): KubeObject;
  fromStored(object: KubeObject): KubeObject;
}

export interface ServedKind {
  readonly kind: Kind;
  /** The kind in which objects are stored: `kind` itself, unless this is a view. */
  readonly storedAs: Kind;
  /** Where the store keeps the objects. */
  readonly resource: string;
  readonly strategy: Strategy;
  readonly conversion: Conversion | undefined;
  /** Of a kind without storage: who answers. */
  readonly virtual?: VirtualKind;
  /** Kinds without storage that are served below each object, by the name of the subresource. */
  readonly parts?: Readonly<Record<string, ServedKind>>;
  /** Aborts when the kind is no longer served, or no longer as it is here; absent for kinds that never go. */
  readonly ended?: AbortSignal | undefined;
}

/** `hidden` kinds have objects, but no URL: only our own controllers reach them. */
export type Visibility = 'served' | 'hidden';

export interface KindView extends Conversion {
  readonly kind: Kind;
  readonly storedAs: Kind;
}

export class Registry {
  readonly #served = new Map<string, ServedKind>();
  readonly #hidden = new Map<string, ServedKind>();
  #generation = 0;

  /** Grows with every change. */
  get generation(): number {
    return this.#generation;
  }

  add(kind: Kind, strategy: Strategy = {}): void {
    this.put({ kind, storedAs: kind, resource: resourceOf(kind), strategy, conversion: undefined });
  }

  /** Serves the objects of `view.storedAs`, which must be there, in another version or group as well. */
  addView(view: KindView): void {
    const { strategy, resource } = this.of(view.storedAs);
    this.put({ kind: view.kind, storedAs: view.storedAs, resource, strategy, conversion: view });
  }

  /** Serves a kind without storage, below the objects of another kind if it says so, which must be there. */
  addVirtual(virtual: VirtualKind): void {
    const { kind, under } = virtual;
    const served = { kind, storedAs: kind, resource: resourceOf(kind), strategy: {}, conversion: undefined, virtual };
    if (!under) return this.put(served);
    const parent = this.of(under.kind);
    this.put({ ...parent, parts: { ...parent.parts, [under.subresource]: served } });
  }

  /** Takes the place of a kind of the same names. */
  put(served: ServedKind, visibility: Visibility = 'served'): void {
    const key = keyOfKind(served.kind);
    const isServed = visibility === 'served';
    (isServed ? this.#hidden : this.#served).delete(key);
    (isServed ? this.#served : this.#hidden).set(key, served);
    this.#generation += 1;
  }

  remove(kind: KindKey): void {
    const key = keyOfKind(kind);
    this.#hidden.delete(key);
    if (this.#served.delete(key)) this.#generation += 1;
  }

  /** The served kind behind a token; 404 when it is not served. */
  of(kind: Kind): ServedKind {
    const key = keyOfKind(kind);
    const served = this.#served.get(key) ?? this.#hidden.get(key);
    if (!served) throw noSuchResource();
    return served;
  }

  /** By the names in a URL. */
  find(group: string, version: string, plural: string): ServedKind | undefined {
    return this.#served.get(`${group}/${version}/${plural}`);
  }

  hasBuiltinGroup(group: string): boolean {
    return this.list().some(({ kind }) => kind.group === group && !kind.isCustom);
  }

  findKind(apiVersion: string, kind: string): ServedKind | undefined {
    return this.list().find((served) => served.kind.kind === kind && apiVersionOf(served.kind) === apiVersion);
  }

  list(): ServedKind[] {
    return [...this.#served.values()];
  }
}

type KindKey = Pick<Kind, 'group' | 'version' | 'plural'>;

function keyOfKind({ group, version, plural }: KindKey): string {
  return `${group}/${version}/${plural}`;
}

/** The kind that a request for a subresource is about: the kind itself, unless the part is a kind of its own. */
export function partOf(served: ServedKind, subresource: string | undefined): ServedKind {
  return (subresource === undefined ? undefined : served.parts?.[subresource]) ?? served;
}

/** The object in the version that was asked for. */
export function present(served: ServedKind, stored: KubeObject): KubeObject {
  return served.conversion ? served.conversion.fromStored(stored) : stored;
}
