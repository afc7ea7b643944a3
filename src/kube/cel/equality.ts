/** When two values are equal, and which comes first. Numbers of different types compare by what they are worth. */
import { CelFailure } from '#kube/cel/errors.ts';
import { jsonValue } from '#kube/cel/json-values.ts';
import {
  CelDuration,
  type CelList,
  type CelMap,
  CelTimestamp,
  elementsOf,
  isList,
  isMap,
  OpaqueValue,
  Optional,
  TypeValue,
  Uint,
  type Value,
} from '#kube/cel/values.ts';
import { spend, type Work } from '#kube/cel/work.ts';

type Numeric = bigint | number | Uint;

function isNumeric(value: Value): value is Numeric {
  return typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint;
}

/** Of one comparison, however small. */
const COMPARISON = 8;

export function equals(left: Value, right: Value, work: Work): boolean {
  spend(work, COMPARISON);
  if (isNumeric(left)) return isNumeric(right) && compareNumbers(left, right) === 0;
  if (left === null || typeof left !== 'object') return left === right;
  if (right === null || typeof right !== 'object') return false;
  if (left instanceof Uint8Array) return right instanceof Uint8Array && Buffer.compare(left, right) === 0;
  if (isList(left)) return isList(right) && equalLists(left, right, work);
  if (isMap(left)) return isMap(right) && equalMaps(left, right, work);
  return equalObjects(left, right, work);
}

function equalObjects(left: Value, right: Value, work: Work): boolean {
  if (left instanceof CelDuration) return right instanceof CelDuration && left.nanos === right.nanos;
  if (left instanceof CelTimestamp) return right instanceof CelTimestamp && left.nanos === right.nanos;
  if (left instanceof TypeValue) return right instanceof TypeValue && left.name === right.name;
  if (left instanceof OpaqueValue) {
    return right instanceof OpaqueValue && left.typeName === right.typeName && left.equals(right);
  }
  if (!(left instanceof Optional) || !(right instanceof Optional)) return false;
  if (left.value === undefined || right.value === undefined) return left.value === right.value;
  return equals(left.value, right.value, work);
}

function equalLists(left: CelList, right: CelList, work: Work): boolean {
  if (left.size !== right.size) return false;
  const merging = left.merging ?? right.merging;
  if (merging === undefined) return every(left, (element, position) => equals(element, right.at(position), work));
  spend(work, COMPARISON * right.size);
  const byIdentity = new Map<string | undefined, Value>();
  for (const element of elementsOf(right)) byIdentity.set(merging.identityOf(element), element);
  return every(left, (element) => {
    const other = byIdentity.get(merging.identityOf(element));
    return other !== undefined && equals(element, other, work);
  });
}

function every(list: CelList, holds: (element: Value, position: number) => boolean): boolean {
  for (let position = 0; position < list.size; position += 1) if (!holds(list.at(position), position)) return false;
  return true;
}

function equalMaps(left: CelMap, right: CelMap, work: Work): boolean {
  if (left.size !== right.size) return false;
  const isSame = left.keys().every((key) => {
    const other = right.get(key);
    return other !== undefined && equals(left.get(key) ?? null, other, work);
  });
  if (!isSame || (left.unseen === undefined && right.unseen === undefined)) return isSame;
  return equals(jsonValue(left.unseen ?? {}), jsonValue(right.unseen ?? {}), work);
}

/** Negative when `left` comes first; NaN when one of them is NaN. */
function compareNumbers(left: Numeric, right: Numeric): number {
  const [a, b] = [left, right].map((value) => (value instanceof Uint ? value.value : value)) as [
    bigint | number,
    bigint | number,
  ];
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  // JavaScript compares bigints with numbers exactly.
  return a < b ? -1 : Number(a > b);
}

export function compare(left: Value, right: Value): number {
  if (isNumeric(left) && isNumeric(right)) return compareNumbers(left, right);
  if (typeof left === 'string' && typeof right === 'string')
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  const isOrdered =
    (left instanceof CelDuration && right instanceof CelDuration) ||
    (left instanceof CelTimestamp && right instanceof CelTimestamp);
  if (!isOrdered) throw new CelFailure('no such overload');
  return left.nanos < right.nanos ? -1 : Number(left.nanos > right.nanos);
}
