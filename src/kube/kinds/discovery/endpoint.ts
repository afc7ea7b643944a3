/** Endpoints and ports of an EndpointSlice. */
import { objectReferenceSchema } from '#kube/kinds/core/references.ts';
import {
  boolean,
  documented,
  embedded,
  type Infer,
  int32,
  list,
  map,
  object,
  oneOf,
  pointer,
  refine,
  required,
  set,
  string,
} from '#kube/schema.ts';

const endpointConditionsSchema = object(
  {
    ready: pointer(boolean('Whether it takes new traffic.')),
    serving: pointer(boolean('Whether it answers, even while it ends.')),
    terminating: pointer(boolean('Whether it is ending.')),
  },
  { name: 'io.k8s.api.discovery.v1.EndpointConditions', doc: 'State of an endpoint.' },
);

const forZoneSchema = object(
  {
    name: required(string('Name of the zone.')),
  },
  { name: 'io.k8s.api.discovery.v1.ForZone', doc: 'A zone.' },
);

const forNodeSchema = object(
  {
    name: required(string('Name of the node.')),
  },
  { name: 'io.k8s.api.discovery.v1.ForNode', doc: 'A node.' },
);

const endpointHintsSchema = object(
  {
    forZones: list(forZoneSchema, 'Zones that should use it.'),
    forNodes: list(forNodeSchema, 'Nodes that should use it.'),
  },
  { name: 'io.k8s.api.discovery.v1.EndpointHints', doc: 'For whom an endpoint is meant.' },
);

export const endpointSchema = object(
  {
    addresses: required(refine(set(string(), 'Its addresses, all equal.'), { patchStrategy: undefined })),
    conditions: embedded(documented(endpointConditionsSchema, 'Its state.')),
    hostname: pointer(string('Host name of it.')),
    targetRef: documented(objectReferenceSchema, 'Object behind it, usually a pod.'),
    deprecatedTopology: map(string(), 'Topology in the words of v1beta1.'),
    nodeName: pointer(string('Node of it.')),
    zone: pointer(string('Zone of it.')),
    hints: documented(endpointHintsSchema, 'For whom it is meant.'),
  },
  { name: 'io.k8s.api.discovery.v1.Endpoint', doc: 'One endpoint.' },
);
export type Endpoint = Infer<typeof endpointSchema>;

export const endpointPortSchema = object(
  {
    name: pointer(string('Name of the port, as in the service.')),
    protocol: pointer(oneOf(['SCTP', 'TCP', 'UDP'], 'Protocol of the port.')),
    port: pointer(int32('Port number; absent for all ports.')),
    appProtocol: pointer(string('Application protocol of the port.')),
  },
  { name: 'io.k8s.api.discovery.v1.EndpointPort', doc: 'One port of the endpoints.', atomic: true },
);
export type EndpointPort = Infer<typeof endpointPortSchema>;
