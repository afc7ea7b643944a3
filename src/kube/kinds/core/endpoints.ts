import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { endpointSubsetSchema } from '#kube/kinds/core/endpoints-subset.ts';
import { list } from '#kube/schema.ts';

export const Endpoints = defineKind({
  apiVersion: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  doc: 'The addresses behind a service, in one object.',
  properties: {
    subsets: list(endpointSubsetSchema, 'Addresses, grouped by the ports that they share.'),
  },
  hasStatus: false,
});
export type Endpoints = ObjectOf<typeof Endpoints>;
