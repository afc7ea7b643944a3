import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { leaseSpecSchema } from '#kube/kinds/coordination/lease-spec.ts';
import { embedded } from '#kube/schema.ts';

export const Lease = defineKind({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  doc: 'A lock with a holder and an expiry.',
  properties: {
    spec: embedded(leaseSpecSchema),
  },
});
export type Lease = ObjectOf<typeof Lease>;
