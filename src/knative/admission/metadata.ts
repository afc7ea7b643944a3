/** Rules for metadata: names, annotations of the autoscaler in the wrong place, labels that need an owner. */
import { isObject } from '#base/json.ts';
import { dns1035LabelProblems } from '#kube/names.ts';
import type { ObjectMeta } from '#kube/object.ts';
import { parseDurationMs } from '#kube/duration.ts';
import {
  type FieldErrors,
  fieldError,
  invalidKeyName,
  invalidValue,
  missingField,
  noErrors,
  via,
} from '#knative/field-error.ts';
import { isWholeSeconds } from '#knative/go/duration.ts';
import { AUTOSCALING_GROUP, findByKeys, type Keys, ROLLOUT_DURATION_KEYS } from '#knative/labels.ts';

/** The name must be a DNS label, since it becomes part of a host. */
export function validateName({ name, generateName }: ObjectMeta): FieldErrors {
  if (generateName) {
    const problems = prefixProblems(generateName);
    if (problems.length > 0) return fieldError(`not a DNS 1035 label prefix: ${goList(problems)}`, 'generateName');
  }
  if (name) {
    const problems = dns1035LabelProblems(name);
    return problems.length > 0 ? fieldError(`not a DNS 1035 label: ${goList(problems)}`, 'name') : noErrors;
  }
  return generateName ? noErrors : fieldError('name or generateName is required', 'name');
}

/** What is wrong with a prefix of DNS labels: it may end in a dash. */
export function prefixProblems(prefix: string): string[] {
  return dns1035LabelProblems(prefix.length > 1 ? prefix.replace(/.-$/, 'a') : prefix);
}

/** A list of texts as Go prints it. */
export function goList(entries: readonly string[]): string {
  return `[${entries.join(' ')}]`;
}

/** Metadata of a Service, Configuration or Route: annotations of the autoscaler belong on the template. */
export function validateParentMetadata(metadata: ObjectMeta): FieldErrors {
  const misplaced = Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith(AUTOSCALING_GROUP));
  const details = 'autoscaling annotations must be put under "spec.template.metadata.annotations" to work';
  const errors = misplaced.flatMap((key) => invalidKeyName(key, 'annotations', details));
  return [...validateName(metadata), ...errors];
}

/** A duration in an annotation: whole seconds, not negative. `name` is how the texts call it. */
export function validateSecondsAnnotation(metadata: ObjectMeta, keys: Keys, name: string): FieldErrors {
  const found = findByKeys(metadata.annotations, keys);
  if (!found || found.value === '') return noErrors;
  const { key, value } = found;
  const durationMs = parseDurationMs(value);
  if (durationMs instanceof Error) return invalidValue(value, key);
  if (!isWholeSeconds(durationMs)) return fieldError(`${name}=${value} is not at second precision`, key);
  return durationMs < 0 ? fieldError(`${name}=${value} must be positive`, key) : noErrors;
}

export function validateRolloutDuration(metadata: ObjectMeta): FieldErrors {
  return via('annotations', validateSecondsAnnotation(metadata, ROLLOUT_DURATION_KEYS, 'rollout-duration'));
}

/** A label that names an owner is only good beside a reference to it. */
export function validateOwnerLabel(metadata: ObjectMeta, label: string, ownerKind: string): FieldErrors {
  const name = metadata.labels?.[label];
  if (name === undefined) return noErrors;
  const owners = (metadata.ownerReferences ?? []).filter((reference) => isObject(reference));
  const isOwned = owners.some((reference) => reference.kind === ownerKind && reference.name === name);
  return isOwned ? noErrors : via('labels', missingField(label));
}
