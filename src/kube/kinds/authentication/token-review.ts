/** Whose a token is, asked by somebody who was shown it. */
import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { userInfoSchema } from '#kube/kinds/authentication/user-info.ts';
import { always, boolean, documented, embedded, list, object, string } from '#kube/schema.ts';

const specSchema = object(
  {
    token: string('The token.'),
    audiences: list(string(), 'For whom it must be meant, for one of them at least; the API server when empty.'),
  },
  { name: 'io.k8s.api.authentication.v1.TokenReviewSpec', doc: 'The token in question.' },
);

const statusSchema = object(
  {
    authenticated: boolean('Whether the token is good.'),
    user: embedded(documented(userInfoSchema, 'Whose it is.')),
    audiences: list(string(), 'Those that were asked for and that the token is meant for.'),
    error: string('Why the token is not good.'),
  },
  { name: 'io.k8s.api.authentication.v1.TokenReviewStatus', doc: 'What the server found.' },
);

/** Has no storage: it is created to be answered. */
export const TokenReview = defineKind({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
  doc: 'Asks the server whose a token is.',
  properties: { spec: always(specSchema), status: embedded(statusSchema) },
  hasStatus: false,
});
export type TokenReview = ObjectOf<typeof TokenReview>;
