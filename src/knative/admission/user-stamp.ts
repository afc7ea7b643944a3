/** Who made an object and who changed it last: annotations that only the platform writes. */
import { deepEqual } from '#base/json.ts';
import type { KubeObject, ObjectMeta } from '#kube/object.ts';
import { type FieldErrors, fieldError, invalidValue, noErrors } from '#knative/field-error.ts';
import { CREATOR_ANNOTATION, LAST_MODIFIER_ANNOTATION } from '#knative/labels.ts';
import { type AdmissionContext, isUpdate } from '#knative/admission/context.ts';

/** An object of which `spec` is all that matters here. */
interface WithSpec {
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
}

/** Writes the annotations; a change that leaves the spec alone has no modifier. */
export function stampUser(object: KubeObject & WithSpec, old: WithSpec | undefined, context: AdmissionContext): void {
  if (isUpdate(context) && deepEqual(object.spec, old?.spec)) return;
  const annotations: Record<string, string> = { ...object.metadata.annotations };
  if (!isUpdate(context)) annotations[CREATOR_ANNOTATION] = context.user;
  annotations[LAST_MODIFIER_ANNOTATION] = context.user;
  object.metadata.annotations = annotations;
}

/** The creator never changes, the modifier only with the spec. */
export function validateUserStamp(object: WithSpec, old: WithSpec | undefined): FieldErrors {
  const before = old?.metadata.annotations ?? {};
  const after = object.metadata.annotations ?? {};
  const isChanged = (key: string) => (before[key] ?? '') !== (after[key] ?? '');
  const ofCreator = isChanged(CREATOR_ANNOTATION)
    ? fieldError('annotation value is immutable', CREATOR_ANNOTATION)
    : noErrors;
  if (!deepEqual(object.spec, old?.spec) || !isChanged(LAST_MODIFIER_ANNOTATION)) return ofCreator;
  return [...ofCreator, ...invalidValue(after[LAST_MODIFIER_ANNOTATION] ?? '', LAST_MODIFIER_ANNOTATION)];
}
