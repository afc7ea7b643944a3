/** Addresses and ports of an Endpoints object. */
import { objectReferenceSchema } from '#kube/kinds/core/references.ts';
import { documented, type Infer, int32, list, object, oneOf, pointer, required, string } from '#kube/schema.ts';

const endpointAddressSchema = object(
  {
    ip: required(string('The address.')),
    hostname: string('Host name of it.'),
    nodeName: pointer(string('Node of it.')),
    targetRef: documented(objectReferenceSchema, 'Object behind it, usually a pod.'),
  },
  { name: 'io.k8s.api.core.v1.EndpointAddress', doc: 'One address.', atomic: true },
);
export type EndpointAddress = Infer<typeof endpointAddressSchema>;

const endpointPortSchema = object(
  {
    name: string('Name of the port, as in the service.'),
    port: required(int32('Port number.')),
    protocol: oneOf(['SCTP', 'TCP', 'UDP'], 'Protocol of the port.'),
    appProtocol: pointer(string('Application protocol of the port.')),
  },
  { name: 'io.k8s.api.core.v1.EndpointPort', doc: 'One port.', atomic: true },
);
export type EndpointPort = Infer<typeof endpointPortSchema>;

export const endpointSubsetSchema = object(
  {
    addresses: list(endpointAddressSchema, 'Addresses that are ready.'),
    notReadyAddresses: list(endpointAddressSchema, 'Addresses that are not ready.'),
    ports: list(endpointPortSchema, 'Their ports.'),
  },
  { name: 'io.k8s.api.core.v1.EndpointSubset', doc: 'Addresses that share the same ports.' },
);
export type EndpointSubset = Infer<typeof endpointSubsetSchema>;
