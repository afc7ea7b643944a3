import { type FieldErrors, noErrors, via } from '#knative/field-error.ts';
import type { Service } from '#knative/kinds/service.ts';
import { isStatusUpdate, isUpdate, rulesOf, within } from '#knative/admission/context.ts';
import { validateParentMetadata, validateRolloutDuration } from '#knative/admission/metadata.ts';
import { defaultTemplate, validateNameChange, validateTemplate } from '#knative/admission/template.ts';
import { defaultTraffic, validateTraffic } from '#knative/admission/traffic.ts';
import { validateUserStamp } from '#knative/admission/user-stamp.ts';
import { serviceSpec } from '#knative/admission/wire/kinds.ts';

export const serviceRules = rulesOf<Service>({
  spec: serviceSpec,
  stampsUser: true,

  setDefaults(service, context) {
    const old = context.old as Service | undefined;
    defaultTemplate(service.spec.template, old?.spec.template, within(context, service));
    service.spec.traffic = defaultTraffic(service.spec.traffic, 'Service');
  },

  validate(service, context) {
    const { metadata, spec } = service;
    const ofContent: FieldErrors = isStatusUpdate(context)
      ? noErrors
      : [
          ...via('metadata', [...validateParentMetadata(metadata), ...validateRolloutDuration(metadata)]),
          ...via('spec', via('template', validateTemplate(spec.template, within(context, service)))),
          ...via('spec', validateTraffic(spec.traffic ?? [], 'Service')),
        ];
    if (!isUpdate(context)) return ofContent;
    const old = context.old as Service | undefined;
    return [
      ...ofContent,
      ...via('metadata.annotations', validateUserStamp(service, old)),
      ...via('spec.template', validateNameChange(spec.template, old?.spec.template)),
    ];
  },
});
