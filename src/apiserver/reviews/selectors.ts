/**
 * Selectors in access reviews. Roles know nothing of them, so that they decide nothing here; but they are checked, and
 * what cannot be understood of them is told, as Kubernetes does.
 */
import { type FieldError, forbiddenField, index, invalidField, requiredField } from '#kube/field-error.ts';
import { parseFieldSelector } from '#kube/field-selectors.ts';
import type { ReviewedResource } from '#kube/kinds/authorization/attributes.ts';
import { labelValueProblems, qualifiedNameProblems } from '#kube/names.ts';
import { ParseError } from '#kube/parse-error.ts';
import { parseLabelSelector } from '#kube/selectors.ts';

type Selector = NonNullable<ReviewedResource['fieldSelector']>;
type Requirement = NonNullable<Selector['requirements']>[number];

export function selectorErrors({ fieldSelector, labelSelector }: ReviewedResource, path: string): FieldError[] {
  return [
    ...(fieldSelector ? errorsOf(fieldSelector, `${path}.fieldSelector`, fieldErrors) : []),
    ...(labelSelector ? errorsOf(labelSelector, `${path}.labelSelector`, labelErrors) : []),
  ];
}

type Check = (requirement: Requirement, path: string) => FieldError[];

function errorsOf({ rawSelector = '', requirements }: Selector, path: string, check: Check): FieldError[] {
  const list = requirements ?? [];
  const both = 'may not specified at the same time as requirements';
  const none = `when ${path} is specified, requirements or rawSelector is required`;
  return [
    ...(rawSelector !== '' && list.length > 0 ? [invalidField(`${path}.rawSelector`, rawSelector, both)] : []),
    ...(rawSelector === '' && list.length === 0 ? [requiredField(`${path}.requirements`, none)] : []),
    ...list.flatMap((requirement, position) => check(requirement, index(`${path}.requirements`, position))),
  ];
}

function valueErrors({ operator, values }: Requirement, path: string): FieldError[] {
  const count = (values ?? []).length;
  if (['In', 'NotIn'].includes(operator) && count === 0) {
    return [requiredField(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
  }
  if (!['Exists', 'DoesNotExist'].includes(operator) || count === 0) return [];
  return [forbiddenField(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
}

function fieldErrors(requirement: Requirement, path: string): FieldError[] {
  const ofKey = requirement.key === '' ? [requiredField(`${path}.key`, 'must be specified')] : [];
  return [...ofKey, ...valueErrors(requirement, path)];
}

function labelErrors(requirement: Requirement, path: string): FieldError[] {
  const { key, values } = requirement;
  return [
    ...valueErrors(requirement, path),
    ...qualifiedNameProblems(key).map((problem) => invalidField(`${path}.key`, key, problem)),
    ...(values ?? []).flatMap((value, position) =>
      labelValueProblems(value).map((problem) => invalidField(index(`${path}.values`, position), value, problem)),
    ),
  ];
}

/** What of the selectors had to be ignored. */
export function selectorProblems({ fieldSelector, labelSelector }: ReviewedResource): string[] {
  const ofFields = fieldSelector && understood(fieldSelector, parseFieldSelector, isFieldRequirement);
  const ofLabels = labelSelector && understood(labelSelector, parseLabelSelector, isLabelRequirement);
  return [
    ...(ofFields ? [`spec.resourceAttributes.fieldSelector ${ofFields} due to parse error`] : []),
    ...(ofLabels ? [`spec.resourceAttributes.labelSelector ${ofLabels} due to parse error`] : []),
  ];
}

type Ignored = 'ignored' | 'partially ignored' | undefined;

function understood(
  { rawSelector = '', requirements }: Selector,
  parse: (text: string) => unknown,
  isKnown: (requirement: Requirement) => boolean,
): Ignored {
  const list = requirements ?? [];
  if (list.length === 0) return rawSelector !== '' && parse(rawSelector) instanceof ParseError ? 'ignored' : undefined;
  const known = list.filter(isKnown).length;
  if (known === list.length) return undefined;
  return known === 0 ? 'ignored' : 'partially ignored';
}

function isFieldRequirement({ operator, values }: Requirement): boolean {
  return (operator === 'In' || operator === 'NotIn') && (values ?? []).length === 1;
}

function isLabelRequirement({ operator }: Requirement): boolean {
  return ['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator);
}
