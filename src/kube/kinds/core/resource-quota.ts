import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { resourceQuotaSpecSchema, resourceQuotaStatusSchema } from '#kube/kinds/core/quota-spec.ts';
import { embedded } from '#kube/schema.ts';

export const ResourceQuota = defineKind({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  doc: 'Limits of what a namespace may hold.',
  properties: {
    spec: embedded(resourceQuotaSpecSchema),
    status: embedded(resourceQuotaStatusSchema),
  },
});
export type ResourceQuota = ObjectOf<typeof ResourceQuota>;
