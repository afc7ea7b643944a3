import { defineKind, type ObjectOf } from '#kube/kind.ts';
import {
  podDisruptionBudgetSpecSchema,
  podDisruptionBudgetStatusSchema,
} from '#kube/kinds/policy/pod-disruption-budget-spec.ts';
import { embedded } from '#kube/schema.ts';

export const PodDisruptionBudget = defineKind({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  doc: 'How many pods of a program may be taken away at once by people and machines that could wait.',
  properties: {
    spec: embedded(podDisruptionBudgetSpecSchema),
    status: embedded(podDisruptionBudgetStatusSchema),
  },
});
export type PodDisruptionBudget = ObjectOf<typeof PodDisruptionBudget>;
