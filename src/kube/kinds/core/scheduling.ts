/** Where a pod may run. */
import { labelSelectorSchema } from '#kube/kinds/meta/label-selector.ts';
import { documented, type Infer, int32, int64, list, object, oneOf, pointer, required, string } from '#kube/schema.ts';

const nodeSelectorRequirementSchema = object(
  {
    key: required(string('Label, or field, that is looked at.')),
    operator: required(
      oneOf(['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn'], 'How its value relates to the values.'),
    ),
    values: list(string(), 'Values for In, NotIn, Gt and Lt.'),
  },
  { name: 'io.k8s.api.core.v1.NodeSelectorRequirement', doc: 'One rule about a node.' },
);

const nodeSelectorTermSchema = object(
  {
    matchExpressions: list(nodeSelectorRequirementSchema, 'Rules about labels.'),
    matchFields: list(nodeSelectorRequirementSchema, 'Rules about fields.'),
  },
  { name: 'io.k8s.api.core.v1.NodeSelectorTerm', doc: 'Rules that must all hold.', atomic: true },
);

const nodeSelectorSchema = object(
  {
    nodeSelectorTerms: required(list(nodeSelectorTermSchema, 'The terms.')),
  },
  { name: 'io.k8s.api.core.v1.NodeSelector', doc: 'A choice of nodes: at least one term must hold.', atomic: true },
);

const preferredSchedulingTermSchema = object(
  {
    weight: required(int32('How much it counts, 1 to 100.')),
    preference: required(documented(nodeSelectorTermSchema, 'The nodes that are preferred.')),
  },
  { name: 'io.k8s.api.core.v1.PreferredSchedulingTerm', doc: 'A preference among nodes.' },
);

const nodeAffinitySchema = object(
  {
    requiredDuringSchedulingIgnoredDuringExecution: documented(nodeSelectorSchema, 'Nodes that must match.'),
    preferredDuringSchedulingIgnoredDuringExecution: list(
      preferredSchedulingTermSchema,
      'Nodes that are better than others.',
    ),
  },
  { name: 'io.k8s.api.core.v1.NodeAffinity', doc: 'Which nodes are wanted.' },
);

const podAffinityTermSchema = object(
  {
    labelSelector: documented(labelSelectorSchema, 'Which pods are meant.'),
    namespaces: list(string(), 'Namespaces whose pods are meant.'),
    topologyKey: required(string('Node label whose equal values mean near.')),
    namespaceSelector: documented(labelSelectorSchema, 'Namespaces whose pods are meant, by their labels.'),
    matchLabelKeys: list(string(), 'Labels of the incoming pod that must be equal.'),
    mismatchLabelKeys: list(string(), 'Labels of the incoming pod that must differ.'),
  },
  { name: 'io.k8s.api.core.v1.PodAffinityTerm', doc: 'Pods near which, or far from which, to run.' },
);
export type PodAffinityTerm = Infer<typeof podAffinityTermSchema>;

const weightedPodAffinityTermSchema = object(
  {
    weight: required(int32('How much it counts, 1 to 100.')),
    podAffinityTerm: required(documented(podAffinityTermSchema, 'The pods that are meant.')),
  },
  { name: 'io.k8s.api.core.v1.WeightedPodAffinityTerm', doc: 'A preference for being near or far.' },
);

const podAffinitySchema = object(
  {
    requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTermSchema, 'Terms that must hold.'),
    preferredDuringSchedulingIgnoredDuringExecution: list(weightedPodAffinityTermSchema, 'Terms that count.'),
  },
  { name: 'io.k8s.api.core.v1.PodAffinity', doc: 'Pods to be near.' },
);

const podAntiAffinitySchema = object(
  {
    requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTermSchema, 'Terms that must hold.'),
    preferredDuringSchedulingIgnoredDuringExecution: list(weightedPodAffinityTermSchema, 'Terms that count.'),
  },
  { name: 'io.k8s.api.core.v1.PodAntiAffinity', doc: 'Pods to be far from.' },
);

export const affinitySchema = object(
  {
    nodeAffinity: documented(nodeAffinitySchema, 'Which nodes.'),
    podAffinity: documented(podAffinitySchema, 'Near which pods.'),
    podAntiAffinity: documented(podAntiAffinitySchema, 'Far from which pods.'),
  },
  { name: 'io.k8s.api.core.v1.Affinity', doc: 'Wishes about nodes and neighbours.' },
);
export type Affinity = Infer<typeof affinitySchema>;

export const tolerationSchema = object(
  {
    key: string('Key of the taint; empty, with Exists, for all.'),
    operator: oneOf(['Equal', 'Exists'], 'Exists, or Equal, which is the default.'),
    value: string('Value of the taint.'),
    effect: oneOf(['NoExecute', 'NoSchedule', 'PreferNoSchedule'], 'Effect of the taint; empty for all.'),
    tolerationSeconds: pointer(int64('How long NoExecute is put up with.')),
  },
  { name: 'io.k8s.api.core.v1.Toleration', doc: 'A taint of nodes that the pod puts up with.' },
);
export type Toleration = Infer<typeof tolerationSchema>;

export const topologySpreadConstraintSchema = object(
  {
    maxSkew: required(int32('Largest difference between two domains.')),
    topologyKey: required(string('Node label whose values are the domains.')),
    whenUnsatisfiable: required(oneOf(['DoNotSchedule', 'ScheduleAnyway'], 'What happens when it cannot be met.')),
    labelSelector: documented(labelSelectorSchema, 'Which pods are counted.'),
    minDomains: pointer(int32('Least number of domains.')),
    nodeAffinityPolicy: pointer(oneOf(['Honor', 'Ignore'], 'Whether nodes ruled out by affinity count.')),
    nodeTaintsPolicy: pointer(oneOf(['Honor', 'Ignore'], 'Whether tainted nodes count.')),
    matchLabelKeys: list(string(), 'Labels of the incoming pod that choose the pods to count.'),
  },
  { name: 'io.k8s.api.core.v1.TopologySpreadConstraint', doc: 'How evenly pods are spread.' },
);
export type TopologySpreadConstraint = Infer<typeof topologySpreadConstraintSchema>;

export const podSchedulingGateSchema = object(
  {
    name: required(string('Name, unique in the pod.')),
  },
  { name: 'io.k8s.api.core.v1.PodSchedulingGate', doc: 'Something that must be lifted before the pod is scheduled.' },
);

export const podReadinessGateSchema = object(
  {
    conditionType: required(string('Type of the condition.')),
  },
  { name: 'io.k8s.api.core.v1.PodReadinessGate', doc: "A condition that the pod's readiness also needs." },
);
