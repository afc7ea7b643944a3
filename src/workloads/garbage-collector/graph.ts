/**
 * Who owns whom: every object of every kind that the collector follows, with its owners, looked up by UID. Pure state;
 * the collector feeds it and asks it what to do.
 */
import type { Kind } from '#kube/kind.ts';
import { type KubeObject, type OwnerReference, type Stored } from '#kube/object.ts';

export type Uid = string;

export interface GraphNode {
  readonly kind: Kind;
  readonly object: Stored<KubeObject>;
}

export class OwnerGraph {
  readonly #nodes = new Map<Uid, GraphNode>();
  readonly #dependents = new Map<Uid, Set<Uid>>();

  get(uid: Uid): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  put(node: GraphNode): void {
    const { uid } = node.object.metadata;
    this.#unlink(uid);
    this.#nodes.set(uid, node);
    for (const owner of ownersOf(node.object)) {
      const dependents = this.#dependents.get(owner.uid) ?? new Set();
      this.#dependents.set(owner.uid, dependents.add(uid));
    }
  }

  remove(uid: Uid): void {
    this.#unlink(uid);
    this.#nodes.delete(uid);
  }

  dependentsOf(uid: Uid): GraphNode[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? []);
  }

  uids(): Iterable<Uid> {
    return this.#nodes.keys();
  }

  #unlink(uid: Uid): void {
    const known = this.#nodes.get(uid);
    if (!known) return;
    for (const owner of ownersOf(known.object)) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
  }
}

export function ownersOf(object: KubeObject): readonly OwnerReference[] {
  return object.metadata.ownerReferences ?? [];
}
