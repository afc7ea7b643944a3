/**
 * The rules of a cluster role that is made of others: those that its selectors choose, in the order of selectors and
 * names, each rule once. Pure.
 *
 * A chosen role may be made of others as well. Kubernetes takes over what such a role happens to hold and comes to the
 * same end in several rounds; roles that choose each other in a circle can chase each other there for ever. Here it is
 * followed down to the roles that hold rules of their own, each of which counts once.
 */
import type { ClusterRole } from '#kube/kinds/rbac/cluster-role.ts';
import type { PolicyRule } from '#kube/kinds/rbac/rules.ts';
import { labelsOf, nameOf } from '#kube/object.ts';
import { ParseError } from '#kube/parse-error.ts';
import { matchesLabels, type Selector, selectorOf } from '#kube/selectors.ts';

export function inOrderOfNames(roles: readonly ClusterRole[]): ClusterRole[] {
  return roles.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** @param roles every cluster role, in the order of their names. */
export function aggregatedRules(role: ClusterRole, roles: readonly ClusterRole[]): PolicyRule[] {
  const rules = new Map<string, PolicyRule>();
  const seen = new Set([nameOf(role)]);
  const visit = (aggregated: ClusterRole) => {
    for (const selector of selectorsOf(aggregated)) {
      for (const chosen of roles) {
        if (seen.has(nameOf(chosen)) || !matchesLabels(selector, labelsOf(chosen))) continue;
        seen.add(nameOf(chosen));
        if (chosen.aggregationRule) visit(chosen);
        else for (const rule of chosen.rules ?? []) rules.set(JSON.stringify(rule), rule);
      }
    }
  };
  visit(role);
  return [...rules.values()];
}

function selectorsOf({ aggregationRule }: ClusterRole): Selector[] {
  return (aggregationRule?.clusterRoleSelectors ?? [])
    .map(selectorOf)
    .filter((selector): selector is Selector => !(selector instanceof ParseError));
}
