/** The template of Revisions: its metadata, its spec, and names that the user chose. */
import {
  asWarnings,
  disallowedField,
  type FieldErrors,
  fieldError,
  invalidValue,
  noErrors,
  outOfBounds,
  via,
} from '#knative/field-error.ts';
import { deepEqual } from '#base/json.ts';
import { dns1035LabelProblems } from '#kube/names.ts';
import type { ObjectMeta } from '#kube/object.ts';
import { parseQuantity } from '#kube/quantity.ts';
import { formatFloat, parseFloat64 } from '#knative/go/numbers.ts';
import { findByKeys, PROGRESS_DEADLINE_KEYS, RESOURCE_PERCENTAGE_KEYS, sidecarResourceKeys } from '#knative/labels.ts';
import type { RevisionSpec, RevisionTemplate } from '#knative/kinds/revision-spec.ts';
import { validateAutoscalingAnnotations } from '#knative/admission/autoscaling-annotations.ts';
import type { SpecContext } from '#knative/admission/context.ts';
import { shortDiff } from '#knative/admission/go-diff.ts';
import { goList, prefixProblems, validateSecondsAnnotation } from '#knative/admission/metadata.ts';
import { validatePodSpec } from '#knative/admission/pod/pod-spec.ts';
import { defaultRevisionSpec } from '#knative/admission/revision-defaults.ts';
import { revisionTemplate } from '#knative/admission/wire/kinds.ts';

/**
 * Fills in the template, unless it keeps the name that the user gave it before: then it must stay as it is, and new
 * defaults would count as a change.
 */
export function defaultTemplate(
  template: RevisionTemplate,
  before: RevisionTemplate | undefined,
  context: SpecContext,
): void {
  const name = template.metadata?.name ?? '';
  if (name !== '' && name === before?.metadata?.name) return;
  defaultRevisionSpec(template.spec, context);
}

export function validateTemplate(template: RevisionTemplate, context: SpecContext): FieldErrors {
  const metadata = template.metadata ?? {};
  const annotations = metadata.annotations ?? {};
  const ofAnnotations = [
    ...validateAutoscalingAnnotations(annotations, context.config.autoscaler),
    ...validateSidecarResources(annotations),
    ...validateSecondsAnnotation(metadata, PROGRESS_DEADLINE_KEYS, 'progress-deadline'),
  ];
  return [
    ...via('spec', validateRevisionSpec(template.spec, context)),
    ...via('metadata', [...validateRevisionName(metadata, context.parent), ...via('annotations', ofAnnotations)]),
  ];
}

export function validateRevisionSpec(spec: RevisionSpec, { config }: SpecContext): FieldErrors {
  const { timeoutSeconds = 0, containerConcurrency } = spec;
  const maxTimeout = config.defaults.maxRevisionTimeoutSeconds;
  const isBadTimeout = timeoutSeconds < 0 || timeoutSeconds > maxTimeout;
  return [
    ...validatePodSpec(spec, config.features),
    ...(isBadTimeout ? outOfBounds(timeoutSeconds, [0, maxTimeout], 'timeoutSeconds') : noErrors),
    ...(containerConcurrency === undefined ? noErrors : validateConcurrency(containerConcurrency, config)),
  ];
}

export function validateConcurrency(value: number, { defaults }: SpecContext['config']): FieldErrors {
  const least = defaults.allowContainerConcurrencyZero ? 0 : 1;
  const most = defaults.containerConcurrencyMaxLimit;
  return value < least || value > most ? outOfBounds(value, [least, most], 'containerConcurrency') : noErrors;
}

/** A name of the user's choice must begin with the name of the parent. */
function validateRevisionName({ name, generateName }: ObjectMeta, parent: ObjectMeta): FieldErrors {
  if (generateName) {
    const problems = prefixProblems(generateName);
    if (problems.length > 0) return invalidValue(`not a DNS 1035 label prefix: ${goList(problems)}`, 'generateName');
  }
  if (!name) return noErrors;
  const problems = dns1035LabelProblems(name);
  if (problems.length > 0) return invalidValue(`not a DNS 1035 label: ${goList(problems)}`, 'name');
  if (!parent.name && parent.generateName) return disallowedField('name');
  const prefix = `${parent.name ?? ''}-`;
  const isBelow = name.startsWith(prefix);
  return isBelow ? noErrors : invalidValue(`"${name}" must have prefix "${prefix}"`, 'name');
}

const PERCENTAGE_RANGE = [0.1, 100] as const;

/** Paths have the key in brackets, where dots then divide it: the form that was recorded. */
function validateSidecarResources(annotations: Readonly<Record<string, string>>): FieldErrors {
  const amounts = sidecarResourceKeys.flatMap((keys) => findByKeys(annotations, keys) ?? []);
  const bad = amounts.filter(({ value }) => parseQuantity(value) instanceof Error);
  return [...validatePercentage(annotations), ...bad.flatMap(({ key, value }) => invalidValue(value, `[${key}]`))];
}

const DEPRECATED_PERCENTAGE =
  'Queue proxy resource percentage annotation is deprecated. Please use the available annotations to explicitly set ' +
  'resource values per service';

function validatePercentage(annotations: Readonly<Record<string, string>>): FieldErrors {
  const found = findByKeys(annotations, RESOURCE_PERCENTAGE_KEYS);
  if (!found) return noErrors;
  const { key, value } = found;
  const deprecated = asWarnings(fieldError(DEPRECATED_PERCENTAGE, []));
  const percentage = parseFloat64(value);
  if (percentage instanceof Error) return [...deprecated, ...invalidValue(value, `[${key}]`)];
  const isOutside = percentage < PERCENTAGE_RANGE[0] || percentage > PERCENTAGE_RANGE[1];
  return isOutside
    ? [...deprecated, ...outOfBounds(formatFloat(percentage), PERCENTAGE_RANGE, `[${key}]`)]
    : deprecated;
}

/** With a name of the user's choice, nothing else of the template may change while the name stays. */
export function validateNameChange(template: RevisionTemplate, before: RevisionTemplate | undefined): FieldErrors {
  const name = template.metadata?.name ?? '';
  if (name === '' || name !== before?.metadata?.name || deepEqual(template, before)) return noErrors;
  const message = 'Saw the following changes without a name change (-old +new)';
  const details = shortDiff(revisionTemplate, [before, template], '{*v1.RevisionTemplateSpec}');
  return fieldError(message, 'metadata.name', details);
}
