/** What is sent to `serviceaccounts/NAME/token`, and answered with a token in its status. */
import { defineKind, type ObjectOf } from '#kube/kind.ts';
import {
  always,
  documented,
  embedded,
  int64,
  list,
  nullPointer,
  object,
  required,
  string,
  time,
} from '#kube/schema.ts';

const boundObjectReferenceSchema = object(
  {
    kind: string('Pod, Secret or Node.'),
    apiVersion: string('Version of the schema of that kind.'),
    name: string('Name of the object.'),
    uid: string('UID of the object; checked when it is given.'),
  },
  { name: 'io.k8s.api.authentication.v1.BoundObjectReference', doc: 'An object that a token ends with.' },
);

const tokenRequestSpecSchema = object(
  {
    audiences: required(list(string(), 'For whom the token is meant; the API server when empty.')),
    expirationSeconds: nullPointer(int64('How long the token shall live; an hour by default, ten minutes at least.')),
    boundObjectRef: nullPointer(documented(boundObjectReferenceSchema, 'The token ends when this object is deleted.')),
  },
  { name: 'io.k8s.api.authentication.v1.TokenRequestSpec', doc: 'The token that is wanted.' },
);

const tokenRequestStatusSchema = object(
  {
    token: required(string('The token: a bearer token in the form of a JWT.')),
    expirationTimestamp: required(time('When it ends.')),
  },
  { name: 'io.k8s.api.authentication.v1.TokenRequestStatus', doc: 'The token that was issued.' },
);

export const TokenRequest = defineKind({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  plural: 'tokenrequests',
  doc: 'A request for a token of a service account. It exists as a subresource only.',
  properties: {
    spec: always(tokenRequestSpecSchema),
    status: embedded(tokenRequestStatusSchema),
  },
  hasStatus: false,
});
export type TokenRequest = ObjectOf<typeof TokenRequest>;
