/** A number, or a text such as a port's name or a percentage. */

export type IntOrString = number | string;

export function isPercent(value: IntOrString): value is string {
  return typeof value === 'string' && /^[0-9]+%$/.test(value);
}

/**
 * A count, given as a number or as a percentage of `total` (rounded up or down). Undefined when it is neither.
 */
export function scaledValue(value: IntOrString, total: number, rounding: 'up' | 'down'): number | undefined {
  if (typeof value === 'number') return value;
  if (!isPercent(value)) return undefined;
  const share = (Number(value.slice(0, -1)) * total) / 100;
  return rounding === 'up' ? Math.ceil(share) : Math.floor(share);
}
