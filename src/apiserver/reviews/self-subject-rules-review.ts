/** Everything that the caller may do in a namespace: `kubectl auth can-i --list`. */
import { SelfSubjectRulesReview } from '#kube/kinds/authorization/self-subject-rules-review.ts';
import type { PolicyRule } from '#kube/kinds/rbac/rules.ts';
import { badRequest } from '#kube/status.ts';
import { listOf } from '#apiserver/lists.ts';
import { joinErrors, missingRole } from '#apiserver/rbac/describe.ts';
import type { Rights } from '#apiserver/rbac/rights.ts';
import { type VirtualKind, virtualKind } from '#apiserver/virtual-kind.ts';

export function selfSubjectRulesReview(rights: Rights): VirtualKind {
  return virtualKind({
    kind: SelfSubjectRulesReview,
    answer: ({ object }, { user }) => {
      const { namespace = '' } = object.spec;
      if (namespace === '') throw badRequest('no namespace on request');
      const { rules, missing } = rights.heldBy(user, namespace);
      const errors = missing.map((role) => missingRole(role, 'singular'));
      const status = {
        resourceRules: rules.filter(({ resources }) => listOf(resources).length > 0).map(resourceRule),
        nonResourceRules: rules.filter(({ nonResourceURLs }) => listOf(nonResourceURLs).length > 0).map(pathRule),
        incomplete: false,
        ...(errors.length === 0 ? {} : { evaluationError: joinErrors(errors) }),
      };
      // What was asked is not said again.
      return { ...object, spec: {}, status };
    },
  });
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: PolicyRule) {
  return {
    verbs,
    ...(apiGroups ? { apiGroups } : {}),
    ...(resources ? { resources } : {}),
    ...(resourceNames ? { resourceNames } : {}),
  };
}

function pathRule({ verbs, nonResourceURLs }: PolicyRule) {
  return { verbs, nonResourceURLs };
}
