import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { userInfoSchema } from '#kube/kinds/authentication/user-info.ts';
import { documented, embedded, object } from '#kube/schema.ts';

const statusSchema = object(
  { userInfo: documented(userInfoSchema, 'Who sent the request.') },
  { name: 'io.k8s.api.authentication.v1.SelfSubjectReviewStatus', doc: 'What the server found.' },
);

/** Has no storage: it is created to be answered. */
export const SelfSubjectReview = defineKind({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
  doc: 'Asks the server who it takes the caller for.',
  properties: { status: embedded(statusSchema) },
  hasStatus: false,
});
export type SelfSubjectReview = ObjectOf<typeof SelfSubjectReview>;
