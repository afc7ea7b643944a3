/** What calls cost by their functions and the sizes of what they are given, before an expression runs. */
import type { CostNode } from '#kube/cel/cost-estimate.ts';
import {
  add,
  type Estimate,
  factor,
  fixed,
  LETTER_COST,
  multiply,
  PATTERN_LETTER_COST,
  union,
  UNKNOWN,
} from '#kube/cel/cost-numbers.ts';

export interface CallToEstimate {
  readonly name: string;
  /** Of the overload. */
  readonly id: string;
  readonly isMember: boolean;
  /** Target first, where there is one. */
  readonly args: readonly CostNode[];
  /** Of the arguments without the target. */
  readonly costs: readonly Estimate[];
}

export interface CallEstimate {
  readonly cost: Estimate;
  readonly size?: Estimate | undefined;
}

type Rule = (call: CallToEstimate) => CallEstimate | undefined;

const ONE = fixed(1);

/** With the costs of the arguments, whatever the rule. */
export function estimateCall(call: CallToEstimate): CallEstimate {
  if (call.id === 'logical_and' || call.id === 'logical_or') return junction(call);
  if (call.id === 'conditional') return conditional(call);
  const estimate = BY_NAME.get(call.name)?.(call) ?? BY_ID.get(call.id)?.(call) ?? { cost: ONE };
  return { cost: call.costs.reduce(add, estimate.cost), size: estimate.size };
}

function sizeOf(call: CallToEstimate, position: number): Estimate {
  return call.args[position]?.size ?? UNKNOWN;
}

function junction({ costs }: CallToEstimate): CallEstimate {
  const [left = ONE, right = ONE] = costs;
  return { cost: { min: left.min, max: add(left, right).max } };
}

function conditional(call: CallToEstimate): CallEstimate {
  const [condition = ONE, yes = ONE, no = ONE] = call.costs;
  return { cost: add(condition, union(yes, no)), size: union(sizeOf(call, 1), sizeOf(call, 2)) };
}

const unit: Rule = () => ({ cost: ONE });

/** Goes through a list once, or through a text. */
const traversal: Rule = (call) => {
  const [target] = call.args;
  const size = sizeOf(call, 0);
  if (target?.type.kind !== 'list') return { cost: factor(size, LETTER_COST) };
  const isTexts = ['string', 'bytes'].includes(target.type.params[0]?.kind ?? '');
  const each = isTexts ? add(ONE, factor(target.itemSize ?? UNKNOWN, LETTER_COST)) : ONE;
  return { cost: multiply(size, each) };
};

/** Goes through the text that it is called on, and makes one of that size. */
const sameSize: Rule = (call) => {
  const size = sizeOf(call, 0);
  return { cost: factor(size, LETTER_COST), size };
};

const replaceRule: Rule = (call) => {
  const [size, old, fresh] = [sizeOf(call, 0), sizeOf(call, 1), sizeOf(call, 2)];
  const most = replacedMost(size, old, fresh);
  const least = replacedLeast(size, old, fresh);
  const made = add(multiply({ min: least.count, max: most.count }, fresh), { min: least.kept, max: most.kept });
  return { cost: factor(size, 2 * LETTER_COST), size: made };
};

function replacedMost(size: Estimate, old: Estimate, fresh: Estimate): { count: number; kept: number } {
  if (old.min === 0) return { count: size.max + 1, kept: size.max };
  if (fresh.max <= old.min) return { count: 0, kept: size.max };
  return { count: Math.ceil(size.max / old.min), kept: 0 };
}

function replacedLeast(size: Estimate, old: Estimate, fresh: Estimate): { count: number; kept: number } {
  if (old.max === 0) return { count: size.min + 1, kept: size.min };
  if (old.max <= fresh.min) return { count: 0, kept: size.min };
  return { count: Math.ceil(size.min / old.max), kept: 0 };
}

const splitRule: Rule = (call) => {
  const size = sizeOf(call, 0);
  const limit = call.args[2]?.expr;
  const isLimited = limit?.kind === 'literal' && typeof limit.value === 'bigint' && limit.value >= 0n;
  const max = isLimited ? Number(limit.value) : size.max;
  return { cost: factor(size, 2 * LETTER_COST), size: { min: 0, max } };
};

const joinRule: Rule = (call) => {
  const list = sizeOf(call, 0);
  const texts = multiply(list, call.args[0]?.itemSize ?? UNKNOWN);
  const gaps = { min: Math.max(0, list.min - 1), max: Math.max(0, list.max - 1) };
  const size = call.args.length > 1 ? add(texts, multiply(sizeOf(call, 1), gaps)) : texts;
  return { cost: factor(size, LETTER_COST), size };
};

function matchCost(call: CallToEstimate): Estimate {
  const [text, pattern] = [sizeOf(call, 0), sizeOf(call, 1)];
  return multiply(factor(add(text, ONE), LETTER_COST), factor(pattern, PATTERN_LETTER_COST));
}

const findRule: Rule = (call) => ({ cost: matchCost(call), size: { min: 0, max: sizeOf(call, 0).max } });

/** Reads a text; `ip()` of a range only looks. */
const reading: Rule = (call) =>
  call.id === 'cidr_ip' ? { cost: ONE } : { cost: factor(sizeOf(call, 0), LETTER_COST) };

const canonicalRule: Rule = (call) => ({ cost: factor(sizeOf(call, 0), 2 * LETTER_COST) });

const ADDRESS: Estimate = { min: 4, max: 16 };

const containsIp: Rule = (call) => {
  const compared = factor(add(ADDRESS, ADDRESS), LETTER_COST);
  const isText = call.id === 'cidr_contains_ip_string';
  return { cost: isText ? add(compared, factor(sizeOf(call, 1), LETTER_COST)) : compared };
};

const containsCidr: Rule = (call) => {
  const compared = add(add(factor(add(ADDRESS, ADDRESS), LETTER_COST), factor(ADDRESS, LETTER_COST)), ONE);
  const isText = call.id === 'cidr_contains_cidr_string';
  return { cost: isText ? add(compared, factor(sizeOf(call, 1), LETTER_COST)) : compared };
};

const FORMAT_PATTERN_LENGTH = 128;
const MAX_FORMAT_NAME = 64;

const validateRule: Rule = (call) => {
  const text = factor(sizeOf(call, 1), LETTER_COST);
  return { cost: factor(text, FORMAT_PATTERN_LENGTH * PATTERN_LETTER_COST) };
};

/** Kubernetes' own types are compared at once. */
const equalsRule: Rule = (call) => {
  const [left, right] = call.args;
  if (left === undefined || left.type.kind !== 'opaque' || left.type.name !== right?.type.name) return undefined;
  if (['net.IP', 'net.CIDR', 'kubernetes.Quantity'].includes(left.type.name)) return { cost: ONE };
  return left.type.name === 'kubernetes.NamedFormat'
    ? { cost: factor({ min: 1, max: MAX_FORMAT_NAME }, LETTER_COST) }
    : undefined;
};

const UNITS = `
  masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast
  sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub
  getScheme getHostname getHost getPort getEscapedPath getQuery format.named
`
  .trim()
  .split(/\s+/);

/** The same rule under several names. */
function named(rule: Rule, names: readonly string[]): (readonly [string, Rule])[] {
  return names.map((name) => [name, rule]);
}

const BY_NAME: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...named(unit, UNITS),
  ...named(traversal, ['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf']),
  ...named(sameSize, ['url', 'lowerAscii', 'upperAscii', 'substring', 'trim']),
  ...named(findRule, ['find', 'findAll']),
  ...named(reading, ['ip', 'cidr', 'isIP', 'isCIDR', 'quantity', 'isQuantity']),
  ['replace', replaceRule],
  ['split', splitRule],
  ['join', joinRule],
  ['ip.isCanonical', canonicalRule],
  ['containsIP', containsIp],
  ['containsCIDR', containsCidr],
  ['validate', validateRule],
  ['_==_', equalsRule],
]);

const compareRule: Rule = (call) => {
  const smallest = Math.min(sizeOf(call, 0).max, sizeOf(call, 1).max);
  return { cost: factor({ min: smallest > 0 ? 1 : 0, max: smallest }, LETTER_COST) };
};

const concatRule: Rule = (call) => {
  const size = add(sizeOf(call, 0), sizeOf(call, 1));
  return { cost: call.id === 'add_list' ? ONE : factor(size, LETTER_COST), size };
};

const lettersRule: Rule = (call) => ({ cost: factor(sizeOf(call, 0), LETTER_COST) });

const bytesRule: Rule = (call) => {
  const size = sizeOf(call, 0);
  return { cost: factor(size, LETTER_COST), size: { min: size.min, max: size.max * 4 } };
};

/** Every element of one list is looked for in the other. */
const setRule: Rule = (call) => {
  const pairs = multiply(sizeOf(call, 0), sizeOf(call, 1));
  return { cost: add(factor(pairs, call.name === 'sets.equivalent' ? 2 : 1), ONE) };
};

const quotedSize = (size: Estimate): Estimate => ({ min: size.min + 2, max: size.max * 2 + 2 });

const containsRule: Rule = (call) => {
  return { cost: multiply(factor(sizeOf(call, 0), LETTER_COST), factor(sizeOf(call, 1), LETTER_COST)) };
};

const COMPARISONS = ['less', 'less_equals', 'greater', 'greater_equals'].flatMap((name) => {
  return [`${name}_string`, `${name}_bytes`];
});

const BY_ID: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...named(compareRule, [...COMPARISONS, 'equals', 'not_equals']),
  ...named(concatRule, ['add_string', 'add_bytes', 'add_list']),
  ...named(setRule, ['list_sets_contains_list', 'list_sets_intersects_list', 'list_sets_equivalent_list']),
  ['string_format', lettersRule],
  ['string_to_bytes', bytesRule],
  ['bytes_to_string', (call) => ({ cost: factor(sizeOf(call, 0), LETTER_COST), size: sizeOf(call, 0) })],
  ['strings_quote', (call) => ({ cost: factor(sizeOf(call, 0), LETTER_COST), size: quotedSize(sizeOf(call, 0)) })],
  ['starts_with_string', (call) => ({ cost: factor(sizeOf(call, 1), LETTER_COST) })],
  ['ends_with_string', (call) => ({ cost: factor(sizeOf(call, 1), LETTER_COST) })],
  ['in_list', (call) => ({ cost: sizeOf(call, 1) })],
  ['matches_string', (call) => ({ cost: matchCost(call) })],
  ['contains_string', containsRule],
]);
