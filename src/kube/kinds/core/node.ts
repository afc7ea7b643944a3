import { nodeSpecSchema } from '#kube/kinds/core/node-spec.ts';
import { nodeStatusSchema } from '#kube/kinds/core/node-status.ts';
import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { embedded } from '#kube/schema.ts';

export const Node = defineKind({
  apiVersion: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  doc: 'A machine that runs pods.',
  properties: {
    spec: embedded(nodeSpecSchema),
    status: embedded(nodeStatusSchema),
  },
});
export type Node = ObjectOf<typeof Node>;
