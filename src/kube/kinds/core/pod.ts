import { podSpecSchema } from '#kube/kinds/core/pod-spec.ts';
import { podStatusSchema } from '#kube/kinds/core/pod-status.ts';
import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { always, embedded } from '#kube/schema.ts';

export const Pod = defineKind({
  apiVersion: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  doc: 'Containers that run together on one node and share its network.',
  properties: {
    spec: always(podSpecSchema),
    status: embedded(podStatusSchema),
  },
});
export type Pod = ObjectOf<typeof Pod>;
