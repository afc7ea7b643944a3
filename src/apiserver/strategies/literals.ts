/** Values as Go's own syntax, where Kubernetes' field errors show them so. */
import type { LabelSelector } from '#kube/kinds/meta/label-selector.ts';
import type { FieldError } from '#kube/field-error.ts';

/** An Invalid error whose value is shown as it is given. */
export function invalidLiteral(field: string, literal: string, detail: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${literal}: ${detail}` };
}

/** An Invalid error that shows no value. */
export function invalidWithoutValue(field: string, detail: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${detail}` };
}

export function stringMap(map: Readonly<Record<string, string>> | undefined): string {
  if (map === undefined) return 'map[string]string(nil)';
  const members = Object.keys(map).sort();
  return `map[string]string{${members.map((key) => `${JSON.stringify(key)}:${JSON.stringify(map[key])}`).join(', ')}}`;
}

export function stringList(list: readonly string[] | undefined): string {
  return list === undefined ? '[]string(nil)' : `[]string{${list.map((one) => JSON.stringify(one)).join(', ')}}`;
}

export function labelSelector({ matchLabels, matchExpressions }: LabelSelector): string {
  const type = '[]v1.LabelSelectorRequirement';
  const expressions = (matchExpressions ?? []).map(
    ({ key, operator, values }) =>
      `v1.LabelSelectorRequirement{Key:${JSON.stringify(key)}, Operator:${JSON.stringify(operator)}, Values:${stringList(values)}}`,
  );
  const shown = matchExpressions === undefined ? `${type}(nil)` : `${type}{${expressions.join(', ')}}`;
  return `v1.LabelSelector{MatchLabels:${stringMap(matchLabels)}, MatchExpressions:${shown}}`;
}

export function intOrString(value: number | string): string {
  return typeof value === 'number'
    ? `intstr.IntOrString{Type:0, IntVal:${value}, StrVal:""}`
    : `intstr.IntOrString{Type:1, IntVal:0, StrVal:${JSON.stringify(value)}}`;
}
