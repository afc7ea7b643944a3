/** What a PodDisruptionBudget allows, and what is known of it. */
import { conditionSchema } from '#kube/kinds/meta/condition.ts';
import { labelSelectorSchema } from '#kube/kinds/meta/label-selector.ts';
import {
  documented,
  int32,
  int64,
  intOrString,
  listMap,
  map,
  object,
  pointer,
  refine,
  required,
  string,
  time,
} from '#kube/schema.ts';

export const podDisruptionBudgetSpecSchema = object(
  {
    minAvailable: pointer(intOrString('How many pods, or which part of them, must stay.')),
    selector: refine(pointer(documented(labelSelectorSchema, 'The pods; none when it is absent.')), {
      patchStrategy: 'replace',
    }),
    maxUnavailable: pointer(intOrString('How many pods, or which part of them, may be away.')),
    unhealthyPodEvictionPolicy: pointer(
      string('Whether pods that are not ready count: IfHealthyBudget or AlwaysAllow.'),
    ),
  },
  { name: 'io.k8s.api.policy.v1.PodDisruptionBudgetSpec', doc: 'What may be taken away.' },
);

export const podDisruptionBudgetStatusSchema = object(
  {
    observedGeneration: int64('The generation that this status is about.'),
    disruptedPods: map(time(), 'Pods that are on their way out, and since when.'),
    disruptionsAllowed: required(int32('How many pods may be taken away now.')),
    currentHealthy: required(int32('How many pods are ready.')),
    desiredHealthy: required(int32('How many pods must be ready.')),
    expectedPods: required(int32('How many pods there should be.')),
    conditions: listMap(conditionSchema, { keys: ['type'] }, 'Aspects of its state.'),
  },
  { name: 'io.k8s.api.policy.v1.PodDisruptionBudgetStatus', doc: 'What is known of the pods.' },
);
