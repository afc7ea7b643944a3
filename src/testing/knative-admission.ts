/** Knative's admission as hooks of a test API server, with the ConfigMaps as they are then. */
import type { AdmissionHook, AdmissionRequest } from '#apiserver/admission/chain.ts';
import { admittedResources, mutate, validate, type Verdict } from '#knative/admission/admission.ts';
import type { KnativeConfig } from '#knative/config/all.ts';
import { badRequest } from '#kube/status.ts';

export function knativeAdmission(config: () => KnativeConfig): AdmissionHook[] {
  const judge = (request: AdmissionRequest, rule: typeof mutate) => {
    const { kind, object, old, subresource, user, operation } = request;
    if (operation === 'DELETE') return;
    const context = { config: config(), operation, subresource, old, user: user.name };
    take(rule(kind, context, object), request);
  };
  return admittedResources.map((resource) => ({
    resource,
    mutate: (request: AdmissionRequest) => judge(request, mutate),
    validate: (request: AdmissionRequest) => judge(request, validate),
  }));
}

function take({ denied, warnings }: Verdict, request: AdmissionRequest): void {
  for (const warning of warnings) request.warn(warning);
  if (denied !== undefined) throw badRequest(denied);
}
