/** Roles and their bindings: what they must look like, and that nobody gives rights that they lack. */
import { deepEqual } from '#base/json.ts';
import { type FieldError, index, invalidField, notSupportedField, requiredField } from '#kube/field-error.ts';
import { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import type { ClusterRoleBinding } from '#kube/kinds/rbac/cluster-role-binding.ts';
import { Role } from '#kube/kinds/rbac/role.ts';
import type { RoleBinding } from '#kube/kinds/rbac/role-binding.ts';
import type { PolicyRule, RoleRef, Subject } from '#kube/kinds/rbac/rules.ts';
import type { Kind } from '#kube/kind.ts';
import { dnsSubdomainProblems, pathSegmentProblems } from '#kube/names.ts';
import { labelSelectorErrors } from '#kube/selectors.ts';
import { listOf } from '#apiserver/lists.ts';
import { checkBinding, checkRole } from '#apiserver/rbac/escalation.ts';
import type { Rights } from '#apiserver/rbac/rights.ts';
import type { Binding } from '#apiserver/rbac/role-index.ts';
import { invalidLiteral, stringList } from '#apiserver/strategies/literals.ts';
import { type Strategy, strategyOf } from '#apiserver/strategy.ts';

const GROUP = 'rbac.authorization.k8s.io';

type Scope = 'namespaced' | 'cluster';

const common = { allowsCreateOnUpdate: true, nameProblems: pathSegmentProblems };

export function roleStrategy(rights: Rights): Strategy {
  const errorsOf = ({ rules }: Role) => rulesErrors(rules, 'namespaced');
  return strategyOf(Role, {
    ...common,
    checkRights: (check) => checkRole(rights, check),
    validate: errorsOf,
    validateUpdate: errorsOf,
  });
}

export function clusterRoleStrategy(rights: Rights): Strategy {
  const errorsOf = (role: ClusterRole) => [...rulesErrors(role.rules, 'cluster'), ...aggregationErrors(role)];
  return strategyOf(ClusterRole, {
    ...common,
    checkRights: (check) => checkRole(rights, check),
    validate: errorsOf,
    validateUpdate: errorsOf,
  });
}

export function bindingStrategy(rights: Rights, kind: Kind<RoleBinding> | Kind<ClusterRoleBinding>): Strategy {
  const scope = kind.namespaced ? 'namespaced' : 'cluster';
  const errorsOf = (binding: Binding) => bindingErrors(binding, scope);
  return strategyOf<Binding>(kind, {
    ...common,
    setDefaults({ roleRef, subjects }) {
      roleRef.apiGroup ||= GROUP;
      for (const subject of listOf(subjects)) {
        if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= GROUP;
      }
    },
    checkRights: (check) => checkBinding(rights, check),
    validate: errorsOf,
    validateUpdate: (binding, old) => [
      ...errorsOf(binding),
      ...(deepEqual(binding.roleRef, old.roleRef)
        ? []
        : [invalidLiteral('roleRef', roleRefLiteral(binding.roleRef), 'cannot change roleRef')]),
    ],
  });
}

function rulesErrors(rules: readonly PolicyRule[] | undefined, scope: Scope): FieldError[] {
  return listOf(rules).flatMap((rule, position) => {
    const path = index('rules', position);
    const verbs = requiredField(`${path}.verbs`, 'verbs must contain at least one value');
    const ofVerbs = listOf(rule.verbs).length === 0 ? [verbs] : [];
    return [...ofVerbs, ...(listOf(rule.nonResourceURLs).length > 0 ? pathErrors : resourceErrors)(rule, path, scope)];
  });
}

function resourceErrors({ apiGroups, resources }: PolicyRule, path: string): FieldError[] {
  const ofGroups = requiredField(`${path}.apiGroups`, 'resource rules must supply at least one api group');
  const ofResources = requiredField(`${path}.resources`, 'resource rules must supply at least one resource');
  return [
    ...(listOf(apiGroups).length === 0 ? [ofGroups] : []),
    ...(listOf(resources).length === 0 ? [ofResources] : []),
  ];
}

function pathErrors(rule: PolicyRule, path: string, scope: Scope): FieldError[] {
  const { nonResourceURLs, apiGroups, resources, resourceNames } = rule;
  const invalid = (why: string) => invalidLiteral(`${path}.nonResourceURLs`, stringList(nonResourceURLs), why);
  const isMixed = [apiGroups, resources, resourceNames].some((list) => listOf(list).length > 0);
  return [
    ...(scope === 'namespaced' ? [invalid('namespaced rules cannot apply to non-resource URLs')] : []),
    ...(isMixed ? [invalid('rules cannot apply to both regular resources and non-resource URLs')] : []),
  ];
}

function aggregationErrors({ aggregationRule }: ClusterRole): FieldError[] {
  if (!aggregationRule) return [];
  const path = 'aggregationRule.clusterRoleSelectors';
  const selectors = listOf(aggregationRule.clusterRoleSelectors);
  const none = 'at least one clusterRoleSelector required if aggregationRule is non-nil';
  if (selectors.length === 0) return [requiredField(path, none)];
  return selectors.flatMap((selector, position) => labelSelectorErrors(selector, index(path, position)));
}

function bindingErrors({ roleRef, subjects }: Binding, scope: Scope): FieldError[] {
  return [
    ...roleRefErrors(roleRef, scope === 'namespaced' ? ['Role', 'ClusterRole'] : ['ClusterRole']),
    ...listOf(subjects).flatMap((subject, position) => subjectErrors(subject, index('subjects', position), scope)),
  ];
}

function roleRefErrors({ apiGroup, kind, name }: RoleRef, kinds: readonly string[]): FieldError[] {
  return [
    ...(apiGroup === GROUP ? [] : [notSupportedField('roleRef.apiGroup', apiGroup, [GROUP])]),
    ...(kinds.includes(kind) ? [] : [notSupportedField('roleRef.kind', kind, kinds)]),
    ...(name ? [] : [requiredField('roleRef.name')]),
    ...pathSegmentProblems(name).map((problem) => invalidField('roleRef.name', name, problem)),
  ];
}

function subjectErrors({ kind, name, apiGroup = '', namespace }: Subject, path: string, scope: Scope): FieldError[] {
  const ofName = name ? [] : [requiredField(`${path}.name`)];
  const wrongGroup = (supported: string) => notSupportedField(`${path}.apiGroup`, apiGroup, [supported]);
  switch (kind) {
    case 'ServiceAccount':
      return [
        ...ofName,
        ...(name ? dnsSubdomainProblems(name) : []).map((problem) => invalidField(`${path}.name`, name, problem)),
        ...(apiGroup === '' ? [] : [wrongGroup('')]),
        ...(scope === 'namespaced' || namespace ? [] : [requiredField(`${path}.namespace`)]),
      ];
    case 'User':
    case 'Group':
      return [...ofName, ...(apiGroup === GROUP ? [] : [wrongGroup(GROUP)])];
    default:
      return [...ofName, notSupportedField(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group'])];
  }
}

function roleRefLiteral({ apiGroup, kind, name }: RoleRef): string {
  const [group, ofKind, named] = [apiGroup, kind, name].map((one) => JSON.stringify(one));
  return `rbac.RoleRef{APIGroup:${group}, Kind:${ofKind}, Name:${named}}`;
}
