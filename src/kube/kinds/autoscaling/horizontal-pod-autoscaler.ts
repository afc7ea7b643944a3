import { defineKind, type ObjectOf } from '#kube/kind.ts';
import {
  horizontalPodAutoscalerSpecSchema,
  horizontalPodAutoscalerStatusSchema,
} from '#kube/kinds/autoscaling/hpa-spec.ts';
import { always, embedded } from '#kube/schema.ts';

export const HorizontalPodAutoscaler = defineKind({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  doc: 'Sets the number of pods by metrics.',
  properties: {
    spec: always(horizontalPodAutoscalerSpecSchema),
    status: embedded(horizontalPodAutoscalerStatusSchema),
  },
});
export type HorizontalPodAutoscaler = ObjectOf<typeof HorizontalPodAutoscaler>;
