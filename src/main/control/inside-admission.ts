/**
 * Knative's release manifests as hooks of the API server: what they bring that Pinnace has inside is kept, starts
 * nothing, and its author is told so. Definitions of our own kinds stay as the program has them.
 */
import { clone } from '#base/json.ts';
import type { AdmissionHook, AdmissionRequest } from '#apiserver/admission/chain.ts';
import { insidePart, insideWarning, putToRest } from '#knative/inside.ts';
import { MutatingWebhookConfiguration } from '#kube/kinds/admissionregistration/mutating-webhook-configuration.ts';
import { ValidatingWebhookConfiguration } from '#kube/kinds/admissionregistration/validating-webhook-configuration.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { Job } from '#kube/kinds/batch/job.ts';
import { resourceOf } from '#kube/kind.ts';
import { forbidden } from '#kube/status.ts';

const RESTING = [Deployment, Job, MutatingWebhookConfiguration, ValidatingWebhookConfiguration];

/** @param definitions of the kinds that the program has. */
export function insideAdmission(definitions: readonly CustomResourceDefinition[]): AdmissionHook[] {
  const own = new Map(definitions.map((definition) => [definition.metadata.name ?? '', definition]));
  return [
    ...RESTING.map((kind) => ({ resource: resourceOf(kind), mutate: rest })),
    { resource: resourceOf(CustomResourceDefinition), mutate: (request) => keepDefinition(request, own) },
  ];
}

function rest(request: AdmissionRequest): void {
  const { object, operation, subresource } = request;
  const part = insidePart(object);
  if (operation === 'DELETE' || part === undefined) return;
  putToRest(object);
  if (subresource === undefined) request.warn(insideWarning(part));
}

function keepDefinition(request: AdmissionRequest, own: ReadonlyMap<string, CustomResourceDefinition>): void {
  const { name = '', object, operation, subresource } = request;
  const definition = own.get(name);
  if (definition === undefined || subresource !== undefined) {
    if (subresource === undefined) rest(request);
    return;
  }
  if (operation === 'DELETE') throw forbidden(CustomResourceDefinition, name, 'this kind is part of Pinnace');
  (object as CustomResourceDefinition).spec = clone(definition.spec);
  request.warn(`Pinnace has ${definition.spec.names.kind} inside: what this definition says of it changes nothing`);
}
