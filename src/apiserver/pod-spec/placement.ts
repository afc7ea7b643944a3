/** Where a pod may run and what it puts up with. */
import {
  child,
  duplicateField,
  type FieldError,
  index,
  invalidField,
  notSupportedField,
  requiredField,
} from '#kube/field-error.ts';
import type { Toleration, TopologySpreadConstraint } from '#kube/kinds/core/scheduling.ts';
import { labelValueProblems, qualifiedNameProblems } from '#kube/names.ts';
import { labelSelectorErrors } from '#kube/selectors.ts';
import { positive, problemsAt } from '#apiserver/pod-spec/checks.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const UNSATISFIABLE = ['DoNotSchedule', 'ScheduleAnyway'];

export function tolerationErrors(tolerations: readonly Toleration[], path: string): FieldError[] {
  return tolerations.flatMap((toleration, position) => {
    const here = index(path, position);
    const { key = '', tolerationSeconds } = toleration;
    const [operator = '', effect = '']: readonly string[] = [toleration.operator ?? '', toleration.effect ?? ''];
    const errors = key === '' ? [] : problemsAt(child(here, 'key'), key, qualifiedNameProblems(key));
    if (key === '' && operator !== 'Exists') {
      const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalidField(child(here, 'operator'), operator, detail));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(invalidField(child(here, 'effect'), effect, detail));
    }
    errors.push(...operatorErrors(toleration, child(here, 'operator')));
    if (effect !== '' && !EFFECTS.includes(effect))
      errors.push(notSupportedField(child(here, 'effect'), effect, EFFECTS));
    return errors;
  });
}

function operatorErrors(toleration: Toleration, path: string): FieldError[] {
  const { value = '' } = toleration;
  const operator: string = toleration.operator ?? '';
  if (operator === 'Exists') {
    return value === '' ? [] : [invalidField(path, value, "value must be empty when `operator` is 'Exists'")];
  }
  if (operator !== 'Equal' && operator !== '') return [notSupportedField(path, operator, ['Equal', 'Exists'])];
  const problems = labelValueProblems(value);
  return problems.length === 0 ? [] : [invalidField(path, value, problems.join(';'))];
}

export function spreadErrors(constraints: readonly TopologySpreadConstraint[], path: string): FieldError[] {
  const seen = new Set<string>();
  return constraints.flatMap((constraint, position) => {
    const here = index(path, position);
    const { maxSkew, topologyKey, whenUnsatisfiable, labelSelector } = constraint;
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
    const isRepeated = seen.has(pair);
    seen.add(pair);
    return [
      ...positive(child(here, 'maxSkew'), maxSkew),
      ...(topologyKey ? [] : [requiredField(child(here, 'topologyKey'), 'can not be empty')]),
      ...(UNSATISFIABLE.includes(whenUnsatisfiable)
        ? []
        : [notSupportedField(child(here, 'whenUnsatisfiable'), whenUnsatisfiable, UNSATISFIABLE)]),
      ...(isRepeated ? [duplicateField(child(here, '{topologyKey, whenUnsatisfiable}'), pair)] : []),
      ...(labelSelector ? labelSelectorErrors(labelSelector, child(here, 'labelSelector')) : []),
    ];
  });
}
