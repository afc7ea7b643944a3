/** How a HorizontalPodAutoscaler scales. */
import {
  crossVersionObjectReferenceSchema,
  metricSpecSchema,
  metricStatusSchema,
} from '#kube/kinds/autoscaling/hpa-metric.ts';
import {
  documented,
  embedded,
  type Infer,
  int32,
  int64,
  list,
  listMap,
  object,
  pointer,
  quantity,
  required,
  string,
  time,
} from '#kube/schema.ts';

const hpaScalingPolicySchema = object(
  {
    type: required(string('Whether it counts pods or percent.')),
    value: required(int32('Size of the change that is allowed.')),
    periodSeconds: required(int32('Seconds within which the change may happen.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.HPAScalingPolicy', doc: 'One limit of a change.' },
);

const hpaScalingRulesSchema = object(
  {
    stabilizationWindowSeconds: pointer(int32('Seconds of past advice that are taken into account.')),
    selectPolicy: pointer(string('Which of the policies decides.')),
    policies: list(hpaScalingPolicySchema, 'The limits.'),
    tolerance: quantity('How far the metric may be off before anything changes.'),
  },
  { name: 'io.k8s.api.autoscaling.v2.HPAScalingRules', doc: 'Limits of changes in one direction.' },
);

export const horizontalPodAutoscalerBehaviorSchema = object(
  {
    scaleUp: documented(hpaScalingRulesSchema, 'Limits upwards.'),
    scaleDown: documented(hpaScalingRulesSchema, 'Limits downwards.'),
  },
  { name: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior', doc: 'Limits of changes.' },
);

export const horizontalPodAutoscalerSpecSchema = object(
  {
    scaleTargetRef: required(documented(crossVersionObjectReferenceSchema, 'What is scaled.')),
    minReplicas: pointer(int32('Least number of pods; 1 by default.')),
    maxReplicas: required(int32('Largest number of pods.')),
    metrics: list(metricSpecSchema, 'What to look at; the most demanding decides.'),
    behavior: documented(horizontalPodAutoscalerBehaviorSchema, 'Limits of changes.'),
  },
  { name: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec', doc: 'What is scaled, and by what.' },
);
export type HorizontalPodAutoscalerSpec = Infer<typeof horizontalPodAutoscalerSpecSchema>;

export const horizontalPodAutoscalerConditionSchema = object(
  {
    type: required(string('Aspect, such as ScalingActive.')),
    status: required(string('True, False or Unknown.')),
    lastTransitionTime: embedded(time('When the status last changed.')),
    reason: string('Cause of the last change, one CamelCase word.'),
    message: string('Cause of the last change, in a sentence.'),
  },
  { name: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition', doc: "One aspect of the autoscaler's state." },
);

export const horizontalPodAutoscalerStatusSchema = object(
  {
    observedGeneration: pointer(int64('Generation of the spec that the controller has seen.')),
    lastScaleTime: time('When it last changed the number of pods.'),
    currentReplicas: int32('Pods that are there.'),
    desiredReplicas: required(int32('Pods that are wanted.')),
    currentMetrics: embedded(list(metricStatusSchema, 'What was seen.')),
    conditions: listMap(horizontalPodAutoscalerConditionSchema, { keys: ['type'] }, 'Aspects of its state.'),
  },
  { name: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus', doc: 'What is known of the autoscaler.' },
);
