/** Which fields differ between two versions of an object. */
import { deepEqual } from '#base/json.ts';
import { type FieldSet, FieldSetBuilder } from '#kube/apply/field-set.ts';
import type { Path } from '#kube/apply/path-element.ts';
import {
  asList,
  asMap,
  childOf,
  elementsByName,
  elementSchema,
  isAtomic,
  memberElement,
  memberNames,
  memberSchema,
  type Sort,
  sortOf,
  UNTYPED,
} from '#kube/apply/typed-value.ts';
import type { Schema } from '#kube/schema.ts';

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

export function compareValues(schema: Schema, before: unknown, after: unknown): Comparison {
  const run = new Run();
  run.compare(schema, { before, after, path: [] });
  return { added: run.added.set, modified: run.modified.set, removed: run.removed.set };
}

interface Pair {
  /** Undefined where there is none. */
  readonly before: unknown;
  readonly after: unknown;
  readonly path: Path;
}

class Run {
  readonly added = new FieldSetBuilder();
  readonly modified = new FieldSetBuilder();
  readonly removed = new FieldSetBuilder();

  compare(schema: Schema, pair: Pair): void {
    const { before, after, path } = pair;
    // Equal lists are not looked into, whatever their elements are; equal maps come out empty by themselves.
    if (before === after || (Array.isArray(after) && deepEqual(before, after))) return;
    const sort = sortOf(schema, after === undefined ? before : after);
    const former = sortOf(schema, before === undefined ? after : before);
    if (former !== sort) this.#compareAs(former, schema, pair);
    const isLeaf = this.#compareAs(sort, schema, pair);
    if (isLeaf) return;
    if (before === undefined) this.added.insert(path);
    else if (after === undefined) this.removed.insert(path);
  }

  /** True when the pair was one piece, and is dealt with. */
  #compareAs(sort: Sort, schema: Schema, pair: Pair): boolean {
    if (sort === 'scalar' || isAtomic(schema, sort) || isBare(sort, pair)) {
      this.#compareLeaf(pair);
      return true;
    }
    if (sort === 'list') this.#compareElements(schema, pair);
    else this.#compareMembers(schema, pair);
    return false;
  }

  #compareLeaf({ before, after, path }: Pair): void {
    if (before === undefined) this.added.insert(path);
    else if (after === undefined) this.removed.insert(path);
    else if (!deepEqual(before, after)) this.modified.insert(path);
  }

  #compareMembers(schema: Schema, { before, after, path }: Pair): void {
    for (const name of memberNames(before, after)) {
      this.compare(memberSchema(schema, name) ?? UNTYPED, {
        before: childOf(before, name),
        after: childOf(after, name),
        path: [...path, memberElement(name)],
      });
    }
  }

  #compareElements(schema: Schema, { before, after, path }: Pair): void {
    const [former, current] = [elementsByName(schema, before), elementsByName(schema, after)];
    for (const name of new Set([...former.keys(), ...current.keys()])) {
      const [old, now] = [former.get(name) ?? [], current.get(name) ?? []];
      this.#compareSame(elementSchema(schema), [old, now], [...path, name]);
    }
  }

  /** Elements of one name; a name that occurs twice has no fields of its own, only itself. */
  #compareSame(schema: Schema, [old, now]: [unknown[], unknown[]], path: Path): void {
    if (old.length <= 1 && now.length <= 1) {
      this.compare(schema, { before: old[0], after: now[0], path });
    } else if (old.length > 1 && now.length > 1) {
      if (!deepEqual(old, now)) this.modified.insert(path);
    } else if (old.length > 1) {
      if (now.length > 0) this.compare(schema, { before: undefined, after: now[0], path });
      this.removed.insert(path);
    } else {
      if (old.length > 0) this.compare(schema, { before: old[0], after: undefined, path });
      this.added.insert(path);
    }
  }
}

/** Nothing inside, before or after: then the thing itself is what counts. */
function isBare(sort: Sort, { before, after }: Pair): boolean {
  if (sort === 'list') return asList(before).length === 0 && asList(after).length === 0;
  return Object.keys(asMap(before)).length === 0 && Object.keys(asMap(after)).length === 0;
}
