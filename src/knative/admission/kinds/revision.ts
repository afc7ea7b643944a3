import { deepEqual } from '#base/json.ts';
import { type FieldErrors, fieldError, noErrors, via } from '#knative/field-error.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import { CONFIGURATION_LABEL } from '#knative/labels.ts';
import { validateAutoscalingAnnotations } from '#knative/admission/autoscaling-annotations.ts';
import { isUpdate, rulesOf, within } from '#knative/admission/context.ts';
import { shortDiff } from '#knative/admission/go-diff.ts';
import { validateName, validateOwnerLabel } from '#knative/admission/metadata.ts';
import { defaultRevisionSpec } from '#knative/admission/revision-defaults.ts';
import { validateRevisionSpec } from '#knative/admission/template.ts';
import { revisionSpec } from '#knative/admission/wire/kinds.ts';

export const revisionRules = rulesOf<Revision>({
  spec: revisionSpec,
  stampsUser: false,

  setDefaults(revision, context) {
    // New defaults would count as a change of what cannot change.
    if (!isUpdate(context)) defaultRevisionSpec(revision.spec, within(context, revision));
  },

  validate(revision, context) {
    const { metadata, spec } = revision;
    const change = isUpdate(context) ? validateUnchanged(spec, (context.old as Revision | undefined)?.spec) : noErrors;
    // A changed spec is all that Knative speaks of then.
    if (change.length > 0) return change;
    const ofAnnotations = validateAutoscalingAnnotations(metadata.annotations ?? {}, context.config.autoscaler);
    const ofLabel = validateOwnerLabel(metadata, CONFIGURATION_LABEL, 'Configuration');
    const ofSpec = isUpdate(context) ? noErrors : validateRevisionSpec(spec, within(context, revision));
    return [
      ...via('metadata', [...validateName(metadata), ...via('annotations', ofAnnotations), ...ofLabel]),
      ...via('spec', ofSpec),
    ];
  },
});

function validateUnchanged(spec: Revision['spec'], before: Revision['spec'] | undefined): FieldErrors {
  if (deepEqual(spec, before)) return noErrors;
  const details = shortDiff(revisionSpec, [before, spec], '{v1.RevisionSpec}');
  return fieldError('Immutable fields changed (-old +new)', 'spec', details);
}
