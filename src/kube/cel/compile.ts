/**
 * CEL as Kubernetes 1.33 has it: the language with its macros, optionals and two-variable comprehensions, the strings
 * and sets extensions, and Kubernetes' own libraries (lists, regex, URLs, IP addresses, quantities, formats).
 *
 *     const program = compileCel('object.spec.replicas <= 5', new Map([['object', DYN_DECL]]));
 *     program.evaluate(bindingsOf({ object: jsonValue(pod) })).value;
 *
 * Guarantees: an expression that compiled has a type, and a cost that it cannot exceed for values of the sizes that its
 * variables declare; evaluating is pure, takes at most `limit` in cost, and throws nothing but `CelFailure` and
 * `CelCostExceeded`. Untrusted input: expressions are limited in length and depth, patterns in work, texts that
 * expressions make in length.
 *
 * Not there: the authorizer, whose functions ask a server, and messages of protocol buffers.
 */
import { checkExpression } from '#kube/cel/checker.ts';
import { checkConstants } from '#kube/cel/constants.ts';
import { estimateCost } from '#kube/cel/cost-estimate.ts';
import type { DeclType } from '#kube/cel/decl-type.ts';
import { CelCompileError, CelFailure } from '#kube/cel/errors.ts';
import { type Bindings, Interpreter, type Limits } from '#kube/cel/interpreter.ts';
import { FUNCTIONS } from '#kube/cel/library/all.ts';
import { parseExpression } from '#kube/cel/parser.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listType,
  mapType,
  NULL,
  STRING,
  TIMESTAMP,
  TYPE,
  typeOfType,
  UINT,
} from '#kube/cel/types.ts';
import { validateExpression } from '#kube/cel/validators.ts';
import { TypeValue, type Value } from '#kube/cel/values.ts';
import { newWork } from '#kube/cel/work.ts';

/** What one evaluation may cost in Kubernetes: about a tenth of a second there. */
export const MAX_CALL_COST = 1_000_000;

export interface Evaluation {
  /** The value, or why there is none. */
  readonly value: Value | CelFailure;
  readonly cost: number;
}

export interface CelProgram {
  readonly type: CelType;
  /** What an evaluation can cost at most. */
  readonly maxCost: number;
  /** The variables that the expression reads. */
  readonly variables: ReadonlySet<string>;
  /** Throws `CelCostExceeded` beyond its limits, which are `MAX_CALL_COST` and `MAX_WORK` unless they are given. */
  evaluate(bindings: Bindings, limits?: Partial<Limits>): Evaluation;
}

export type { Bindings } from '#kube/cel/interpreter.ts';

/** Names of types are values too: `type(x) == int`. */
const TYPE_NAMES: readonly (readonly [name: string, type: CelType])[] = [
  ['bool', BOOL],
  ['bytes', BYTES],
  ['double', DOUBLE],
  ['google.protobuf.Duration', DURATION],
  ['google.protobuf.Timestamp', TIMESTAMP],
  ['int', INT],
  ['list', listType(DYN)],
  ['map', mapType(DYN, DYN)],
  ['null_type', NULL],
  ['string', STRING],
  ['type', TYPE],
  ['uint', UINT],
];

/** The program. Throws `CelCompileError`, or `CelConstantError`, when there is none. */
export function compileCel(text: string, variables: ReadonlyMap<string, DeclType>): CelProgram {
  const types = new Map(TYPE_NAMES.map(([name, type]) => [name, typeOfType(type)]));
  for (const [name, decl] of variables) types.set(name, decl.type);
  const checked = checkExpression(parseExpression(text), { variables: types, functions: FUNCTIONS });
  if (checked.issues.length > 0) throw new CelCompileError(text, checked.issues);
  const issues = validateExpression(checked);
  if (issues.length > 0) throw new CelCompileError(text, issues);
  checkConstants(checked);
  return {
    type: checked.types.get(checked.root.id) ?? DYN,
    maxCost: estimateCost(checked, variables),
    variables: checked.variables,
    evaluate: (bindings, { limit = MAX_CALL_COST, work = newWork() } = {}) => {
      return evaluate(new Interpreter(checked, withTypes(bindings), { limit, work }));
    },
  };
}

const TYPE_VALUES: ReadonlyMap<string, Value> = new Map(TYPE_NAMES.map(([name]) => [name, new TypeValue(name)]));

function withTypes(bindings: Bindings): Bindings {
  return (name) => {
    const value = bindings(name);
    return value === undefined ? TYPE_VALUES.get(name) : value;
  };
}

function evaluate(interpreter: Interpreter): Evaluation {
  try {
    const value = interpreter.run();
    return { value, cost: interpreter.cost };
  } catch (error) {
    if (error instanceof CelFailure) return { value: error, cost: interpreter.cost };
    throw error;
  }
}

/** Variables that are there already. */
export function bindingsOf(values: Readonly<Record<string, Value>>): Bindings {
  const byName = new Map(Object.entries(values));
  return (name) => byName.get(name);
}
