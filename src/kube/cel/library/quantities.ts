/** Resource quantities and named formats, as Kubernetes' libraries for CEL have them. */
import { type Overload, overload } from '#kube/cel/declarations.ts';
import { CelFailure } from '#kube/cel/errors.ts';
import { NONE } from '#kube/cel/library/collections.ts';
import { ArrayList, OpaqueValue, Optional, type Value } from '#kube/cel/values.ts';
import {
  dns1035LabelProblems,
  dnsLabelProblems,
  dnsSubdomainProblems,
  labelValueProblems,
  qualifiedNameProblems,
} from '#kube/names.ts';
import { ParseError } from '#kube/parse-error.ts';
import { parseQuantity } from '#kube/quantity.ts';
import { checkFormat } from '#kube/formats.ts';

const NANOS_PER_UNIT = 1_000_000_000n;
const INT_LIMIT = 2n ** 63n;

class QuantityValue extends OpaqueValue {
  readonly typeName = 'kubernetes.Quantity';
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    super();
    this.nanos = nanos;
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof QuantityValue && this.nanos === other.nanos;
  }
}

function quantity(text: string): QuantityValue {
  const parsed = parseQuantity(text);
  if (parsed instanceof ParseError) throw new CelFailure(parsed.message);
  return new QuantityValue(parsed.nanos);
}

/** The value as a whole number, where it is one. */
function whole({ nanos }: QuantityValue): bigint | undefined {
  const units = nanos / NANOS_PER_UNIT;
  const isWhole = nanos % NANOS_PER_UNIT === 0n && units < INT_LIMIT && units >= -INT_LIMIT;
  return isWhole ? units : undefined;
}

const order = (left: bigint, right: bigint) => (left < right ? -1n : BigInt(left > right));

type OnTwo = (left: bigint, right: bigint) => Value;

function ofQuantities(id: string, signature: string, run: OnTwo): Overload {
  return overload(id, signature, ([left, right]) => run((left as QuantityValue).nanos, nanosOf(right ?? null)));
}

function nanosOf(value: Value): bigint {
  return typeof value === 'bigint' ? value * NANOS_PER_UNIT : (value as QuantityValue).nanos;
}

const QUANTITY_FUNCTIONS: readonly Overload[] = [
  overload('string_to_quantity', 'quantity(string): Quantity', ([text]) => quantity(text as string)),
  overload(
    'is_quantity_string',
    'isQuantity(string): bool',
    ([text]) => !(parseQuantity(text as string) instanceof ParseError),
  ),
  overload('quantity_sign', 'sign(Quantity): int', ([value]) => order((value as QuantityValue).nanos, 0n)),
  overload('quantity_get_float', '.asApproximateFloat(Quantity): double', ([value]) => {
    return Number((value as QuantityValue).nanos) / Number(NANOS_PER_UNIT);
  }),
  overload('quantity_get_int', '.asInteger(Quantity): int', ([value]) => {
    const units = whole(value as QuantityValue);
    if (units === undefined) throw new CelFailure('cannot convert value to integer');
    return units;
  }),
  overload(
    'quantity_is_integer',
    '.isInteger(Quantity): bool',
    ([value]) => whole(value as QuantityValue) !== undefined,
  ),
  ofQuantities('quantity_is_greater_than', '.isGreaterThan(Quantity, Quantity): bool', (a, b) => a > b),
  ofQuantities('quantity_is_less_than', '.isLessThan(Quantity, Quantity): bool', (a, b) => a < b),
  ofQuantities('quantity_compare_to', '.compareTo(Quantity, Quantity): int', order),
  ofQuantities('quantity_add', '.add(Quantity, Quantity): Quantity', (a, b) => new QuantityValue(a + b)),
  ofQuantities('quantity_add_int', '.add(Quantity, int): Quantity', (a, b) => new QuantityValue(a + b)),
  ofQuantities('quantity_sub', '.sub(Quantity, Quantity): Quantity', (a, b) => new QuantityValue(a - b)),
  ofQuantities('quantity_sub_int', '.sub(Quantity, int): Quantity', (a, b) => new QuantityValue(a - b)),
];

type Problems = (text: string) => string[];

class FormatValue extends OpaqueValue {
  readonly typeName = 'kubernetes.NamedFormat';
  readonly name: string;
  readonly problems: Problems;
  /** Letters of the pattern that Kubernetes matches, which costs count. */
  readonly #size: number;

  constructor(name: string, problems: Problems, size: number) {
    super();
    this.name = name;
    this.problems = problems;
    this.#size = size;
  }

  override get size(): number {
    return this.#size;
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof FormatValue && this.name === other.name;
  }
}

/** A prefix of a generated name may end in a dash. */
const ofPrefix = (problems: Problems) => (text: string) => problems(text.replace(/-$/, 'a'));
const byFormat = (format: string, problem: string) => (text: string) => (checkFormat(format, text) ? [] : [problem]);

const FORMATS: ReadonlyMap<string, FormatValue> = new Map(
  (
    [
      ['dns1123Label', dnsLabelProblems, 30],
      ['dns1123Subdomain', dnsSubdomainProblems, 60],
      ['dns1035Label', dns1035LabelProblems, 30],
      ['qualifiedName', qualifiedNameProblems, 60],
      ['dns1123LabelPrefix', ofPrefix(dnsLabelProblems), 30],
      ['dns1123SubdomainPrefix', ofPrefix(dnsSubdomainProblems), 60],
      ['dns1035LabelPrefix', ofPrefix(dns1035LabelProblems), 30],
      ['labelValue', labelValueProblems, 40],
      ['uri', byFormat('uri', 'invalid URI for request'), 1_103],
      ['uuid', byFormat('uuid', 'does not match the UUID format'), 70],
      ['byte', byFormat('byte', 'invalid base64'), 84],
      ['date', byFormat('date', 'invalid date'), 71],
      ['datetime', byFormat('datetime', 'invalid datetime'), 71],
    ] as const
  ).map(([name, problems, size]) => [name, new FormatValue(name, problems, size)]),
);

const FORMAT_FUNCTIONS: readonly Overload[] = [
  ...[...FORMATS].map(([name, format]) => overload(`format.${name}`, `format.${name}(): Format`, () => format)),
  overload(
    'format-named',
    'format.named(string): optional(Format)',
    ([name]) => new Optional(FORMATS.get(name as string)),
  ),
  overload('format-validate', '.validate(Format, string): optional(list(string))', ([format, text]) => {
    const problems = (format as FormatValue).problems(text as string);
    return problems.length === 0 ? NONE : new Optional(new ArrayList(problems));
  }),
];

export const QUANTITIES: readonly Overload[] = [...QUANTITY_FUNCTIONS, ...FORMAT_FUNCTIONS];
