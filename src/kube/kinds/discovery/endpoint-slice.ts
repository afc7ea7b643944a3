import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { endpointPortSchema, endpointSchema } from '#kube/kinds/discovery/endpoint.ts';
import { embedded, list, oneOf, required } from '#kube/schema.ts';

export const EndpointSlice = defineKind({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  doc: 'Some of the addresses behind a service.',
  properties: {
    addressType: required(oneOf(['FQDN', 'IPv4', 'IPv6'], 'What sort of addresses these are; it cannot be changed.')),
    endpoints: required(list(endpointSchema, 'The endpoints.')),
    ports: embedded(list(endpointPortSchema, 'The ports that every endpoint has.')),
  },
  hasStatus: false,
});
export type EndpointSlice = ObjectOf<typeof EndpointSlice>;
