import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { policyRuleSchema } from '#kube/kinds/rbac/rules.ts';
import { embedded, list } from '#kube/schema.ts';

export const Role = defineKind({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  plural: 'roles',
  namespaced: true,
  doc: 'What may be done in a namespace.',
  properties: {
    rules: embedded(list(policyRuleSchema, 'What the role allows.')),
  },
  hasStatus: false,
});
export type Role = ObjectOf<typeof Role>;
