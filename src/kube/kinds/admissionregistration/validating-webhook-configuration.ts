import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { validatingWebhookSchema } from '#kube/kinds/admissionregistration/webhook.ts';
import { listMap } from '#kube/schema.ts';

export const ValidatingWebhookConfiguration = defineKind({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  doc: 'Webhooks that accept or refuse objects.',
  properties: {
    webhooks: listMap(validatingWebhookSchema, { keys: ['name'] }, 'The webhooks.'),
  },
  hasStatus: false,
});
export type ValidatingWebhookConfiguration = ObjectOf<typeof ValidatingWebhookConfiguration>;
