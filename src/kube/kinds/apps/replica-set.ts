import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { replicaSetSpecSchema, replicaSetStatusSchema } from '#kube/kinds/apps/replica-set-spec.ts';
import { always, embedded } from '#kube/schema.ts';

export const ReplicaSet = defineKind({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  doc: 'Keeps a number of pods of one template running.',
  properties: {
    spec: always(replicaSetSpecSchema),
    status: embedded(replicaSetStatusSchema),
  },
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.spec.selector',
  },
});
export type ReplicaSet = ObjectOf<typeof ReplicaSet>;
