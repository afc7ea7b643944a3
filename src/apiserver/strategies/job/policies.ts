/** Checks of a Job's podFailurePolicy and successPolicy. */
import {
  child,
  duplicateField,
  type FieldError,
  index,
  invalidField,
  notSupportedField,
  requiredField,
  tooLongField,
  tooManyField,
} from '#kube/field-error.ts';
import type { JobSpec } from '#kube/kinds/batch/job-spec.ts';
import { qualifiedNameProblems } from '#kube/names.ts';
import { ParseError } from '#kube/parse-error.ts';
import { listOf } from '#apiserver/lists.ts';
import { notNegative, problemsAt } from '#apiserver/pod-spec/checks.ts';
import { countOf, readIndexes } from '#apiserver/strategies/job/indexes.ts';
import { invalidLiteral, invalidWithoutValue } from '#apiserver/strategies/literals.ts';

type FailureRule = NonNullable<JobSpec['podFailurePolicy']>['rules'][number];
type ExitCodes = NonNullable<FailureRule['onExitCodes']>;
type Conditions = NonNullable<FailureRule['onPodConditions']>;
type SuccessRule = NonNullable<JobSpec['successPolicy']>['rules'][number];

const MAX_RULES = 20;
const MAX_EXIT_CODES = 255;
const MAX_CONDITIONS = 20;
const MAX_INDEXES_LENGTH = 64 * 1_024;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];

export function failurePolicyErrors(spec: JobSpec, path: string): FieldError[] {
  if (!spec.podFailurePolicy) return [];
  const rules = listOf(spec.podFailurePolicy.rules);
  const where = child(path, 'rules');
  const { containers, initContainers } = spec.template.spec;
  const names = [...listOf(containers), ...listOf(initContainers)].map(({ name }) => name);
  return [
    ...(rules.length > MAX_RULES ? [tooManyField(where, rules.length, MAX_RULES)] : []),
    ...rules.flatMap((rule, at) => failureRuleErrors(rule, { spec, names, path: index(where, at) })),
  ];
}

interface RuleContext {
  readonly spec: JobSpec;
  readonly names: readonly string[];
  readonly path: string;
}

function failureRuleErrors(rule: FailureRule, { spec, names, path }: RuleContext): FieldError[] {
  const { onExitCodes, onPodConditions = [] } = rule;
  const errors = actionErrors(rule, spec, child(path, 'action'));
  if (onExitCodes) errors.push(...exitCodeErrors(onExitCodes, names, child(path, 'onExitCodes')));
  errors.push(...conditionErrors(onPodConditions, child(path, 'onPodConditions')));
  const hasConditions = onPodConditions.length > 0;
  if (onExitCodes && hasConditions) {
    const detail = 'specifying both OnExitCodes and OnPodConditions is not supported';
    errors.push(invalidWithoutValue(path, detail));
  } else if (!onExitCodes && !hasConditions) {
    errors.push(invalidWithoutValue(path, 'specifying one of OnExitCodes and OnPodConditions is required'));
  }
  return errors;
}

function actionErrors({ action }: FailureRule, { backoffLimitPerIndex }: JobSpec, path: string): FieldError[] {
  if (action !== 'FailIndex') return knownErrors(path, action, ACTIONS);
  if (backoffLimitPerIndex !== undefined) return [];
  return [invalidField(path, action, 'requires the backoffLimitPerIndex to be set')];
}

/** One of a few words, and there. */
function knownErrors(path: string, value: string, known: readonly string[]): FieldError[] {
  if (!value) return [requiredField(path, `valid values: [${known.map((one) => JSON.stringify(one)).join(' ')}]`)];
  return known.includes(value) ? [] : [notSupportedField(path, value, known)];
}

function exitCodeErrors(
  { operator, containerName, values: sent }: ExitCodes,
  names: readonly string[],
  path: string,
): FieldError[] {
  const values = listOf(sent);
  const where = child(path, 'values');
  const errors = knownErrors(child(path, 'operator'), operator, OPERATORS);
  if (containerName !== undefined && !names.includes(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalidField(child(path, 'containerName'), containerName, detail));
  }
  const literal = sent ? `[]int32{${values.join(', ')}}` : '[]int32(nil)';
  if (values.length === 0) errors.push(invalidLiteral(where, literal, 'at least one value is required'));
  if (values.length > MAX_EXIT_CODES) errors.push(tooManyField(where, values.length, MAX_EXIT_CODES));
  for (const [at, code] of values.entries()) {
    if (operator === 'In' && code === 0) {
      errors.push(invalidField(index(where, at), code, 'must not be 0 for the In operator'));
    }
    if (values.indexOf(code) < at) errors.push(duplicateField(index(where, at), code));
  }
  const isOrdered = values.every((code, at) => at === 0 || (values[at - 1] ?? 0) <= code);
  return isOrdered ? errors : [...errors, invalidLiteral(where, literal, 'must be ordered')];
}

function conditionErrors(patterns: Conditions, path: string): FieldError[] {
  return [
    ...(patterns.length > MAX_CONDITIONS ? [tooManyField(path, patterns.length, MAX_CONDITIONS)] : []),
    ...patterns.flatMap(({ type, status }, at) => {
      const where = index(path, at);
      return [
        ...problemsAt(child(where, 'type'), type, qualifiedNameProblems(type)),
        ...knownErrors(child(where, 'status'), status, STATUSES),
      ];
    }),
  ];
}

export function successPolicyErrors(spec: JobSpec, path: string): FieldError[] {
  if (!spec.successPolicy) return [];
  if (spec.completionMode !== 'Indexed') {
    return [invalidField(path, spec.successPolicy, 'requires indexed completion mode')];
  }
  const rules = listOf(spec.successPolicy.rules);
  const where = child(path, 'rules');
  const missing = 'at least one rules must be specified when the successPolicy is specified';
  return [
    ...(rules.length === 0 ? [requiredField(where, missing)] : []),
    ...(rules.length > MAX_RULES ? [tooManyField(where, rules.length, MAX_RULES)] : []),
    ...rules.flatMap((rule, at) => successRuleErrors(rule, spec.completions ?? 0, index(where, at))),
  ];
}

function successRuleErrors(rule: SuccessRule, completions: number, path: string): FieldError[] {
  const { succeededIndexes: text, succeededCount: count } = rule;
  const errors: FieldError[] = [];
  if (text === undefined && count === undefined) {
    errors.push(requiredField(path, 'at least one of succeededCount or succeededIndexes must be specified'));
  }
  const indexes = readIndexes(text ?? '', completions);
  if (text !== undefined) {
    const where = child(path, 'succeededIndexes');
    if (text.length > MAX_INDEXES_LENGTH) errors.push(tooLongField(where, MAX_INDEXES_LENGTH));
    if (indexes instanceof ParseError) {
      errors.push(invalidField(where, text, `error parsing succeededIndexes: ${indexes.message}`));
    }
  }
  if (count === undefined) return errors;
  const where = child(path, 'succeededCount');
  const most = (limit: number, what: string) =>
    count > limit ? [invalidField(where, count, `must be less than or equal to ${limit} (${what})`)] : [];
  const meant = indexes instanceof ParseError ? 0 : countOf(indexes);
  return [
    ...errors,
    ...notNegative(where, count),
    ...most(completions, 'the number of specified completions'),
    ...(text === undefined ? [] : most(meant, 'the number of indexes in the specified succeededIndexes field')),
  ];
}
