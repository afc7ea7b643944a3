import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { roleRefSchema, subjectSchema } from '#kube/kinds/rbac/rules.ts';
import { documented, list, required } from '#kube/schema.ts';

export const RoleBinding = defineKind({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  namespaced: true,
  doc: 'Gives a role to subjects, in one namespace.',
  properties: {
    subjects: list(subjectSchema, 'Who is given the role.'),
    roleRef: required(documented(roleRefSchema, 'The role; it cannot be changed.')),
  },
  hasStatus: false,
});
export type RoleBinding = ObjectOf<typeof RoleBinding>;
