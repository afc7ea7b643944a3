/** Which objects a ResourceQuota is about. Scopes are about pods only; of other kinds a quota with scopes counts none. */
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { ResourceQuota } from '#kube/kinds/core/resource-quota.ts';
import type { PodAffinityTerm } from '#kube/kinds/core/scheduling.ts';
import type { KubeObject } from '#kube/object.ts';

type Spec = NonNullable<ResourceQuota['spec']>;
type Requirement = NonNullable<NonNullable<Spec['scopeSelector']>['matchExpressions']>[number];

export function isInScope({ spec }: ResourceQuota, resource: string, object: KubeObject): boolean {
  const scopes = (spec?.scopes ?? []).map((scopeName): Requirement => ({ scopeName, operator: 'Exists' }));
  const requirements = [...scopes, ...(spec?.scopeSelector?.matchExpressions ?? [])];
  if (requirements.length === 0) return true;
  return resource === 'pods' && requirements.every((one) => matches(object as Pod, one));
}

function matches({ spec, status }: Pod, requirement: Requirement): boolean {
  switch (requirement.scopeName) {
    case 'Terminating':
      return spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return spec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return status?.qosClass === 'BestEffort';
    case 'NotBestEffort':
      return status?.qosClass !== 'BestEffort';
    case 'PriorityClass':
      return isOfClass(spec.priorityClassName ?? '', requirement);
    case 'CrossNamespacePodAffinity':
      return affinityTerms(spec.affinity).some(
        ({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined,
      );
    default:
      return false;
  }
}

function isOfClass(name: string, { operator, values = [] }: Requirement): boolean {
  switch (operator) {
    case 'Exists':
      return name !== '';
    case 'DoesNotExist':
      return name === '';
    case 'In':
      return name !== '' && values.includes(name);
    default:
      return !values.includes(name);
  }
}

function affinityTerms(affinity: Pod['spec']['affinity']): PodAffinityTerm[] {
  const kinds = [affinity?.podAffinity, affinity?.podAntiAffinity];
  return kinds.flatMap((kind) => [
    ...(kind?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(kind?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
}
