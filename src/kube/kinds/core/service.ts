import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { serviceSpecSchema, serviceStatusSchema } from '#kube/kinds/core/service-spec.ts';
import { always, embedded } from '#kube/schema.ts';

export const Service = defineKind({
  apiVersion: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  doc: 'A name and an address for a set of pods.',
  properties: {
    spec: always(serviceSpecSchema),
    status: embedded(serviceStatusSchema),
  },
});
export type Service = ObjectOf<typeof Service>;
