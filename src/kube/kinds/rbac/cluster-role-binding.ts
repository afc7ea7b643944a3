import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { roleRefSchema, subjectSchema } from '#kube/kinds/rbac/rules.ts';
import { documented, list, required } from '#kube/schema.ts';

export const ClusterRoleBinding = defineKind({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
  doc: 'Gives a cluster role to subjects, everywhere.',
  properties: {
    subjects: list(subjectSchema, 'Who is given the role.'),
    roleRef: required(documented(roleRefSchema, 'The role; it cannot be changed.')),
  },
  hasStatus: false,
});
export type ClusterRoleBinding = ObjectOf<typeof ClusterRoleBinding>;
