/** Lists that are sets or maps of their keys: what `+` makes of them. */
import { ArrayList, type CelList, elementsOf, type Value } from '#kube/cel/values.ts';
import { spend, type Work } from '#kube/cel/work.ts';

/** Work of copying an element, and of finding its like. */
const [ELEMENT, MERGED_ELEMENT] = [4, 32];

/**
 * Both lists, one after the other. Where the left one merges, an element of the right one takes the place of the one
 * that is the same, and the others are appended.
 */
export function concatLists(left: CelList, right: CelList, work: Work): CelList {
  const { merging } = left;
  if (merging === undefined) {
    const isOwn = left instanceof ArrayList;
    spend(work, ELEMENT * (right.size + (isOwn && left.isLongest ? 0 : left.size)));
    const own = isOwn ? left : new ArrayList([...elementsOf(left)]);
    return own.concat(right);
  }
  spend(work, MERGED_ELEMENT * (left.size + right.size));
  const merged: Value[] = [...elementsOf(left)];
  const places = new Map<string, number>();
  for (const [position, element] of merged.entries()) {
    const identity = merging.identityOf(element);
    if (identity !== undefined) places.set(identity, position);
  }
  for (const element of elementsOf(right)) {
    const identity = merging.identityOf(element);
    const place = identity === undefined ? undefined : places.get(identity);
    merged[place ?? merged.length] = element;
    if (identity !== undefined && place === undefined) places.set(identity, merged.length - 1);
  }
  return new MergedList(merged, left);
}

class MergedList extends ArrayList {
  readonly merging: CelList['merging'];

  constructor(elements: Value[], origin: CelList) {
    super(elements);
    this.merging = origin.merging;
  }
}
