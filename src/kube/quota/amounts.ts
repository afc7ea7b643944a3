/** Amounts of several resources: sums, comparisons, and how they are told. Pure. */
import { ParseError } from '#kube/parse-error.ts';
import { formatQuantity, parseQuantity, type Quantity, quantityOf } from '#kube/quantity.ts';

export type Amounts = ReadonlyMap<string, Quantity>;

const ZERO = quantityOf(0);

export function readAmounts(texts: Readonly<Record<string, string>> | undefined): Map<string, Quantity> {
  return new Map(Object.entries(texts ?? {}).map(([name, text]) => [name, readQuantity(text)]));
}

function readQuantity(text: string): Quantity {
  const quantity = parseQuantity(text);
  return quantity instanceof ParseError ? ZERO : quantity;
}

export function amountOf(amounts: Amounts, name: string): Quantity {
  return amounts.get(name) ?? ZERO;
}

export function add(left: Amounts, right: Amounts): Map<string, Quantity> {
  return combine(left, right, (a, b) => a + b);
}

export function subtract(left: Amounts, right: Amounts): Map<string, Quantity> {
  return combine(left, right, (a, b) => a - b);
}

/** The larger of both, resource by resource. */
export function largest(left: Amounts, right: Amounts): Map<string, Quantity> {
  return combine(left, right, (a, b) => (a > b ? a : b));
}

function combine(left: Amounts, right: Amounts, how: (a: bigint, b: bigint) => bigint): Map<string, Quantity> {
  const names = new Set([...left.keys(), ...right.keys()]);
  return new Map([...names].map((name) => [name, joined(amountOf(left, name), amountOf(right, name), how)]));
}

/** Printed like the first that is not zero. */
function joined(a: Quantity, b: Quantity, how: (a: bigint, b: bigint) => bigint): Quantity {
  return { nanos: how(a.nanos, b.nanos), format: a.nanos === 0n ? b.format : a.format };
}

/** `cpu=1,pods=2`, in the order of names. */
export function formatAmounts(amounts: Amounts, names: readonly string[]): string {
  const texts = [...names].sort().map((name) => `${name}=${formatQuantity(amountOf(amounts, name))}`);
  return texts.join(',');
}
