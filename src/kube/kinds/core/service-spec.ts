/** What a Service offers and to whom. */
import { conditionSchema } from '#kube/kinds/meta/condition.ts';
import {
  boolean,
  documented,
  embedded,
  type Infer,
  int32,
  intOrString,
  list,
  listMap,
  map,
  object,
  oneOf,
  pointer,
  refine,
  required,
  string,
} from '#kube/schema.ts';

const servicePortSchema = object(
  {
    name: string('Name of the port; needed when there are several.'),
    protocol: refine(oneOf(['SCTP', 'TCP', 'UDP'], 'TCP unless another is named.'), { default: 'TCP' }),
    appProtocol: pointer(string('Application protocol, such as kubernetes.io/h2c.')),
    port: required(int32('Port that clients connect to.')),
    targetPort: embedded(intOrString('Port of the pods, by number or name; the same port by default.')),
    nodePort: int32('Port on the node that leads here.'),
  },
  { name: 'io.k8s.api.core.v1.ServicePort', doc: 'A port of the service.' },
);
export type ServicePort = Infer<typeof servicePortSchema>;

const clientIPConfigSchema = object(
  {
    timeoutSeconds: pointer(int32('How long a client stays with a pod.')),
  },
  { name: 'io.k8s.api.core.v1.ClientIPConfig', doc: "Affinity by the client's address." },
);

const sessionAffinityConfigSchema = object(
  {
    clientIP: documented(clientIPConfigSchema, 'Settings for ClientIP.'),
  },
  { name: 'io.k8s.api.core.v1.SessionAffinityConfig', doc: 'Settings of session affinity.' },
);

const portStatusSchema = object(
  {
    port: required(int32('Port number.')),
    protocol: required(oneOf(['SCTP', 'TCP', 'UDP'], 'Protocol of the port.')),
    error: pointer(string('What went wrong, if anything.')),
  },
  { name: 'io.k8s.api.core.v1.PortStatus', doc: 'State of a port of a load balancer.' },
);

const loadBalancerIngressSchema = object(
  {
    ip: string('Its address.'),
    hostname: string('Its host name.'),
    ipMode: pointer(string("Whether the address is served by the node's proxy or by the load balancer.")),
    ports: list(portStatusSchema, 'State of its ports.'),
  },
  { name: 'io.k8s.api.core.v1.LoadBalancerIngress', doc: 'A point at which the load balancer is reached.' },
);

const loadBalancerStatusSchema = object(
  {
    ingress: list(loadBalancerIngressSchema, 'The points.'),
  },
  { name: 'io.k8s.api.core.v1.LoadBalancerStatus', doc: 'Where a load balancer is reached.' },
);

export const serviceSpecSchema = object(
  {
    ports: listMap(servicePortSchema, { keys: ['port', 'protocol'] }, 'Ports of the service.'),
    selector: map(string(), 'Labels of the pods behind it.', { atomic: true }),
    clusterIP: string('Its address in the cluster; None for a headless one.'),
    clusterIPs: list(string(), 'Its addresses in the cluster, one per family.'),
    type: oneOf(['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'], 'How it can be reached.'),
    externalIPs: list(string(), 'More addresses whose traffic the node accepts for it.'),
    sessionAffinity: oneOf(['ClientIP', 'None'], 'Whether a client stays with one pod.'),
    loadBalancerIP: string('Address wished for at the load balancer.'),
    loadBalancerSourceRanges: list(string(), 'Clients that the load balancer lets in.'),
    externalName: string('DNS name that it stands for, with type ExternalName.'),
    externalTrafficPolicy: oneOf(['Cluster', 'Local'], 'Whether outside traffic stays on the node that it reached.'),
    healthCheckNodePort: int32('Port at which the node says whether it has pods.'),
    publishNotReadyAddresses: boolean('Publishes pods that are not ready as well.'),
    sessionAffinityConfig: documented(sessionAffinityConfigSchema, 'Settings of session affinity.'),
    ipFamilies: list(oneOf(['IPv4', 'IPv6']), 'Families of its addresses.'),
    ipFamilyPolicy: pointer(
      oneOf(['PreferDualStack', 'RequireDualStack', 'SingleStack'], 'Whether one family or two are wanted.'),
    ),
    allocateLoadBalancerNodePorts: pointer(boolean('Whether a load balancer gets node ports.')),
    loadBalancerClass: pointer(string('Which implementation of load balancers is meant.')),
    internalTrafficPolicy: pointer(oneOf(['Cluster', 'Local'], 'Whether inside traffic stays on its node.')),
    trafficDistribution: pointer(string('Preference among endpoints.')),
  },
  { name: 'io.k8s.api.core.v1.ServiceSpec', doc: 'What the service offers.' },
);
export type ServiceSpec = Infer<typeof serviceSpecSchema>;

export const serviceStatusSchema = object(
  {
    loadBalancer: embedded(documented(loadBalancerStatusSchema, 'Where its load balancer is reached.')),
    conditions: listMap(conditionSchema, { keys: ['type'] }, 'Aspects of its state.'),
  },
  { name: 'io.k8s.api.core.v1.ServiceStatus', doc: 'What is known of the service.' },
);
