import { noErrors, via } from '#knative/field-error.ts';
import type { Route } from '#knative/kinds/route.ts';
import { SERVICE_LABEL } from '#knative/labels.ts';
import { isUpdate, rulesOf } from '#knative/admission/context.ts';
import { validateOwnerLabel, validateParentMetadata, validateRolloutDuration } from '#knative/admission/metadata.ts';
import { defaultTraffic, validateTraffic } from '#knative/admission/traffic.ts';
import { validateUserStamp } from '#knative/admission/user-stamp.ts';
import { routeSpec } from '#knative/admission/wire/kinds.ts';

export const routeRules = rulesOf<Route>({
  spec: routeSpec,
  stampsUser: true,

  setDefaults(route) {
    const traffic = defaultTraffic(route.spec.traffic, 'Route');
    if (traffic) route.spec.traffic = traffic;
  },

  validate(route, context) {
    const { metadata, spec } = route;
    const isOwned = metadata.ownerReferences !== undefined;
    const ofStamp = isUpdate(context) && !isOwned ? validateUserStamp(route, context.old) : noErrors;
    return [
      ...via('metadata', [
        ...validateParentMetadata(metadata),
        ...validateOwnerLabel(metadata, SERVICE_LABEL, 'Service'),
        ...validateRolloutDuration(metadata),
        ...via('annotations', ofStamp),
      ]),
      ...via('spec', validateTraffic(spec.traffic ?? [], 'Route')),
    ];
  },
});
