/** Rules, subjects and references of roles. */
import { labelSelectorSchema } from '#kube/kinds/meta/label-selector.ts';
import { type Infer, list, object, required, string } from '#kube/schema.ts';

export const policyRuleSchema = object(
  {
    verbs: required(list(string(), 'What may be done; * for everything.')),
    apiGroups: list(string(), 'Groups of the resources; * for all.'),
    resources: list(string(), 'Resources; * for all.'),
    resourceNames: list(string(), 'Names of the objects; all when empty.'),
    nonResourceURLs: list(string(), 'Paths outside the API, in cluster roles only.'),
  },
  { name: 'io.k8s.api.rbac.v1.PolicyRule', doc: 'What may be done to what.' },
);
export type PolicyRule = Infer<typeof policyRuleSchema>;

export const subjectSchema = object(
  {
    kind: required(string('User, Group or ServiceAccount.')),
    apiGroup: string("Group of the subject's kind."),
    name: required(string('Name of the subject.')),
    namespace: string('Namespace of a service account.'),
  },
  { name: 'io.k8s.api.rbac.v1.Subject', doc: 'Who is given a role.', atomic: true },
);
export type Subject = Infer<typeof subjectSchema>;

export const roleRefSchema = object(
  {
    apiGroup: required(string('Group of the role.')),
    kind: required(string('Role or ClusterRole.')),
    name: required(string('Name of the role.')),
  },
  { name: 'io.k8s.api.rbac.v1.RoleRef', doc: 'The role that is given.', atomic: true },
);
export type RoleRef = Infer<typeof roleRefSchema>;

export const aggregationRuleSchema = object(
  {
    clusterRoleSelectors: list(labelSelectorSchema, 'Choices of cluster roles whose rules are taken over.'),
  },
  { name: 'io.k8s.api.rbac.v1.AggregationRule', doc: 'Which cluster roles a cluster role is made of.' },
);
