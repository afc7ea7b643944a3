/**
 * The match conditions of a webhook: expressions in CEL over the request, which all have to be true before the webhook
 * is asked. What they may cost is bounded, for each and for all of one webhook.
 *
 * Not there: `authorizer`, with which a condition would ask what the user may do.
 */
import { type Bindings, bindingsOf, type CelProgram, compileCel, MAX_CALL_COST } from '#kube/cel/compile.ts';
import { BOOL_DECL, type DeclType, DYN_DECL, listDecl, mapDecl, objectDecl, STRING_DECL } from '#kube/cel/decl-type.ts';
import { CelCompileError, CelConstantError, CelCostExceeded, CelFailure } from '#kube/cel/errors.ts';
import { jsonValue } from '#kube/cel/json-values.ts';
import { formatType } from '#kube/cel/types.ts';
import { newWork } from '#kube/cel/work.ts';

/** What all conditions of one webhook may cost together. */
const MAX_COST = 2_500_000;

const texts = (...names: string[]) => names.map((name): [string, DeclType] => [name, STRING_DECL]);
const kind = objectDecl('kubernetes.GroupVersionKind', new Map(texts('group', 'version', 'kind')));
const resource = objectDecl('kubernetes.GroupVersionResource', new Map(texts('group', 'version', 'resource')));
const userInfo = objectDecl(
  'kubernetes.UserInfo',
  new Map([...texts('username', 'uid'), ['groups', listDecl(STRING_DECL)], ['extra', mapDecl(listDecl(STRING_DECL))]]),
);

const VARIABLES: ReadonlyMap<string, DeclType> = new Map([
  ['object', DYN_DECL],
  ['oldObject', DYN_DECL],
  [
    'request',
    objectDecl(
      'kubernetes.AdmissionRequest',
      new Map([
        ...texts('subResource', 'requestSubResource', 'name', 'namespace', 'operation'),
        ['kind', kind],
        ['requestKind', kind],
        ['resource', resource],
        ['requestResource', resource],
        ['userInfo', userInfo],
        ['dryRun', BOOL_DECL],
        ['options', DYN_DECL],
      ]),
    ),
  ],
]);

/** An expression that cannot be a condition; the message is Kubernetes'. */
export class BadCondition extends Error {}

/** Throws BadCondition. */
export function compileCondition(expression: string): CelProgram {
  const program = compiled(expression);
  if (program.type.kind === 'bool') return program;
  throw new BadCondition(`must evaluate to bool but got ${formatType(program.type)}`);
}

function compiled(expression: string): CelProgram {
  try {
    return compileCel(expression, VARIABLES);
  } catch (error) {
    if (error instanceof CelCompileError) throw new BadCondition(`compilation failed: ${error.message}`);
    if (error instanceof CelConstantError) throw new BadCondition(`program instantiation failed: ${error.message}`);
    throw error;
  }
}

export interface Condition {
  readonly expression: string;
  readonly program: CelProgram;
}

/** The request of an AdmissionReview. */
export interface ConditionInput {
  readonly object: unknown;
  readonly oldObject: unknown;
}

/** True when all hold, false as soon as one does not; otherwise why it cannot be said. */
export function meetsConditions(conditions: readonly Condition[], request: ConditionInput): boolean | string {
  const { object, oldObject, ...rest } = request;
  const variables = { object: jsonValue(object), oldObject: jsonValue(oldObject), request: jsonValue(rest) };
  try {
    return evaluated(conditions, bindingsOf(variables));
  } catch (error) {
    if (!(error instanceof CelCostExceeded)) throw error;
    return 'validation failed due to running out of cost budget, no further validation rules will be run';
  }
}

function evaluated(conditions: readonly Condition[], bindings: Bindings): boolean | string {
  const problems: string[] = [];
  const work = newWork();
  let budget = MAX_COST;
  for (const { expression, program } of conditions) {
    const { value, cost } = program.evaluate(bindings, { limit: Math.min(budget, MAX_CALL_COST), work });
    budget -= cost;
    if (value === false) return false;
    if (value instanceof CelFailure) problems.push(`expression '${expression}' resulted in error: ${value.message}`);
  }
  if (problems.length === 0) return true;
  return problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`;
}
