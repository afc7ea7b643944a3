/** ResourceQuotas: limits of resources that are known, in scopes that go together. */
import { child, entry, type FieldError, invalidField, requiredField } from '#kube/field-error.ts';
import { ResourceQuota } from '#kube/kinds/core/resource-quota.ts';
import { qualifiedNameProblems } from '#kube/names.ts';
import { ParseError } from '#kube/parse-error.ts';
import { parseQuantity } from '#kube/quantity.ts';
import { IMMUTABLE } from '#apiserver/metadata.ts';
import { problemsAt } from '#apiserver/pod-spec/checks.ts';
import { invalidLiteral } from '#apiserver/strategies/literals.ts';
import { strategyOf } from '#apiserver/strategy.ts';
import { plainStatus } from '#apiserver/subresources.ts';

type Spec = NonNullable<ResourceQuota['spec']>;
type Requirement = NonNullable<NonNullable<Spec['scopeSelector']>['matchExpressions']>[number];

const COUNTS = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
];
const COMPUTE = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];
const OTHERS = ['ephemeral-storage', 'requests.ephemeral-storage', 'limits.ephemeral-storage', 'requests.storage'];
const HUGE_PAGES = /^(requests\.)?hugepages-/;

const NANOS_PER_UNIT = 1_000_000_000n;

/** Scope → the standard resources that it may limit. */
const SCOPES: ReadonlyMap<string, readonly string[]> = new Map([
  ['Terminating', ['pods', ...COMPUTE]],
  ['NotTerminating', ['pods', ...COMPUTE]],
  ['NotBestEffort', ['pods', ...COMPUTE]],
  ['PriorityClass', ['pods', ...COMPUTE]],
  ['CrossNamespacePodAffinity', ['pods', ...COMPUTE]],
  ['BestEffort', ['pods']],
  ['VolumeAttributesClass', ['persistentvolumeclaims', 'requests.storage']],
]);
const EXCLUSIVE = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;
const EXISTING_ONLY = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity'];

export const resourceQuotaStrategy = strategyOf(ResourceQuota, {
  allowsCreateOnUpdate: true,
  validate: ({ spec }) => specErrors(spec ?? {}, 'spec'),
  validateUpdate: ({ spec }, { spec: old }) => [
    ...specErrors(spec ?? {}, 'spec'),
    ...scopeChangeErrors(spec ?? {}, old ?? {}, 'spec.scopes'),
  ],
  subresources: {
    status: {
      ...plainStatus,
      validateUpdate: (quota) => {
        const { hard, used } = quota.status ?? {};
        return [...amountsErrors(hard ?? {}, 'status.hard'), ...amountsErrors(used ?? {}, 'status.used')];
      },
    },
  },
});

function specErrors(spec: Spec, path: string): FieldError[] {
  return [
    ...amountsErrors(spec.hard ?? {}, child(path, 'hard')),
    ...scopesErrors(spec, child(path, 'scopes')),
    ...selectorErrors(spec, child(path, 'scopeSelector')),
  ];
}

function amountsErrors(amounts: Readonly<Record<string, string>>, path: string): FieldError[] {
  return Object.entries(amounts).flatMap(([name, amount]) => [
    ...nameErrors(name, entry(path, name)),
    ...amountErrors(name, amount, entry(path, name)),
  ]);
}

function nameErrors(name: string, path: string): FieldError[] {
  const problems = qualifiedNameProblems(name);
  const forQuota = 'must be a standard resource for quota';
  if (name.includes('/')) return problemsAt(path, name, problems);
  if (problems.length > 0) return problemsAt(path, name, [...problems, forQuota]);
  if (isStandard(name)) return [];
  const unknown = name === 'storage' ? [] : ['must be a standard resource type or fully qualified'];
  return problemsAt(path, name, [...unknown, forQuota]);
}

function isStandard(name: string): boolean {
  return [...COUNTS, ...COMPUTE, ...OTHERS].includes(name) || HUGE_PAGES.test(name);
}

function amountErrors(name: string, amount: string, path: string): FieldError[] {
  const quantity = parseQuantity(amount);
  if (quantity instanceof ParseError) return [];
  if (quantity.nanos < 0n) return [invalidField(path, amount, 'must be greater than or equal to 0')];
  const isWhole = quantity.nanos % NANOS_PER_UNIT === 0n;
  return isWhole || !COUNTS.includes(name) ? [] : [invalidField(path, amount, 'must be an integer')];
}

function scopesLiteral(scopes: readonly string[]): string {
  return `[]core.ResourceQuotaScope{${scopes.map((one) => JSON.stringify(one)).join(', ')}}`;
}

function scopesErrors({ scopes = [], hard = {} }: Spec, path: string): FieldError[] {
  const wrong = (detail: string) => invalidLiteral(path, scopesLiteral(scopes), detail);
  return [
    ...scopes.flatMap((scope) => [
      ...(SCOPES.has(scope) ? [] : [wrong('unsupported scope')]),
      ...outOfScope(scope, hard).map(() => wrong('unsupported scope applied to resource')),
    ]),
    ...conflicts(scopes).map(() => wrong('conflicting scopes')),
  ];
}

/** Standard resources that the scope is not about. */
function outOfScope(scope: string, hard: Readonly<Record<string, string>>): string[] {
  const meant = SCOPES.get(scope);
  return Object.keys(hard).filter((name) => meant && isStandard(name) && !meant.includes(name));
}

function conflicts(scopes: readonly string[]): (readonly string[])[] {
  return EXCLUSIVE.filter((pair) => pair.every((scope) => scopes.includes(scope)));
}

function selectorErrors({ scopeSelector, hard = {}, scopes = [] }: Spec, path: string): FieldError[] {
  const requirements = scopeSelector?.matchExpressions ?? [];
  const where = child(path, 'matchExpressions');
  return [
    ...requirements.flatMap((one) => [
      ...(SCOPES.has(one.scopeName)
        ? []
        : [invalidField(child(where, 'scopeName'), one.scopeName, 'unsupported scope')]),
      ...outOfScope(one.scopeName, hard).map(() =>
        invalidField(where, scopeSelector, 'unsupported scope applied to resource'),
      ),
      ...operatorErrors(one, where),
    ]),
    ...conflicts(requirements.map(({ scopeName }) => scopeName)).map(() =>
      invalidLiteral(where, scopesLiteral(scopes), 'conflicting scopes'),
    ),
  ];
}

function operatorErrors({ scopeName, operator, values = [] }: Requirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (EXISTING_ONLY.includes(scopeName) && operator !== 'Exists') {
    const scopes =
      'ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ' +
      'ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity';
    errors.push(invalidField(child(path, 'operator'), operator, `must be 'Exists' when scope is any of ${scopes}`));
  }
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length > 0) return errors;
    const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    return [...errors, requiredField(child(path, 'values'), detail)];
  }
  const known: readonly string[] = ['Exists', 'DoesNotExist'];
  if (!known.includes(operator)) {
    return [...errors, invalidField(child(path, 'operator'), operator, 'not a valid selector operator')];
  }
  if (values.length === 0) return errors;
  const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
  return [...errors, invalidField(child(path, 'values'), values, detail)];
}

function scopeChangeErrors({ scopes = [] }: Spec, { scopes: old = [] }: Spec, path: string): FieldError[] {
  const isSame = new Set(scopes).symmetricDifference(new Set(old)).size === 0;
  return isSame ? [] : [invalidLiteral(path, scopesLiteral(scopes), IMMUTABLE)];
}
