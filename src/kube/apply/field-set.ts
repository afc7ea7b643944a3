/**
 * A set of paths into an object: what a manager owns. It is a tree: each node has the steps that are in the set
 * themselves (`members`) and the steps that lead further (`children`); a step may be both. Sets are never changed
 * once they were handed out; every operation makes a new one. Nodes without anything below them are left out.
 */
import { isObject } from '#base/json.ts';
import { comparePathElements, type Path, type PathElement, readPathElement } from '#kube/apply/path-element.ts';

export interface FieldSet {
  readonly members: ReadonlySet<PathElement>;
  readonly children: ReadonlyMap<PathElement, FieldSet>;
}

interface Draft {
  members: Set<PathElement>;
  children: Map<PathElement, FieldSet>;
}

/** FieldsV1: nested objects, in which `.` says that the step itself is in the set as well. */
export type FieldsV1 = { [element: string]: FieldsV1 };

export const EMPTY_SET: FieldSet = { members: new Set(), children: new Map() };

export function isEmptySet(set: FieldSet): boolean {
  return set.members.size === 0 && set.children.size === 0;
}

export function setOf(...paths: Path[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path);
  return builder.set;
}

/** Collects paths one by one. */
export class FieldSetBuilder {
  readonly #root: Draft = { members: new Set(), children: new Map() };

  get set(): FieldSet {
    return this.#root;
  }

  /** The empty path, which stands for the whole object, is never in a set. */
  insert(path: Path): void {
    let node = this.#root;
    for (const element of path.slice(0, -1)) {
      const next = (node.children.get(element) as Draft | undefined) ?? { members: new Set(), children: new Map() };
      node.children.set(element, next);
      node = next;
    }
    const last = path.at(-1);
    if (last !== undefined) node.members.add(last);
  }
}

export function hasPath(set: FieldSet, path: Path): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path.slice(0, -1)) node = node?.children.get(element);
  const last = path.at(-1);
  return last !== undefined && node !== undefined && node.members.has(last);
}

/** What the set holds below a step. */
export function below(set: FieldSet, element: PathElement): FieldSet {
  return set.children.get(element) ?? EMPTY_SET;
}

export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptySet(right)) return left;
  if (isEmptySet(left)) return right;
  const children = new Map(left.children);
  for (const [element, node] of right.children) {
    const mine = children.get(element);
    children.set(element, mine === undefined ? node : union(mine, node));
  }
  return { members: left.members.union(right.members), children };
}

export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptySet(left) || isEmptySet(right)) return EMPTY_SET;
  const children = new Map<PathElement, FieldSet>();
  for (const [element, node] of left.children) {
    const other = right.children.get(element);
    if (other !== undefined) keep(children, element, intersection(node, other));
  }
  return { members: left.members.intersection(right.members), children };
}

/** The paths of `left` that are not in `right`; `left` itself when that is all of them. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  return subtract(left, right, { takesSubtrees: false });
}

/** The paths of `left` that are neither in `right` nor anywhere below a path in it; `left` itself when that is all. */
export function withoutSubtrees(left: FieldSet, right: FieldSet): FieldSet {
  return subtract(left, right, { takesSubtrees: true });
}

function subtract(left: FieldSet, right: FieldSet, how: { readonly takesSubtrees: boolean }): FieldSet {
  if (isEmptySet(right)) return left;
  const children = new Map<PathElement, FieldSet>();
  let isSame = true;
  for (const [element, node] of left.children) {
    const other = right.children.get(element);
    const isTaken = how.takesSubtrees && right.members.has(element);
    const rest = isTaken ? EMPTY_SET : other === undefined ? node : subtract(node, other, how);
    isSame &&= rest === node;
    keep(children, element, rest);
  }
  if (isSame && left.members.isDisjointFrom(right.members)) return left;
  return { members: left.members.difference(right.members), children };
}

function keep(children: Map<PathElement, FieldSet>, element: PathElement, node: FieldSet): void {
  if (!isEmptySet(node)) children.set(element, node);
}

export function sameSets(left: FieldSet, right: FieldSet): boolean {
  if (left.members.size !== right.members.size || left.children.size !== right.children.size) return false;
  if (!left.members.isSubsetOf(right.members)) return false;
  return [...left.children].every(([element, node]) => {
    const other = right.children.get(element);
    return other !== undefined && sameSets(node, other);
  });
}

/** Every path, in the order in which Kubernetes lists conflicts: at each level first what is a member. */
export function* pathsOf(set: FieldSet, prefix: Path = []): Generator<Path> {
  for (const element of [...set.members].sort(comparePathElements)) yield [...prefix, element];
  const children = [...set.children].sort(([left], [right]) => comparePathElements(left, right));
  for (const [element, node] of children) yield* pathsOf(node, [...prefix, element]);
}

export function toFieldsV1(set: FieldSet): FieldsV1 {
  const elements = [...new Set([...set.members, ...set.children.keys()])].sort(comparePathElements);
  return Object.fromEntries(
    elements.map((element) => {
      const node = set.children.get(element);
      if (node === undefined) return [element, {}];
      return [element, { ...(set.members.has(element) ? { '.': {} } : {}), ...toFieldsV1(node) }];
    }),
  );
}

/** Reads FieldsV1; sorts of steps that we do not know are skipped. Throws a SyntaxError for what cannot be read. */
export function fromFieldsV1(fields: unknown): FieldSet {
  if (!isObject(fields)) throw new SyntaxError('not an object');
  const members = new Set<PathElement>();
  const children = new Map<PathElement, FieldSet>();
  for (const [text, content] of Object.entries(fields)) {
    if (text === '.') continue;
    const element = readPathElement(text);
    if (element === undefined) continue;
    const node = fromFieldsV1(content);
    keep(children, element, node);
    if (isEmptySet(node) || Object.hasOwn(content as object, '.')) members.add(element);
  }
  return { members, children };
}
