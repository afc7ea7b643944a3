import { type FieldErrors, noErrors, via } from '#knative/field-error.ts';
import type { Configuration } from '#knative/kinds/configuration.ts';
import { SERVICE_LABEL } from '#knative/labels.ts';
import { isStatusUpdate, isUpdate, rulesOf, within } from '#knative/admission/context.ts';
import { validateOwnerLabel, validateParentMetadata } from '#knative/admission/metadata.ts';
import { defaultTemplate, validateNameChange, validateTemplate } from '#knative/admission/template.ts';
import { validateUserStamp } from '#knative/admission/user-stamp.ts';
import { configurationSpec } from '#knative/admission/wire/kinds.ts';

export const configurationRules = rulesOf<Configuration>({
  spec: configurationSpec,
  stampsUser: true,

  setDefaults(configuration, context) {
    const old = context.old as Configuration | undefined;
    defaultTemplate(configuration.spec.template, old?.spec.template, within(context, configuration));
  },

  validate(configuration, context) {
    const { metadata, spec } = configuration;
    const ofContent: FieldErrors = isStatusUpdate(context)
      ? noErrors
      : [
          ...via('metadata', validateParentMetadata(metadata)),
          ...via('metadata', validateOwnerLabel(metadata, SERVICE_LABEL, 'Service')),
          ...via('spec.template', validateTemplate(spec.template, within(context, configuration))),
        ];
    if (!isUpdate(context)) return ofContent;
    const old = context.old as Configuration | undefined;
    const ofStamp = metadata.ownerReferences ? noErrors : validateUserStamp(configuration, old);
    return [
      ...ofContent,
      ...via('metadata.annotations', ofStamp),
      ...via('spec.template', validateNameChange(spec.template, old?.spec.template)),
    ];
  },
});
