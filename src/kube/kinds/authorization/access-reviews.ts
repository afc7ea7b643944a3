/** Three ways to ask whether somebody may do something. None has storage: they are created to be answered. */
import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { actionProperties } from '#kube/kinds/authorization/attributes.ts';
import { always, boolean, embedded, type Infer, list, map, object, required, string } from '#kube/schema.ts';

const API_VERSION = 'authorization.k8s.io/v1';

const ownSpecSchema = object(actionProperties, {
  name: 'io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec',
  doc: 'What is asked about the caller.',
});
export type SelfSubjectAccessReviewSpec = Infer<typeof ownSpecSchema>;

const specSchema = object(
  {
    ...actionProperties,
    user: string('The user that is asked about.'),
    groups: list(string(), 'The groups that the user is in.'),
    extra: map(list(string()), 'What else is known of the user.'),
    uid: string('The UID of the user.'),
  },
  { name: 'io.k8s.api.authorization.v1.SubjectAccessReviewSpec', doc: 'What is asked about whom.' },
);
export type SubjectAccessReviewSpec = Infer<typeof specSchema>;

const statusSchema = object(
  {
    allowed: required(boolean('Whether it may be done.')),
    denied: boolean('Whether it is forbidden for good.'),
    reason: string('Why.'),
    evaluationError: string('What went wrong while it was decided.'),
  },
  { name: 'io.k8s.api.authorization.v1.SubjectAccessReviewStatus', doc: 'The answer.' },
);

export const SelfSubjectAccessReview = defineKind({
  apiVersion: API_VERSION,
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
  doc: 'Asks whether the caller may do something.',
  properties: { spec: always(ownSpecSchema), status: embedded(statusSchema) },
  hasStatus: false,
});
export type SelfSubjectAccessReview = ObjectOf<typeof SelfSubjectAccessReview>;

export const SubjectAccessReview = defineKind({
  apiVersion: API_VERSION,
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
  doc: 'Asks whether somebody may do something.',
  properties: { spec: always(specSchema), status: embedded(statusSchema) },
  hasStatus: false,
});
export type SubjectAccessReview = ObjectOf<typeof SubjectAccessReview>;

export const LocalSubjectAccessReview = defineKind({
  apiVersion: API_VERSION,
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  namespaced: true,
  doc: 'Asks whether somebody may do something in a namespace, so that the right to ask can be given for one alone.',
  properties: { spec: always(specSchema), status: embedded(statusSchema) },
  hasStatus: false,
});
export type LocalSubjectAccessReview = ObjectOf<typeof LocalSubjectAccessReview>;
