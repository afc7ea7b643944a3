/**
 * Label selectors: which objects are meant, by their labels. Read from text (`parseLabelSelector`) or from the object
 * form of specs (`selectorOf`), matched against labels, printed in Kubernetes' canonical form.
 */
import { child, type FieldError, forbiddenField, index, invalidField, requiredField } from '#kube/field-error.ts';
import type { LabelSelector } from '#kube/kinds/meta/label-selector.ts';
import {
  joinErrors,
  parseInt64,
  parseRequirements,
  type Requirement,
  requirementErrors,
  type SelectorOperator,
} from '#kube/label-selector-parser.ts';
import { labelValueProblems, qualifiedNameProblems } from '#kube/names.ts';
import { attempt, ParseError } from '#kube/parse-error.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Selector {
  /** All must hold; sorted by key. */
  readonly requirements: readonly Requirement[];
  /** True for the selector that an absent object stands for: it matches nothing at all. */
  readonly isNothing?: boolean;
}

export const EVERYTHING: Selector = { requirements: [] };
export const NOTHING: Selector = { requirements: [], isNothing: true };

/** Errors are in Kubernetes' words. */
export function parseLabelSelector(text: string): Selector | ParseError {
  return attempt(() => ({ requirements: parseRequirements(text) }));
}

const EXPRESSION_OPERATORS: ReadonlyMap<string, SelectorOperator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
]);

/** An absent selector means nothing, an empty one everything; an error for one that cannot be used. */
export function selectorOf(selector: LabelSelector | undefined): Selector | ParseError {
  return attempt(() => read(selector));
}

function read(selector: LabelSelector | undefined): Selector {
  if (selector === undefined) return NOTHING;
  const { requirements } = selectorOfLabels(selector.matchLabels ?? {});
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }): Requirement => {
    const known = EXPRESSION_OPERATORS.get(operator);
    if (known === undefined) throw new ParseError(`"${operator}" is not a valid label selector operator`);
    return { key, operator: known, values: [...new Set(values)].sort() };
  });
  const all = [...requirements, ...expressions];
  const errors = all.flatMap(requirementErrors);
  if (errors.length > 0) throw new ParseError(joinErrors(errors));
  return { requirements: all.sort(byKey) };
}

/** Exactly these labels, such as a Service's selector. */
export function selectorOfLabels(labels: Labels): Selector {
  const requirements = Object.entries(labels).map(([key, value]): Requirement => ({
    key,
    operator: '=',
    values: [value],
  }));
  return { requirements: requirements.sort(byKey) };
}

function byKey(left: Requirement, right: Requirement): number {
  if (left.key === right.key) return 0;
  return left.key < right.key ? -1 : 1;
}

export function matchesLabels(selector: Selector, labels: Labels | undefined): boolean {
  if (selector.isNothing) return false;
  return selector.requirements.every((requirement) => meets(requirement, labels ?? {}));
}

function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt':
      return value !== undefined && isBeyond(value, operator, values[0] ?? '');
    default:
      return value !== undefined && values.includes(value);
  }
}

function isBeyond(value: string, operator: 'gt' | 'lt', limit: string): boolean {
  const [left, right] = [parseInt64(value), parseInt64(limit)];
  if (left === undefined || right === undefined) return false;
  return operator === 'gt' ? left > right : left < right;
}

/** Canonical text: `a=b,c in (d,e),!f`. */
export function formatSelector({ requirements }: Selector): string {
  return requirements.map(formatRequirement).join(',');
}

function formatRequirement({ key, operator, values }: Requirement): string {
  const text = values.join(',');
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${text})`;
    case 'gt':
      return `${key}>${text}`;
    case 'lt':
      return `${key}<${text}`;
    default:
      return `${key}${operator}${text}`;
  }
}

/** What is wrong with a selector in object form, as the validation of specs words it. */
export function labelSelectorErrors(selector: LabelSelector, path: string): FieldError[] {
  const labels = labelErrors(selector.matchLabels ?? {}, child(path, 'matchLabels'));
  const expressions = selector.matchExpressions ?? [];
  return [
    ...labels,
    ...expressions.flatMap((expression, position) =>
      expressionErrors(expression, index(child(path, 'matchExpressions'), position)),
    ),
  ];
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

function expressionErrors({ key, operator, values = [] }: Expression, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const valuesPath = child(path, 'values');
  if (operator === 'In' || operator === 'NotIn') {
    const detail = "must be specified when `operator` is 'In' or 'NotIn'";
    if (values.length === 0) errors.push(requiredField(valuesPath, detail));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    if (values.length > 0) errors.push(forbiddenField(valuesPath, detail));
  } else {
    errors.push(invalidField(child(path, 'operator'), operator, 'not a valid selector operator'));
  }
  errors.push(...qualifiedNameProblems(key).map((problem) => invalidField(child(path, 'key'), key, problem)));
  const ofValues = values.flatMap((value, position) =>
    labelValueProblems(value).map((problem) => invalidField(index(valuesPath, position), value, problem)),
  );
  return [...errors, ...ofValues];
}

/** What is wrong with a set of labels; the path is that of the set, as Kubernetes names no single label. */
export function labelErrors(labels: Labels, path: string): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameProblems(key).map((problem) => invalidField(path, key, problem)),
    ...labelValueProblems(value).map((problem) => invalidField(path, value, problem)),
  ]);
}
