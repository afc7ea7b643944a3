import { deepEqual } from '#base/json.ts';
import type { FieldError } from '#kube/field-error.ts';
import { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import type { ReplicaSetSpec } from '#kube/kinds/apps/replica-set-spec.ts';
import { specChanged } from '#apiserver/generation.ts';
import { IMMUTABLE } from '#apiserver/metadata.ts';
import { notNegative } from '#apiserver/pod-spec/checks.ts';
import { setTemplateDefaults } from '#apiserver/pod-spec/defaults.ts';
import { invalidLiteral, labelSelector } from '#apiserver/strategies/literals.ts';
import {
  selectorErrors,
  statusCountErrors,
  statusStrategy,
  workloadTemplateErrors,
} from '#apiserver/strategies/workloads.ts';
import { strategyOf } from '#apiserver/strategy.ts';

const COUNTS = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'];

export const replicaSetStrategy = strategyOf(ReplicaSet, {
  isNewGeneration: specChanged,
  setDefaults({ spec }) {
    spec.replicas ??= 1;
    if (spec.template) setTemplateDefaults(spec.template);
  },
  validate: ({ spec }) => specErrors(spec),
  validateUpdate: ({ spec }, { spec: old }) => [
    ...specErrors(spec),
    ...(deepEqual(spec.selector, old.selector)
      ? []
      : [invalidLiteral('spec.selector', labelSelector(spec.selector), IMMUTABLE)]),
  ],
  subresources: {
    status: statusStrategy((object) => {
      const { status = { replicas: 0 } } = object as ReplicaSet;
      return statusCountErrors(status, COUNTS, 'cannot be greater than status.replicas');
    }),
  },
});

function specErrors({ replicas, minReadySeconds, selector, template }: ReplicaSetSpec): FieldError[] {
  return [
    ...notNegative('spec.replicas', replicas),
    ...notNegative('spec.minReadySeconds', minReadySeconds),
    ...selectorErrors(selector, 'spec.selector', 'deployment'),
    ...workloadTemplateErrors(template ?? { spec: { containers: [] } }, selector, 'spec.template'),
  ];
}
