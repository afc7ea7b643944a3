/** What a ReplicaSet wants and has. */
import { podTemplateSpecSchema } from '#kube/kinds/core/pod-spec.ts';
import { labelSelectorSchema } from '#kube/kinds/meta/label-selector.ts';
import {
  always,
  documented,
  embedded,
  type Infer,
  int32,
  int64,
  listMap,
  nullPointer,
  object,
  pointer,
  required,
  string,
  time,
} from '#kube/schema.ts';

export const replicaSetSpecSchema = object(
  {
    replicas: pointer(int32('How many pods; 1 by default.')),
    minReadySeconds: int32('Seconds that a pod must be ready before it counts as available.'),
    selector: required(
      nullPointer(documented(labelSelectorSchema, "Labels of the pods; they must match the template's.")),
    ),
    template: always(documented(podTemplateSpecSchema, 'The pods that are made.')),
  },
  { name: 'io.k8s.api.apps.v1.ReplicaSetSpec', doc: 'Which pods are wanted.' },
);
export type ReplicaSetSpec = Infer<typeof replicaSetSpecSchema>;

const replicaSetConditionSchema = object(
  {
    type: required(string('Aspect, such as ReplicaFailure.')),
    status: required(string('True, False or Unknown.')),
    lastTransitionTime: embedded(time('When the status last changed.')),
    reason: string('Cause of the last change, one CamelCase word.'),
    message: string('Cause of the last change, in a sentence.'),
  },
  { name: 'io.k8s.api.apps.v1.ReplicaSetCondition', doc: "One aspect of the replica set's state." },
);
export type ReplicaSetCondition = Infer<typeof replicaSetConditionSchema>;

export const replicaSetStatusSchema = object(
  {
    replicas: required(int32('Pods that are not ending.')),
    fullyLabeledReplicas: int32('Pods that have all labels of the template.'),
    readyReplicas: int32('Pods that are ready.'),
    availableReplicas: int32('Pods that have been ready for long enough.'),
    terminatingReplicas: pointer(int32('Pods that are ending.')),
    observedGeneration: int64('Generation of the spec that the controller has seen.'),
    conditions: listMap(replicaSetConditionSchema, { keys: ['type'] }, 'Aspects of its state.'),
  },
  { name: 'io.k8s.api.apps.v1.ReplicaSetStatus', doc: 'What is known of the replica set.' },
);
export type ReplicaSetStatus = Infer<typeof replicaSetStatusSchema>;
