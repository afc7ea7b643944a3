/** A PodDisruptionBudget is kept for the manifests that bring one: nothing here takes pods away that could wait. */
import { type FieldError, invalidField, notSupportedField } from '#kube/field-error.ts';
import { PodDisruptionBudget } from '#kube/kinds/policy/pod-disruption-budget.ts';
import { specChanged } from '#apiserver/generation.ts';
import { strategyOf } from '#apiserver/strategy.ts';
import { plainStatus } from '#apiserver/subresources.ts';

const UNHEALTHY_POLICIES = ['AlwaysAllow', 'IfHealthyBudget'];

export const podDisruptionBudgetStrategy = strategyOf(PodDisruptionBudget, {
  requiresVersionOnUpdate: true,
  isNewGeneration: specChanged,
  validate: (budget) => budgetErrors(budget),
  validateUpdate: (budget) => budgetErrors(budget),
  subresources: { status: plainStatus },
});

function budgetErrors({ spec }: PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec ?? {};
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    return [invalidField('spec', spec, 'minAvailable and maxUnavailable cannot be both set')];
  }
  return [
    ...amountErrors('spec.minAvailable', minAvailable),
    ...amountErrors('spec.maxUnavailable', maxUnavailable),
    ...(policy === undefined || UNHEALTHY_POLICIES.includes(policy)
      ? []
      : [notSupportedField('spec.unhealthyPodEvictionPolicy', policy, UNHEALTHY_POLICIES)]),
  ];
}

function amountErrors(path: string, amount: number | string | undefined): FieldError[] {
  if (amount === undefined) return [];
  if (typeof amount === 'number') {
    return amount >= 0 ? [] : [invalidField(path, amount, 'must be greater than or equal to 0')];
  }
  if (!/^\d+%$/.test(amount)) {
    const form =
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
    return [invalidField(path, amount, form)];
  }
  return Number.parseInt(amount, 10) <= 100 ? [] : [invalidField(path, amount, 'must not be greater than 100%')];
}
