/** Merges what a manager applies into the live object: its values win, everything else stays. */
import { setMember } from '#base/json.ts';
import type { PathElement } from '#kube/apply/path-element.ts';
import {
  asList,
  asMap,
  childOf,
  elementName,
  elementSchema,
  isAtomic,
  memberNames,
  memberSchema,
  type Sort,
  sortOf,
  UNTYPED,
} from '#kube/apply/typed-value.ts';
import type { Schema } from '#kube/schema.ts';

/** Undefined when nothing is left; the arguments are not changed, but parts of them may be in the answer. */
export function mergeValues(schema: Schema, live: unknown, applied: unknown): unknown {
  const sort = sortOf(schema, applied === undefined ? live : applied);
  const isOnePiece = sort === 'scalar' || isAtomic(schema, sort) || (isBare(sort, live) && isBare(sort, applied));
  if (isOnePiece) return applied === undefined ? live : applied;
  return sort === 'list' ? mergeLists(schema, live, applied) : mergeMaps(schema, live, applied);
}

function isBare(sort: Sort, value: unknown): boolean {
  return sort === 'list' ? asList(value).length === 0 : Object.keys(asMap(value)).length === 0;
}

function mergeMaps(schema: Schema, live: unknown, applied: unknown): unknown {
  const merged: Record<string, unknown> = {};
  for (const name of memberNames(live, applied)) {
    const member = mergeValues(memberSchema(schema, name) ?? UNTYPED, childOf(live, name), childOf(applied, name));
    if (member !== undefined) setMember(merged, name, member);
  }
  return Object.keys(merged).length === 0 ? undefined : merged;
}

interface Named {
  readonly name: PathElement;
  readonly element: unknown;
}

/**
 * Applied elements come in their own order. Live elements that are not applied keep their place relative to the
 * neighbours that they share with the applied list.
 */
function mergeLists(schema: Schema, live: unknown, applied: unknown): unknown {
  const [left, right] = [named(schema, live), named(schema, applied)];
  const mergedWith = mergerOf(schema, left, right);
  const walk = new ListWalk(left.map(nameOf), right.map(nameOf));
  const merged: unknown[] = [];
  for (const { side, index } of walk.steps()) {
    const entry = side === 'live' ? left[index] : right[index];
    if (entry === undefined) continue;
    merged.push(side === 'live' ? mergedWith(entry.name, entry.element) : mergedWith(entry.name));
  }
  return merged.length === 0 ? undefined : merged;
}

interface Step {
  readonly side: 'live' | 'applied';
  readonly index: number;
}

/** Walks both lists at once and says which element comes next. */
class ListWalk {
  readonly #live: readonly PathElement[];
  readonly #applied: readonly PathElement[];
  readonly #appliedNames: ReadonlySet<PathElement>;
  /** Names in both lists, in applied order, whose turn is still to come. */
  readonly #shared: PathElement[];

  constructor(live: readonly PathElement[], applied: readonly PathElement[]) {
    this.#live = live;
    this.#applied = applied;
    this.#appliedNames = new Set(applied);
    const liveNames = new Set(live);
    this.#shared = applied.filter((name) => liveNames.has(name));
  }

  *steps(): Generator<Step> {
    const done = new Set<PathElement>();
    let [i, j] = [0, 0];
    while (i < this.#live.length || j < this.#applied.length) {
      const [ours, theirs] = [this.#live[i], this.#applied[j]];
      if (ours !== undefined && theirs !== undefined && ours !== theirs && this.#isOutOfTurn(ours)) {
        i += 1;
        continue;
      }
      if (ours !== undefined && ours !== theirs && !this.#appliedNames.has(ours)) {
        yield { side: 'live', index: i };
        i += 1;
        continue;
      }
      if (ours !== undefined && (ours === theirs || done.has(ours))) i += 1;
      if (theirs === undefined) continue;
      yield { side: 'applied', index: j };
      done.add(theirs);
      j += 1;
      if (ours === theirs || this.#shared[0] === theirs) this.#shared.shift();
    }
  }

  /** A live element that is applied too, but not next: its turn comes in the applied order. */
  #isOutOfTurn(name: PathElement): boolean {
    const [next] = this.#shared;
    return this.#appliedNames.has(name) && next !== undefined && next !== name;
  }
}

function named(schema: Schema, list: unknown): Named[] {
  return asList(list).map((element) => ({ name: elementName(schema, element), element }));
}

function nameOf({ name }: Named): PathElement {
  return name;
}

/** Merges the elements of a name; live elements that occur twice are replaced, as none of them is the one. */
function mergerOf(schema: Schema, left: readonly Named[], right: readonly Named[]) {
  const live = new Map<PathElement, unknown>();
  for (const { name, element } of left) live.set(name, live.has(name) ? null : element);
  const applied = new Map(right.map(({ name, element }) => [name, element]));
  return (name: PathElement, liveElement: unknown = live.get(name)): unknown =>
    mergeValues(elementSchema(schema), liveElement, applied.get(name));
}
