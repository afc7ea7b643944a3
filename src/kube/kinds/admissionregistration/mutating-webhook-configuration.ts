import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { mutatingWebhookSchema } from '#kube/kinds/admissionregistration/webhook.ts';
import { listMap } from '#kube/schema.ts';

export const MutatingWebhookConfiguration = defineKind({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  doc: 'Webhooks that may change objects.',
  properties: {
    webhooks: listMap(mutatingWebhookSchema, { keys: ['name'] }, 'The webhooks.'),
  },
  hasStatus: false,
});
export type MutatingWebhookConfiguration = ObjectOf<typeof MutatingWebhookConfiguration>;
