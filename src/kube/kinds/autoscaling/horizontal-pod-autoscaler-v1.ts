/** autoscaling/v1: the same HorizontalPodAutoscalers as in v2, of which it can say the CPU only. */
import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { always, documented, embedded, int32, int64, object, pointer, required, string, time } from '#kube/schema.ts';

const crossVersionObjectReferenceSchema = object(
  {
    kind: required(string('Kind of the object.')),
    name: required(string('Name of the object.')),
    apiVersion: string('API version of the object.'),
  },
  {
    name: 'io.k8s.api.autoscaling.v1.CrossVersionObjectReference',
    doc: 'An object in the same namespace.',
    atomic: true,
  },
);

const specSchema = object(
  {
    scaleTargetRef: required(documented(crossVersionObjectReferenceSchema, 'What is scaled.')),
    minReplicas: pointer(int32('Least number of pods; 1 by default.')),
    maxReplicas: required(int32('Largest number of pods.')),
    targetCPUUtilizationPercentage: pointer(int32('Percentage of the requested CPU, over all pods.')),
  },
  { name: 'io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec', doc: 'What is scaled, and by how much CPU.' },
);

const statusSchema = object(
  {
    observedGeneration: pointer(int64('Generation of the spec that the controller has seen.')),
    lastScaleTime: time('When it last changed the number of pods.'),
    currentReplicas: required(int32('Pods that are there.')),
    desiredReplicas: required(int32('Pods that are wanted.')),
    currentCPUUtilizationPercentage: pointer(int32('Percentage of the requested CPU, as seen last.')),
  },
  { name: 'io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus', doc: 'What is known of the autoscaler.' },
);

export const HorizontalPodAutoscalerV1 = defineKind({
  apiVersion: 'autoscaling/v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  doc: 'Sets the number of pods by their use of CPU.',
  properties: {
    spec: always(specSchema),
    status: embedded(statusSchema),
  },
});
export type HorizontalPodAutoscalerV1 = ObjectOf<typeof HorizontalPodAutoscalerV1>;
