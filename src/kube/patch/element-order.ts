/** Keys and order of list elements in a strategic merge. */
import { getMember, isObject } from '#base/json.ts';
import { goType, goValue } from '#kube/go-text.ts';
import { plainError } from '#kube/status.ts';

export interface ElementOrder {
  /** The order that the patch asks for. */
  readonly order: readonly unknown[];
  /** The order that the list had before. */
  readonly formerOrder: readonly unknown[];
  /** The member that names an element; absent for lists of values, which name themselves. */
  readonly mergeKey?: string | undefined;
}

/** An element's name. Throws the 500 that Kubernetes has for elements without one. */
export function keyOf(element: unknown, mergeKey: string): unknown {
  if (!isObject(element)) {
    throw plainError(`expected a map[string]interface {}, but received a ${goType(element)}`);
  }
  const key = getMember(element, mergeKey);
  if (key !== undefined) return key;
  throw plainError(`map: ${goValue(element)} does not contain declared merge key: ${mergeKey}`);
}

export function sameElement(left: unknown, right: unknown, mergeKey: string | undefined): boolean {
  if (mergeKey === undefined) return left === right;
  return keyOf(left, mergeKey) === keyOf(right, mergeKey);
}

/**
 * Elements that the patch names come in its order, the others in the order that they had. Where the two meet, an
 * element that was in front of the other before stays in front; everything else that the patch names goes first.
 */
export function arrange(elements: readonly unknown[], { order, formerOrder, mergeKey }: ElementOrder): unknown[] {
  const nameOf = (element: unknown) => (mergeKey === undefined ? element : keyOf(element, mergeKey));
  const asked = positions(order, nameOf);
  const former = positions(formerOrder, nameOf);
  const named = elements.filter((element) => asked.has(nameOf(element)));
  const others = elements.filter((element) => !asked.has(nameOf(element)));
  const byPlace = (places: Map<unknown, number>) => (left: unknown, right: unknown) =>
    (places.get(nameOf(left)) ?? Infinity) - (places.get(nameOf(right)) ?? Infinity) || 0;
  return interleave(others.sort(byPlace(former)), named.sort(byPlace(asked)), (other, next) => {
    const [left, right] = [former.get(nameOf(other)), former.get(nameOf(next))];
    return left !== undefined && right !== undefined && left < right;
  });
}

/** Each name's first place. */
function positions(elements: readonly unknown[], nameOf: (element: unknown) => unknown): Map<unknown, number> {
  const places = new Map<unknown, number>();
  for (const [place, element] of elements.entries()) {
    const name = nameOf(element);
    if (!places.has(name)) places.set(name, place);
  }
  return places;
}

function interleave(
  left: readonly unknown[],
  right: readonly unknown[],
  isLeftFirst: (left: unknown, right: unknown) => boolean,
): unknown[] {
  const all: unknown[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const takesLeft = j >= right.length || (i < left.length && isLeftFirst(left[i], right[j]));
    if (takesLeft) {
      all.push(left[i]);
      i += 1;
    } else {
      all.push(right[j]);
      j += 1;
    }
  }
  return all;
}
