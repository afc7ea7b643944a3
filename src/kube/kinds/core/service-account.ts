import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { localObjectReferenceSchema, objectReferenceSchema } from '#kube/kinds/core/references.ts';
import { boolean, list, listMap, pointer } from '#kube/schema.ts';

export const ServiceAccount = defineKind({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  doc: 'An identity for pods, with the credentials that they use.',
  properties: {
    secrets: listMap(objectReferenceSchema, { keys: ['name'] }, 'Secrets that pods of the account may use.'),
    imagePullSecrets: list(localObjectReferenceSchema, 'Secrets with credentials for registries.'),
    automountServiceAccountToken: pointer(boolean("Whether the account's token is mounted into its pods.")),
  },
  hasStatus: false,
});
export type ServiceAccount = ObjectOf<typeof ServiceAccount>;
