/** The conditions of a webhook: checks in Kubernetes' words. */
import {
  child,
  duplicateField,
  type FieldError,
  index,
  invalidField,
  requiredField,
  tooManyField,
} from '#kube/field-error.ts';
import type { MatchCondition } from '#kube/kinds/admissionregistration/webhook.ts';
import { qualifiedNameProblems } from '#kube/names.ts';

const MAX_CONDITIONS = 64;

export function matchConditionErrors(conditions: readonly MatchCondition[], path: string): FieldError[] {
  const tooMany = conditions.length > MAX_CONDITIONS ? [tooManyField(path, conditions.length, MAX_CONDITIONS)] : [];
  const names = new Set<string>();
  const ofEach = conditions.flatMap((condition, position) => {
    const at = index(path, position);
    const errors = conditionErrors(condition, at);
    if (names.has(condition.name)) errors.push(duplicateField(child(at, 'name'), condition.name));
    if (condition.name) names.add(condition.name);
    return errors;
  });
  return [...tooMany, ...ofEach];
}

function conditionErrors({ name, expression }: MatchCondition, path: string): FieldError[] {
  const errors = expression.trim() === '' ? [requiredField(child(path, 'expression'))] : [];
  if (!name) return [...errors, requiredField(child(path, 'name'))];
  const ofName = qualifiedNameProblems(name).map((problem) => invalidField(child(path, 'name'), name, problem));
  return [...errors, ...ofName];
}
