/** Which requests a webhook sees, and as which resource. Pure. */
import type { RuleWithOperations } from '#kube/kinds/admissionregistration/webhook.ts';
import { type Labels, matchesLabels, type Selector } from '#kube/selectors.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface ResourceName {
  readonly group: string;
  readonly version: string;
  /** The plural. */
  readonly resource: string;
}

export interface Matched {
  readonly operation: Operation;
  readonly resource: ResourceName;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** Of a Namespace its own name; empty for other objects without one. */
  readonly namespace: string;
}

function matchesRule(rule: RuleWithOperations, { operation, resource, subresource, namespace }: Matched): boolean {
  return (
    isInScope(rule.scope, resource, namespace) &&
    names(rule.operations, operation) &&
    names(rule.apiGroups, resource.group) &&
    names(rule.apiVersions, resource.version) &&
    (rule.resources ?? []).some((pattern) => meansResource(pattern, resource.resource, subresource))
  );
}

function names(list: readonly string[] | undefined, name: string): boolean {
  return list !== undefined && (list.includes('*') || list.includes(name));
}

function isInScope(scope: string | undefined, { group, resource }: ResourceName, namespace: string): boolean {
  const isClusterWide = namespace === '' || (group === '' && resource === 'namespaces');
  if (scope === 'Cluster') return isClusterWide;
  return scope === 'Namespaced' ? !isClusterWide : true;
}

/** `pods`, `pods/*`, `*` and the like; a star does not mean subresources unless it says so. */
function meansResource(pattern: string, resource: string, subresource: string): boolean {
  const slash = pattern.indexOf('/');
  const [first, second] = slash < 0 ? [pattern, ''] : [pattern.slice(0, slash), pattern.slice(slash + 1)];
  return (first === '*' || first === resource) && (second === '*' || second === subresource);
}

/** The resource as which the rules mean the request: itself, or, if that may be, another version of it. */
export function matchedResource(
  { rules, matchesEquivalents }: { rules: readonly RuleWithOperations[]; matchesEquivalents: boolean },
  request: Matched,
  equivalents: () => readonly ResourceName[],
): ResourceName | undefined {
  if (rules.some((rule) => matchesRule(rule, request))) return request.resource;
  if (!matchesEquivalents || rules.length === 0) return undefined;
  const others = equivalents();
  for (const rule of rules) {
    const found = others.find((resource) => matchesRule(rule, { ...request, resource }));
    if (found) return found;
  }
  return undefined;
}

export function isEverything({ requirements, isNothing }: Selector): boolean {
  return requirements.length === 0 && isNothing !== true;
}

/** The new object or the old one must fit. */
export function matchesEither(selector: Selector, ...objects: readonly (Labels | undefined)[]): boolean {
  return isEverything(selector) || objects.some((labels) => labels !== undefined && matchesLabels(selector, labels));
}
