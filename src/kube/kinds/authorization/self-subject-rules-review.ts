import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { always, boolean, embedded, list, object, required, string } from '#kube/schema.ts';

const specSchema = object(
  { namespace: string('The namespace that is asked about.') },
  { name: 'io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec', doc: 'Where the caller asks about its rights.' },
);

const resourceRuleSchema = object(
  {
    verbs: required(list(string(), 'What may be done; * for everything.')),
    apiGroups: list(string(), 'Groups of the resources; * for all.'),
    resources: list(string(), 'The resources; * for all.'),
    resourceNames: list(string(), 'Names of the objects; all when empty.'),
  },
  { name: 'io.k8s.api.authorization.v1.ResourceRule', doc: 'What may be done to which resources.' },
);

const nonResourceRuleSchema = object(
  {
    verbs: required(list(string(), 'HTTP methods in small letters; * for all.')),
    nonResourceURLs: list(string(), 'The paths; * for all.'),
  },
  { name: 'io.k8s.api.authorization.v1.NonResourceRule', doc: 'What may be done to which paths.' },
);

const statusSchema = object(
  {
    resourceRules: required(list(resourceRuleSchema, 'What the caller may do to resources, in no order.')),
    nonResourceRules: required(list(nonResourceRuleSchema, 'What the caller may do to paths, in no order.')),
    incomplete: required(boolean('Whether there may be more.')),
    evaluationError: string('What could not be found out.'),
  },
  { name: 'io.k8s.api.authorization.v1.SubjectRulesReviewStatus', doc: 'What the caller may do.' },
);

/** Has no storage: it is created to be answered. */
export const SelfSubjectRulesReview = defineKind({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  namespaced: false,
  doc: 'Asks for everything that the caller may do in a namespace.',
  properties: { spec: always(specSchema), status: embedded(statusSchema) },
  hasStatus: false,
});
export type SelfSubjectRulesReview = ObjectOf<typeof SelfSubjectRulesReview>;
