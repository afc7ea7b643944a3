/** Functions of lists, sets, maps and optionals. */
import { type Overload, overload } from '#kube/cel/declarations.ts';
import { compare, equals } from '#kube/cel/equality.ts';
import { CelFailure } from '#kube/cel/errors.ts';
import { duration, int, uint } from '#kube/cel/library/numbers.ts';
import {
  ArrayList,
  CelDuration,
  type CelList,
  type CelMap,
  elementsOf,
  EntryMap,
  isList,
  isMap,
  keyText,
  Optional,
  Uint,
  type Value,
} from '#kube/cel/values.ts';
import type { Work } from '#kube/cel/work.ts';

function contains(list: CelList, wanted: Value, work: Work): boolean {
  for (const element of elementsOf(list)) if (equals(element, wanted, work)) return true;
  return false;
}

/** Names a key as errors do. */
function keyName(key: Value): string {
  return typeof key === 'object' ? keyText(key).slice(1) : String(key);
}

/** The element at a position, or the value under a key; undefined when there is none. */
function find(container: CelList | CelMap, key: Value): Value | undefined {
  if (isMap(container)) return container.get(key);
  const position = wholePosition(key);
  return position !== undefined && position >= 0 && position < container.size ? container.at(position) : undefined;
}

function wholePosition(key: Value): number | undefined {
  if (typeof key === 'bigint') return Number(key);
  if (key instanceof Uint) return Number(key.value);
  return typeof key === 'number' && Number.isInteger(key) ? key : undefined;
}

function index(container: Value, key: Value): Value {
  if (container instanceof Optional) return indexOptional(container, key);
  if (!isList(container) && !isMap(container)) throw new CelFailure('no such overload');
  const found = find(container, key);
  if (found !== undefined) return found;
  if (isMap(container)) throw new CelFailure(`no such key: ${keyName(key)}`);
  const isPosition = wholePosition(key) !== undefined;
  throw new CelFailure(
    isPosition ? `index out of bounds: ${keyName(key)}` : `unsupported index type '${typeof key}' in list`,
  );
}

/** What an optional holds at a key, as an optional. */
export function indexOptional(container: Value, key: Value): Optional {
  const inner = container instanceof Optional ? container.value : container;
  if (inner === undefined) return NONE;
  if (!isList(inner) && !isMap(inner)) throw new CelFailure('no such overload');
  return new Optional(find(inner, key));
}

export const NONE = new Optional(undefined);

function isZero(value: Value): boolean {
  if (value === null || value === false || value === '') return true;
  if (typeof value === 'bigint' || typeof value === 'number') return Number(value) === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  return (isList(value) || isMap(value)) && value.size === 0;
}

function optionalIndex(id: string, params: string, result: string): Overload {
  return overload(id, `_[?_](${params}): optional(${result})`, ([container = null, key = null]) => {
    return indexOptional(container, key);
  });
}

/** The values of those that have one. */
function unwrap(list: CelList): CelList {
  const values = [...elementsOf(list)].map((element) => (element as Optional).value);
  return new ArrayList(values.filter((value) => value !== undefined));
}

const OPTIONALS: readonly Overload[] = [
  overload('optional_of', 'optional.of(A): optional(A)', ([value = null]) => new Optional(value)),
  overload('optional_ofNonZeroValue', 'optional.ofNonZeroValue(A): optional(A)', ([value = null]) => {
    return isZero(value) ? NONE : new Optional(value);
  }),
  overload('optional_none', 'optional.none(): optional(A)', () => NONE),
  overload('optional_value', '.value(optional(A)): A', ([optional]) => {
    const { value } = optional as Optional;
    if (value === undefined) throw new CelFailure('optional.none() dereference');
    return value;
  }),
  overload(
    'optional_hasValue',
    '.hasValue(optional(A)): bool',
    ([optional]) => (optional as Optional).value !== undefined,
  ),
  // `or` and `orValue` are evaluated lazily, where their second part may fail unseen.
  overload('optional_or_optional', '.or(optional(A), optional(A)): optional(A)', ([first = null, second = null]) => {
    return (first as Optional).value === undefined ? second : first;
  }),
  overload('optional_orValue_value', '.orValue(optional(A), A): A', ([optional, other = null]) => {
    return (optional as Optional).value ?? other;
  }),
  overload('list_first', '.first(list(A)): optional(A)', ([list = null]) => indexOptional(list, 0n)),
  overload('list_last', '.last(list(A)): optional(A)', ([list = null]) => {
    return indexOptional(list, BigInt((list as CelList).size) - 1n);
  }),
  overload('optional_unwrap', 'optional.unwrap(list(optional(A))): list(A)', ([list]) => unwrap(list as CelList)),
  overload('optional_unwrapOpt', '.unwrapOpt(list(optional(A))): list(A)', ([list]) => unwrap(list as CelList)),
  optionalIndex('list_optindex_optional_int', 'list(A), int', 'A'),
  optionalIndex('optional_list_optindex_optional_int', 'optional(list(A)), int', 'A'),
  optionalIndex('map_optindex_optional_value', 'map(A, B), A', 'B'),
  optionalIndex('optional_map_optindex_optional_value', 'optional(map(A, B)), A', 'B'),
];

const INDEXES: readonly Overload[] = [
  overload('index_list', '_[_](list(A), int): A', ([list = null, key = null]) => index(list, key)),
  overload('index_map', '_[_](map(A, B), A): B', ([map = null, key = null]) => index(map, key)),
  overload('optional_list_index_int', '_[_](optional(list(A)), int): optional(A)', ([list = null, key = null]) =>
    index(list, key),
  ),
  overload('optional_map_index_value', '_[_](optional(map(A, B)), A): optional(B)', ([map = null, key = null]) =>
    index(map, key),
  ),
  overload('in_list', '@in(A, list(A)): bool', ([wanted = null, list], work) => {
    return contains(list as CelList, wanted, work);
  }),
  overload('in_map', '@in(A, map(A, B)): bool', ([key = null, map]) => (map as CelMap).get(key) !== undefined),
];

function isWithin(part: CelList, whole: CelList, work: Work): boolean {
  return [...elementsOf(part)].every((element) => contains(whole, element, work));
}

const SETS: readonly Overload[] = [
  overload('list_sets_contains_list', 'sets.contains(list(A), list(A)): bool', ([whole, part], work) => {
    return isWithin(part as CelList, whole as CelList, work);
  }),
  overload('list_sets_equivalent_list', 'sets.equivalent(list(A), list(A)): bool', ([left, right], work) => {
    const [one, other] = [left as CelList, right as CelList];
    return isWithin(one, other, work) && isWithin(other, one, work);
  }),
  overload('list_sets_intersects_list', 'sets.intersects(list(A), list(A)): bool', ([left, right], work) => {
    return [...elementsOf(left as CelList)].some((element) => contains(right as CelList, element, work));
  }),
];

function insert(map: Value, key: Value, value: Value): Value {
  if (!(map instanceof EntryMap)) throw new CelFailure('no such overload');
  if (!map.insert(key, value)) throw new CelFailure(`insert failed: key ${keyName(key)} already exists`);
  return map;
}

const INSERTS: readonly Overload[] = [
  overload(
    '@mapInsert_map_key_value',
    'cel.@mapInsert(map(A, B), A, B): map(A, B)',
    ([map = null, key = null, value = null]) => {
      return insert(map, key, value);
    },
  ),
  overload('@mapInsert_map_map', 'cel.@mapInsert(map(A, B), map(A, B)): map(A, B)', ([map = null, other]) => {
    const added = other as CelMap;
    for (const key of added.keys()) insert(map, key, added.get(key) ?? null);
    return map;
  }),
];

const ORDERED = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'duration', 'timestamp'];

function extreme(name: 'min' | 'max', list: CelList): Value {
  let best: Value | undefined;
  for (const element of elementsOf(list)) {
    const isBetter = best === undefined || (name === 'min' ? compare(element, best) < 0 : compare(element, best) > 0);
    if (isBetter) best = element;
  }
  if (best === undefined) throw new CelFailure(`${name} called on empty list`);
  return best;
}

function isSorted(list: CelList): boolean {
  for (let position = 1; position < list.size; position += 1) {
    if (compare(list.at(position - 1), list.at(position)) > 0) return false;
  }
  return true;
}

const SUMS: Readonly<Record<string, (list: CelList) => Value>> = {
  int: (list) => [...elementsOf(list)].reduce((sum: bigint, value) => int(sum + (value as bigint)), 0n),
  uint: (list) =>
    [...elementsOf(list)].reduce((sum: Uint, value) => uint(sum.value + (value as Uint).value), new Uint(0n)),
  double: (list) => [...elementsOf(list)].reduce((sum: number, value) => sum + (value as number), 0),
  duration: (list) => {
    return [...elementsOf(list)].reduce(
      (sum: CelDuration, value) => duration(sum.nanos + (value as CelDuration).nanos),
      new CelDuration(0n),
    );
  },
};

interface Search {
  readonly order: 'first' | 'last';
  readonly work: Work;
}

function position(list: CelList, wanted: Value, { order, work }: Search): bigint {
  for (let step = 0; step < list.size; step += 1) {
    const at = order === 'first' ? step : list.size - 1 - step;
    if (equals(list.at(at), wanted, work)) return BigInt(at);
  }
  return -1n;
}

const LISTS: readonly Overload[] = [
  ...ORDERED.flatMap((type) => [
    overload(`list_${type}_is_sorted_bool`, `.isSorted(list(${type})): bool`, ([list]) => isSorted(list as CelList)),
    overload(`list_${type}_min_${type}`, `.min(list(${type})): ${type}`, ([list]) => extreme('min', list as CelList)),
    overload(`list_${type}_max_${type}`, `.max(list(${type})): ${type}`, ([list]) => extreme('max', list as CelList)),
  ]),
  ...Object.entries(SUMS).map(([type, sum]) => {
    return overload(`list_${type}_sum_${type}`, `.sum(list(${type})): ${type}`, ([list]) => sum(list as CelList));
  }),
  overload('list_a_index_of_int', '.indexOf(list(A), A): int', ([list, wanted = null], work) => {
    return position(list as CelList, wanted, { order: 'first', work });
  }),
  overload('list_a_last_index_of_int', '.lastIndexOf(list(A), A): int', ([list, wanted = null], work) => {
    return position(list as CelList, wanted, { order: 'last', work });
  }),
];

export const COLLECTIONS: readonly Overload[] = [...OPTIONALS, ...INDEXES, ...SETS, ...INSERTS, ...LISTS];
