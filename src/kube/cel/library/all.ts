/**
 * Every function that Kubernetes 1.33 lets new expressions use, but those that ask whether someone may do something. (It
 * knows semantic versions too, but refuses them in new expressions until 1.34.)
 */
import { byName, type Overload, overload } from '#kube/cel/declarations.ts';
import { CelFailure } from '#kube/cel/errors.ts';
import { ADDRESSES } from '#kube/cel/library/addresses.ts';
import { COLLECTIONS } from '#kube/cel/library/collections.ts';
import { CONVERSIONS } from '#kube/cel/library/conversions.ts';
import { NUMBERS } from '#kube/cel/library/numbers.ts';
import { QUANTITIES } from '#kube/cel/library/quantities.ts';
import { TEXTS } from '#kube/cel/library/texts.ts';
import { TIMESTAMPS } from '#kube/cel/library/timestamps.ts';

/** The interpreter does these itself, since they do not always look at all their parts. */
function lazy(id: string, signature: string): Overload {
  return overload(id, signature, () => {
    throw new CelFailure('no such overload');
  });
}

const LOGIC: readonly Overload[] = [
  lazy('conditional', '_?_:_(bool, A, A): A'),
  lazy('logical_and', '_&&_(bool, bool): bool'),
  lazy('logical_or', '_||_(bool, bool): bool'),
  lazy('not_strictly_false', '@not_strictly_false(bool): bool'),
  overload('logical_not', '!_(bool): bool', ([value]) => value !== true),
];

export const FUNCTIONS = byName([
  ...LOGIC,
  ...NUMBERS,
  ...CONVERSIONS,
  ...TIMESTAMPS,
  ...TEXTS,
  ...COLLECTIONS,
  ...ADDRESSES,
  ...QUANTITIES,
]);
