/** Knative's defaulting and validation as hooks of the API server. */
import type { AdmissionHook, AdmissionRequest } from '#apiserver/admission/chain.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { resourceOf } from '#kube/kind.ts';
import { badRequest } from '#kube/status.ts';
import {
  admittedResources,
  mutate,
  validate,
  validateConfigMapWrite,
  type Verdict,
} from '#knative/admission/admission.ts';
import type { KnativeConfig } from '#knative/config/all.ts';

/** @param config what the ConfigMaps say at the time of the request. */
export function knativeAdmission(config: () => KnativeConfig): AdmissionHook[] {
  const judge = (request: AdmissionRequest, rule: typeof mutate) => {
    const { kind, object, old, subresource, user, operation } = request;
    if (operation === 'DELETE') return;
    take(rule(kind, { config: config(), operation, subresource, old, user: user.name }, object), request);
  };
  const kinds = admittedResources.map((resource) => ({
    resource,
    mutate: (request: AdmissionRequest) => judge(request, mutate),
    validate: (request: AdmissionRequest) => judge(request, validate),
  }));
  return [...kinds, { resource: resourceOf(ConfigMap), validate: validateConfig }];
}

function validateConfig(request: AdmissionRequest): void {
  if (request.operation !== 'DELETE') take(validateConfigMapWrite(request.object), request);
}

function take({ denied, warnings }: Verdict, request: AdmissionRequest): void {
  for (const warning of warnings) request.warn(warning);
  if (denied !== undefined) throw badRequest(denied);
}
