/**
 * Every kind whose objects own, are owned, and go with their namespace: those that the program has, and those that
 * CustomResourceDefinitions define, as they come and go. Of a kind with several versions there is one here: the one
 * that its objects are stored in.
 */
import type { Cache } from '#client/cache.ts';
import { type Subscription, subscriptionOf } from '#client/transport.ts';
import { definedKind, isTrueOf, storageVersionOf } from '#kube/defined-kind.ts';
import type { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { apiVersionOf, type Kind, resourceOf } from '#kube/kind.ts';

export interface KindFollower {
  onKind(kind: Kind): void;
  /** It is no longer served; its objects are gone, or reached in another version. */
  onKindGone(kind: Kind): void;
}

export class FollowedKinds {
  readonly #fixed: readonly Kind[];
  /** By the name of the definition. */
  readonly #defined = new Map<string, Kind>();
  readonly #followers = new Set<KindFollower>();

  /** @param definitions absent where nobody can define kinds. */
  constructor(fixed: readonly Kind[], definitions: Cache<CustomResourceDefinition> | undefined) {
    this.#fixed = fixed;
    definitions?.subscribe(({ type, object }) => {
      const { name } = object.metadata;
      this.#put(name, type === 'deleted' ? undefined : this.#kindOf(object));
    });
  }

  list(): Kind[] {
    return [...this.#fixed, ...this.#defined.values()];
  }

  /** Tells of every kind that there is, then of every change. */
  subscribe(follower: KindFollower): Subscription {
    for (const kind of this.list()) follower.onKind(kind);
    this.#followers.add(follower);
    return subscriptionOf(() => void this.#followers.delete(follower));
  }

  #put(name: string, kind: Kind | undefined): void {
    const before = this.#defined.get(name);
    if (before && kind && isSame(before, kind)) return;
    if (kind) this.#defined.set(name, kind);
    else this.#defined.delete(name);
    if (kind) for (const follower of this.#followers) follower.onKind(kind);
    if (before) for (const follower of this.#followers) follower.onKindGone(before);
  }

  #kindOf(definition: CustomResourceDefinition): Kind | undefined {
    const storage = storageVersionOf(definition);
    if (!storage || !isTrueOf(definition, 'Established')) return undefined;
    const kind = definedKind(definition, storage);
    const isFixed = this.#fixed.some((one) => resourceOf(one) === resourceOf(kind));
    return isFixed ? undefined : kind;
  }
}

function isSame(one: Kind, other: Kind): boolean {
  return apiVersionOf(one) === apiVersionOf(other) && one.plural === other.plural && one.kind === other.kind;
}
