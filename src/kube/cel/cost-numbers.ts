/** Ranges of sizes and costs. Where Kubernetes' 64 bits would overflow, they stay at the largest number. */

export interface Estimate {
  readonly min: number;
  readonly max: number;
}

const MOST = 2 ** 64;

/** Of looking at one letter. */
export const LETTER_COST = 0.1;
/** Of one letter of a pattern. */
export const PATTERN_LETTER_COST = 0.25;

export const UNKNOWN: Estimate = { min: 0, max: MOST };

const capped = (value: number) => Math.min(value, MOST);

export function fixed(value: number): Estimate {
  return { min: value, max: value };
}

export function add(left: Estimate, right: Estimate): Estimate {
  return { min: capped(left.min + right.min), max: capped(left.max + right.max) };
}

export function multiply(left: Estimate, right: Estimate): Estimate {
  return { min: capped(left.min * right.min), max: capped(left.max * right.max) };
}

export function union(left: Estimate, right: Estimate): Estimate {
  return { min: Math.min(left.min, right.min), max: Math.max(left.max, right.max) };
}

/** So much for each of a size, rounded up. */
export function factor(size: Estimate, each: number): Estimate {
  return { min: capped(Math.ceil(size.min * each)), max: capped(Math.ceil(size.max * each)) };
}
