import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { namespaceSpecSchema, namespaceStatusSchema } from '#kube/kinds/core/namespace-spec.ts';
import { embedded } from '#kube/schema.ts';

export const Namespace = defineKind({
  apiVersion: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  doc: 'A space of names; deleting it deletes what is in it.',
  properties: {
    spec: embedded(namespaceSpecSchema),
    status: embedded(namespaceStatusSchema),
  },
});
export type Namespace = ObjectOf<typeof Namespace>;
