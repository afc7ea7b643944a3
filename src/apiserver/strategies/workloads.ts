/** What Deployments, ReplicaSets and Jobs share: a selector, a template, counts. */
import { child, type FieldError, invalidField, notSupportedField, requiredField } from '#kube/field-error.ts';
import type { PodTemplateSpec } from '#kube/kinds/core/pod-spec.ts';
import type { LabelSelector } from '#kube/kinds/meta/label-selector.ts';
import { ParseError } from '#kube/parse-error.ts';
import { labelSelectorErrors, matchesLabels, selectorOf } from '#kube/selectors.ts';
import { forbiddenField } from '#kube/field-error.ts';
import type { KubeObject } from '#kube/object.ts';
import { notNegative } from '#apiserver/pod-spec/checks.ts';
import { templateErrors } from '#apiserver/pod-spec/validate.ts';
import { invalidLiteral, labelSelector, stringMap } from '#apiserver/strategies/literals.ts';
import { replaceMember } from '#apiserver/subresources.ts';
import type { SubresourceStrategy, WriteContext } from '#apiserver/strategy.ts';

/** A selector must be there, and select something. */
export function selectorErrors(selector: LabelSelector | undefined, path: string, kind: string): FieldError[] {
  if (!selector) return [requiredField(path)];
  const errors = labelSelectorErrors(selector, path);
  const isEmpty = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
  if (isEmpty) errors.push(invalidLiteral(path, labelSelector(selector), `empty selector is invalid for ${kind}`));
  if (selectorOf(selector) instanceof ParseError) {
    errors.push(invalidLiteral(path, labelSelector(selector), 'invalid label selector'));
  }
  return errors;
}

/** The template's pods are those that the selector means, and they are always started again. */
export function workloadTemplateErrors(
  template: PodTemplateSpec,
  selector: LabelSelector | undefined,
  path: string,
): FieldError[] {
  // Absent stands as null in the canonical form.
  const parsed = selectorOf(selector ?? undefined);
  if (parsed instanceof ParseError) return [];
  const labels = template.metadata?.labels;
  const isEmpty = !parsed.isNothing && parsed.requirements.length === 0;
  const errors: FieldError[] = [];
  if (!isEmpty && !matchesLabels(parsed, labels)) {
    const detail = '`selector` does not match template `labels`';
    errors.push(invalidLiteral(child(path, 'metadata.labels'), stringMap(labels), detail));
  }
  errors.push(...templateErrors(template, path));
  const { restartPolicy, activeDeadlineSeconds } = template.spec;
  if (restartPolicy !== 'Always') {
    errors.push(notSupportedField(child(path, 'spec.restartPolicy'), restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = 'activeDeadlineSeconds in ReplicaSet is not Supported';
    errors.push(forbiddenField(child(path, 'spec.activeDeadlineSeconds'), detail));
  }
  return errors;
}

/** Numbers of a status that may not be larger than the number of all pods. */
export function statusCountErrors(
  status: Readonly<Record<string, unknown>>,
  parts: readonly string[],
  detail: string,
): FieldError[] {
  const count = (name: string) => Number(status[name] ?? 0);
  const names = ['replicas', ...parts];
  const negative = names.flatMap((name) => notNegative(child('status', name), count(name)));
  const larger = parts
    .filter((name) => count(name) > count('replicas'))
    .map((name) => invalidField(child('status', name), count(name), detail));
  return [...negative, ...larger];
}

/** The status of a workload: a write through it leaves the spec and the labels alone. */
export function statusStrategy(
  validateUpdate: (object: KubeObject, old: KubeObject) => readonly FieldError[],
): SubresourceStrategy {
  return {
    prepareForUpdate(object: KubeObject, old: KubeObject, _context: WriteContext) {
      replaceMember(object, old, 'spec');
      if (old.metadata.labels) object.metadata.labels = old.metadata.labels;
      else delete object.metadata.labels;
    },
    validateUpdate,
  };
}
