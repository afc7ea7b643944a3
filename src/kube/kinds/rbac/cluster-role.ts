import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { aggregationRuleSchema, policyRuleSchema } from '#kube/kinds/rbac/rules.ts';
import { documented, embedded, list } from '#kube/schema.ts';

export const ClusterRole = defineKind({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  doc: 'What may be done in the whole cluster, or in any namespace that binds it.',
  properties: {
    rules: embedded(list(policyRuleSchema, 'What the role allows.')),
    aggregationRule: documented(aggregationRuleSchema, 'Cluster roles that this one is made of.'),
  },
  hasStatus: false,
});
export type ClusterRole = ObjectOf<typeof ClusterRole>;
