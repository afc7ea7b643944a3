/** What a pod is made of; Deployments, ReplicaSets, Jobs and revisions carry the same spec in a template. */
import { containerSchema, ephemeralContainerSchema } from '#kube/kinds/core/container.ts';
import { localObjectReferenceSchema } from '#kube/kinds/core/references.ts';
import { resourceRequirementsSchema } from '#kube/kinds/core/resources.ts';
import {
  affinitySchema,
  podReadinessGateSchema,
  podSchedulingGateSchema,
  tolerationSchema,
  topologySpreadConstraintSchema,
} from '#kube/kinds/core/scheduling.ts';
import { podSecurityContextSchema } from '#kube/kinds/core/security-context.ts';
import { volumeSchema } from '#kube/kinds/core/volume.ts';
import { templateMetadataSchema } from '#kube/metadata-schema.ts';
import {
  always,
  boolean,
  documented,
  embedded,
  type Infer,
  int32,
  int64,
  list,
  listMap,
  map,
  object,
  oneOf,
  pointer,
  quantity,
  required,
  string,
} from '#kube/schema.ts';

const hostAliasSchema = object(
  {
    ip: required(string('Address.')),
    hostnames: list(string(), 'Names of the address.'),
  },
  { name: 'io.k8s.api.core.v1.HostAlias', doc: "A line of the pod's /etc/hosts." },
);
export type HostAlias = Infer<typeof hostAliasSchema>;

const podDNSConfigOptionSchema = object(
  {
    name: string('Name of the option.'),
    value: pointer(string('Value of the option, if it takes one.')),
  },
  { name: 'io.k8s.api.core.v1.PodDNSConfigOption', doc: 'One option of the resolver.' },
);

const podDNSConfigSchema = object(
  {
    nameservers: list(string(), 'Addresses of name servers.'),
    searches: list(string(), 'Domains to search.'),
    options: list(podDNSConfigOptionSchema, 'Options of the resolver.'),
  },
  { name: 'io.k8s.api.core.v1.PodDNSConfig', doc: "Settings of the pod's resolver." },
);
export type PodDNSConfig = Infer<typeof podDNSConfigSchema>;

const podOSSchema = object(
  {
    name: required(string('linux or windows.')),
  },
  { name: 'io.k8s.api.core.v1.PodOS', doc: 'Operating system of the containers.' },
);

const podResourceClaimSchema = object(
  {
    name: required(string('Name within the pod.')),
    resourceClaimName: pointer(string('Claim in the same namespace.')),
    resourceClaimTemplateName: pointer(string('Template from which a claim is made.')),
  },
  { name: 'io.k8s.api.core.v1.PodResourceClaim', doc: 'A claim on devices that containers may use.' },
);

export const podSpecSchema = object(
  {
    volumes: listMap(
      volumeSchema,
      { keys: ['name'], patchStrategy: 'merge,retainKeys' },
      'Volumes that containers may mount.',
    ),
    initContainers: listMap(
      containerSchema,
      { keys: ['name'] },
      'Containers that run one after the other before the others.',
    ),
    containers: required(listMap(containerSchema, { keys: ['name'] }, 'Containers of the pod; at least one.')),
    ephemeralContainers: listMap(
      ephemeralContainerSchema,
      { keys: ['name'] },
      'Containers added to look into the pod.',
    ),
    restartPolicy: oneOf(['Always', 'Never', 'OnFailure'], 'When ended containers are started again.'),
    terminationGracePeriodSeconds: pointer(int64('Seconds from the first request to end until processes are killed.')),
    activeDeadlineSeconds: pointer(int64('Seconds after its start at which the pod is failed.')),
    dnsPolicy: oneOf(
      ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
      "Where the pod's resolver settings come from.",
    ),
    nodeSelector: map(string(), 'Labels that the node must have.', { atomic: true }),
    serviceAccountName: string('Service account that the pod runs as.'),
    serviceAccount: string('Old name of serviceAccountName.'),
    automountServiceAccountToken: pointer(boolean("Whether the service account's token is mounted.")),
    nodeName: string('Node on which the pod runs.'),
    hostNetwork: boolean('Uses the network of the host.'),
    hostPID: boolean('Shows the processes of the host.'),
    hostIPC: boolean('Shares inter-process communication with the host.'),
    shareProcessNamespace: pointer(boolean("Lets containers of the pod see each other's processes.")),
    securityContext: documented(podSecurityContextSchema, 'Security settings of all containers.'),
    imagePullSecrets: listMap(
      localObjectReferenceSchema,
      { keys: ['name'] },
      'Secrets with credentials for registries.',
    ),
    hostname: string('Host name of the pod; its name by default.'),
    subdomain: string('Subdomain below which the pod has a DNS name.'),
    affinity: documented(affinitySchema, 'Wishes about nodes and neighbours.'),
    schedulerName: string('Scheduler that places the pod.'),
    tolerations: list(tolerationSchema, 'Taints that the pod puts up with.'),
    hostAliases: listMap(hostAliasSchema, { keys: ['ip'] }, 'More lines for /etc/hosts.'),
    priorityClassName: string("Class of the pod's priority."),
    priority: pointer(int32('Priority as a number.')),
    dnsConfig: documented(podDNSConfigSchema, "Settings of the resolver, merged with the policy's."),
    readinessGates: list(podReadinessGateSchema, 'Conditions that readiness also needs.'),
    runtimeClassName: pointer(string('Class of container runtime.')),
    enableServiceLinks: pointer(boolean('Whether services appear as environment variables.')),
    preemptionPolicy: pointer(oneOf(['Never', 'PreemptLowerPriority'], 'Whether pods of lower priority make room.')),
    overhead: map(quantity(), 'Resources that running the pod itself takes.'),
    topologySpreadConstraints: listMap(
      topologySpreadConstraintSchema,
      { keys: ['topologyKey', 'whenUnsatisfiable'] },
      'How evenly pods are spread.',
    ),
    setHostnameAsFQDN: pointer(boolean('Makes the host name the full one.')),
    os: documented(podOSSchema, 'Operating system of the containers.'),
    hostUsers: pointer(boolean('False gives the pod user ids of its own.')),
    schedulingGates: listMap(podSchedulingGateSchema, { keys: ['name'] }, 'What must be lifted before scheduling.'),
    resourceClaims: listMap(
      podResourceClaimSchema,
      { keys: ['name'], patchStrategy: 'merge,retainKeys' },
      'Claims on devices.',
    ),
    resources: documented(resourceRequirementsSchema, 'Compute resources of the pod as a whole.'),
  },
  { name: 'io.k8s.api.core.v1.PodSpec', doc: 'What a pod runs, and how.' },
);
export type PodSpec = Infer<typeof podSpecSchema>;

export const podTemplateSpecSchema = object(
  {
    metadata: embedded(templateMetadataSchema),
    spec: always(documented(podSpecSchema, 'What the pods run.')),
  },
  { name: 'io.k8s.api.core.v1.PodTemplateSpec', doc: 'The pod that is made from a template.' },
);
export type PodTemplateSpec = Infer<typeof podTemplateSpecSchema>;
