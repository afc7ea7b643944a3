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
import { BadCondition, compileCondition } from '#apiserver/webhooks/conditions.ts';

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

function expressionErrors(expression: string, path: string): FieldError[] {
  if (expression === '') return [requiredField(path)];
  try {
    compileCondition(expression);
    return [];
  } catch (error) {
    if (error instanceof BadCondition) return [invalidField(path, expression, error.message)];
    throw error;
  }
}

function conditionErrors({ name, expression }: MatchCondition, path: string): FieldError[] {
  const errors = expressionErrors(expression.trim(), child(path, 'expression'));
  if (!name) return [...errors, requiredField(child(path, 'name'))];
  const ofName = qualifiedNameProblems(name).map((problem) => invalidField(child(path, 'name'), name, problem));
  return [...errors, ...ofName];
}
