/** Requests and limits of compute resources. */
import { type Infer, listMap, map, object, quantity, refine, required, string } from '#kube/schema.ts';

/** A strategic merge replaces these lists whole. */
const NOT_STRATEGIC = { patchMergeKey: undefined, patchStrategy: undefined };

const resourceClaimSchema = object(
  {
    name: required(string('Name of the claim in spec.resourceClaims.')),
    request: string('Request within the claim; all of them when absent.'),
  },
  { name: 'io.k8s.api.core.v1.ResourceClaim', doc: 'A claim of the pod that this container uses.' },
);

export const resourceRequirementsSchema = object(
  {
    limits: map(quantity(), 'Most that may be used, by resource.'),
    requests: map(quantity(), 'What must be there, by resource; the limit when absent.'),
    claims: refine(listMap(resourceClaimSchema, { keys: ['name'] }, 'Claims that are used.'), NOT_STRATEGIC),
  },
  { name: 'io.k8s.api.core.v1.ResourceRequirements', doc: 'What a container needs and may use.' },
);
export type ResourceRequirements = Infer<typeof resourceRequirementsSchema>;

export const volumeResourceRequirementsSchema = object(
  {
    limits: map(quantity(), 'Most storage that may be given.'),
    requests: map(quantity(), 'Least storage that is needed.'),
  },
  { name: 'io.k8s.api.core.v1.VolumeResourceRequirements', doc: 'How much storage is needed.' },
);

export const containerResizePolicySchema = object(
  {
    resourceName: required(string('The resource that is resized.')),
    restartPolicy: required(string('Whether the container is restarted.')),
  },
  { name: 'io.k8s.api.core.v1.ContainerResizePolicy', doc: 'What a resize of a resource does to the container.' },
);

const resourceHealthSchema = object(
  {
    resourceID: required(string('Identity of the device.')),
    health: string('Healthy, Unhealthy or Unknown.'),
  },
  { name: 'io.k8s.api.core.v1.ResourceHealth', doc: 'Health of one device.' },
);

export const resourceStatusSchema = object(
  {
    name: required(string('Name of the resource.')),
    resources: refine(
      listMap(resourceHealthSchema, { keys: ['resourceID'] }, 'Devices by their identity.'),
      NOT_STRATEGIC,
    ),
  },
  { name: 'io.k8s.api.core.v1.ResourceStatus', doc: 'Health of the devices of one resource.' },
);
