/** The current objects of one resource, in the order of their keys. */
import { type KubeObject, type ObjectKey, refOfKey } from '#kube/object.ts';

export interface TableEntry {
  readonly object: KubeObject;
  readonly revision: number;
}

export class Table {
  readonly #entries = new Map<ObjectKey, TableEntry>();
  #sorted: ObjectKey[] | undefined = [];

  get size(): number {
    return this.#entries.size;
  }

  get(key: ObjectKey): TableEntry | undefined {
    return this.#entries.get(key);
  }

  set(key: ObjectKey, entry: TableEntry): void {
    if (!this.#entries.has(key)) this.#sorted = undefined;
    this.#entries.set(key, entry);
  }

  delete(key: ObjectKey): void {
    if (this.#entries.delete(key)) this.#sorted = undefined;
  }

  /** Objects in key order; only those of `namespace` when it is given. */
  list(namespace?: string): KubeObject[] {
    const objects: KubeObject[] = [];
    for (const key of this.#keys()) {
      if (namespace !== undefined && refOfKey(key).namespace !== namespace) continue;
      const entry = this.#entries.get(key);
      if (entry) objects.push(entry.object);
    }
    return objects;
  }

  #keys(): ObjectKey[] {
    this.#sorted ??= [...this.#entries.keys()].sort(compareKeys);
    return this.#sorted;
  }
}

/** By namespace, then by name, in bytes order as etcd sorts. */
export function compareKeys(left: ObjectKey, right: ObjectKey): number {
  const a = refOfKey(left);
  const b = refOfKey(right);
  return compareText(a.namespace ?? '', b.namespace ?? '') || compareText(a.name, b.name);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
