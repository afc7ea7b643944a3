/**
 * Work that evaluations do beyond what their costs count: comparing what is deep inside values, copying lists, looking
 * through long texts, matching patterns. Kubernetes' costs leave it out, since its requests time out; here one thread
 * serves everybody, so it is bounded as well.
 */
import { CelCostExceeded } from '#kube/cel/errors.ts';

/** Of all expressions that one object is judged by, in letters looked at: two seconds in the worst case that we know. */
const MAX_WORK = 64_000_000;

export interface Work {
  left: number;
}

export function newWork(): Work {
  return { left: MAX_WORK };
}

export function spend(work: Work, units: number): void {
  work.left -= units;
  if (work.left < 0) throw new CelCostExceeded('operation cancelled: actual cost limit exceeded');
}
