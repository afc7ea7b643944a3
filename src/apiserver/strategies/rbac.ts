/** Roles and their bindings, as data: nothing is granted by them here. */
import { deepEqual } from '#base/json.ts';
import { type FieldError, index, invalidField, notSupportedField, requiredField } from '#kube/field-error.ts';
import type { PolicyRule, RoleRef, Subject } from '#kube/kinds/rbac/rules.ts';
import type { KubeObject } from '#kube/object.ts';
import { pathSegmentProblems } from '#kube/names.ts';
import { listOf } from '#apiserver/lists.ts';
import type { Strategy } from '#apiserver/strategy.ts';

const GROUP = 'rbac.authorization.k8s.io';

type WithRules = KubeObject & { rules?: PolicyRule[] | undefined };
type Binding = KubeObject & { subjects?: Subject[] | undefined; roleRef: RoleRef };

export const roleStrategy: Strategy = {
  allowsCreateOnUpdate: true,
  nameProblems: pathSegmentProblems,
  validate: (role) => rulesErrors(role),
  validateUpdate: (role) => rulesErrors(role),
};

export const bindingStrategy: Strategy = {
  allowsCreateOnUpdate: true,
  nameProblems: pathSegmentProblems,
  setDefaults(object) {
    const { roleRef, subjects = [] } = object as Binding;
    roleRef.apiGroup ||= GROUP;
    for (const subject of subjects) if (subject.kind !== 'ServiceAccount') subject.apiGroup ||= GROUP;
  },
  validate: (binding) => bindingErrors(binding as Binding),
  validateUpdate: (binding, old) => [
    ...bindingErrors(binding as Binding),
    ...(deepEqual((binding as Binding).roleRef, (old as Binding).roleRef)
      ? []
      : [invalidField('roleRef', (binding as Binding).roleRef, 'cannot change roleRef')]),
  ],
};

function rulesErrors({ rules }: WithRules): FieldError[] {
  return listOf(rules).flatMap(({ verbs, apiGroups = [], resources = [], nonResourceURLs = [] }, position) => {
    const path = index('rules', position);
    const errors =
      listOf(verbs).length === 0 ? [requiredField(`${path}.verbs`, 'verbs must contain at least one value')] : [];
    if (nonResourceURLs.length > 0) return errors;
    if (apiGroups.length === 0) {
      errors.push(requiredField(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
    }
    if (resources.length === 0) {
      errors.push(requiredField(`${path}.resources`, 'resource rules must supply at least one resource'));
    }
    return errors;
  });
}

function bindingErrors({ roleRef }: Binding): FieldError[] {
  const errors = roleRef.apiGroup === GROUP ? [] : [notSupportedField('roleRef.apiGroup', roleRef.apiGroup, [GROUP])];
  if (!roleRef.name) errors.push(requiredField('roleRef.name'));
  return errors;
}
