/** What calls cost as they run, by what they were given and what they made. */
import { LETTER_COST, PATTERN_LETTER_COST } from '#kube/cel/cost-numbers.ts';
import { elementsOf, isList, isMap, OpaqueValue, Optional, sizeOf, type Value } from '#kube/cel/values.ts';

type Rule = (args: readonly Value[], result: Value) => number;

const sized =
  (position: number, each: number): Rule =>
  (args) =>
    Math.ceil(sizeOf(args[position] ?? null) * each);

/** Of looking at everything in a value. */
function traversal(value: Value): number {
  if (typeof value === 'string') return Math.floor(Buffer.byteLength(value) * LETTER_COST);
  if (value instanceof Uint8Array) return Math.floor(value.length * LETTER_COST);
  if (isList(value)) {
    let cost = 0;
    for (const element of elementsOf(value)) cost += traversal(element);
    return cost;
  }
  if (!isMap(value)) return 1;
  return value.keys().reduce((sum: number, key) => sum + traversal(key) + traversal(value.get(key) ?? null), 0);
}

const traverse: Rule = ([value = null]) => traversal(value);

function matchCost(text: Value, pattern: Value): number {
  return Math.ceil((1 + sizeOf(text)) * LETTER_COST) * Math.ceil(sizeOf(pattern) * PATTERN_LETTER_COST);
}

const match: Rule = ([text = null, pattern = null]) => matchCost(text, pattern);

/** Addresses are compared byte by byte; texts are read first. */
const within: Rule = ([range = null, other = null]) => {
  const compared = Math.ceil(2 * sizeOf(range) * LETTER_COST);
  return typeof other === 'string' ? compared + Math.ceil(sizeOf(other) * LETTER_COST) : compared;
};

const rangeWithin: Rule = (args, result) => within(args, result) + Math.ceil(sizeOf(args[0] ?? null) * LETTER_COST) + 1;

const BY_NAME: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf'].map((name): [string, Rule] => [name, traverse]),
  ...['url', 'lowerAscii', 'upperAscii', 'substring', 'trim', 'cidr', 'isIP', 'isCIDR', 'ip'].map(
    (name): [string, Rule] => {
      return [name, sized(0, LETTER_COST)];
    },
  ),
  ...['quantity', 'isQuantity'].map((name): [string, Rule] => [name, sized(0, LETTER_COST)]),
  ...['replace', 'split', 'ip.isCanonical'].map((name): [string, Rule] => [name, sized(0, 2 * LETTER_COST)]),
  ['join', (_args, result) => Math.ceil(sizeOf(result) * 2 * LETTER_COST)],
  ['_[?_]', (_args, result) => (result instanceof Optional && result.value !== undefined ? 1 : 0)],
  ['containsIP', within],
  ['containsCIDR', rangeWithin],
  ['find', match],
  ['findAll', match],
  ['validate', ([format = null, text = null]) => matchCost(text, format)],
]);

const compared: Rule = ([left = null, right = null]) => Math.ceil(Math.min(sizeOf(left), sizeOf(right)) * LETTER_COST);

const contained: Rule = ([text = null, part = null]) => {
  return Math.ceil(sizeOf(text) * LETTER_COST) * Math.ceil(sizeOf(part) * LETTER_COST);
};

const BY_ID: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...[
    'starts_with_string',
    'ends_with_string',
    'string_to_bytes',
    'bytes_to_string',
    'strings_quote',
    'string_format',
  ].map((id): [string, Rule] => [id, sized(0, LETTER_COST)]),
  ...['add_string', 'add_bytes'].map((id): [string, Rule] => {
    return [id, ([left = null, right = null]) => Math.ceil((sizeOf(left) + sizeOf(right)) * LETTER_COST)];
  }),
  ...['equals', 'not_equals'].map((id): [string, Rule] => [id, equality]),
  ...['less', 'less_equals', 'greater', 'greater_equals'].flatMap((name) => {
    return ['string', 'bytes'].map((type): [string, Rule] => [`${name}_${type}`, compared]);
  }),
  ...['list_sets_contains_list', 'list_sets_intersects_list', 'list_sets_equivalent_list'].map((id): [string, Rule] => {
    const times = id.includes('equivalent') ? 2 : 1;
    return [id, ([left = null, right = null]) => sizeOf(left) * sizeOf(right) * times + 1];
  }),
  ['in_list', ([, list = null]) => sizeOf(list)],
  ['matches_string', match],
  ['matches', match],
  ['contains_string', contained],
]);

function equality(args: readonly Value[], result: Value): number {
  return args[0] instanceof OpaqueValue ? 1 : compared(args, result);
}

export function costOfCall(name: string, id: string, args: readonly Value[], result: Value): number {
  return (BY_NAME.get(name) ?? BY_ID.get(id))?.(args, result) ?? 1;
}
