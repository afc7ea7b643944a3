/**
 * What a rule of a role allows, and which rules are contained in others. Pure; `*` and the order of things are those of
 * k8s.io/kubernetes/pkg/apis/rbac/v1 and k8s.io/component-helpers/auth/rbac/validation. Rules come from anybody who may
 * write a role.
 */
import type { PolicyRule } from '#kube/kinds/rbac/rules.ts';

export interface ResourceAction {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  /** Empty for collections. */
  readonly name: string;
}

export interface PathAction {
  readonly verb: string;
  readonly path: string;
}

const ALL = '*';

export function allowsResource(rule: PolicyRule, action: ResourceAction): boolean {
  const { verb, group, name } = action;
  return (
    includes(rule.verbs, verb) &&
    includes(rule.apiGroups, group) &&
    includesResource(rule.resources, action) &&
    includesName(rule.resourceNames, name)
  );
}

export function allowsPath({ verbs, nonResourceURLs }: PolicyRule, { verb, path }: PathAction): boolean {
  return includes(verbs, verb) && listOf(nonResourceURLs).some((url) => coversPath(url, path));
}

/** Lists of decoded objects may be null. */
function listOf<T>(list: readonly T[] | null | undefined): readonly T[] {
  return list ?? [];
}

function includes(list: readonly string[] | undefined, one: string): boolean {
  return listOf(list).includes(one) || listOf(list).includes(ALL);
}

function includesResource(list: readonly string[] | undefined, action: ResourceAction): boolean {
  const { resource, subresource } = action;
  if (subresource === undefined) return includes(list, resource);
  return includes(list, `${resource}/${subresource}`) || listOf(list).includes(`*/${subresource}`);
}

/** No names mean every name; a rule for names never allows what has none. */
function includesName(names: readonly string[] | undefined, name: string): boolean {
  return listOf(names).length === 0 || listOf(names).includes(name);
}

/** `/apis/*` covers what begins so, `*` everything. */
function coversPath(url: string, path: string): boolean {
  return url === path || (url.endsWith(ALL) && path.startsWith(url.replace(/\*+$/, '')));
}

/** The smallest parts of a rule: one verb on one resource, by one name if it has names, or on one path. */
function* partsOf(rule: PolicyRule): Generator<PolicyRule> {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
  for (const group of listOf(apiGroups)) {
    for (const resource of listOf(resources)) {
      for (const verb of listOf(verbs)) {
        const part = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (listOf(resourceNames).length === 0) yield part;
        for (const name of listOf(resourceNames)) yield { ...part, resourceNames: [name] };
      }
    }
  }
  for (const url of listOf(nonResourceURLs)) {
    for (const verb of listOf(verbs)) yield { verbs: [verb], nonResourceURLs: [url] };
  }
}

/** How many parts two sets of rules may be compared in; nobody writes as many. */
const MAX_PARTS = 10_000;

export class TooManyRights extends Error {
  override readonly name = 'TooManyRights';

  constructor() {
    super(`the rules name more than ${MAX_PARTS} single rights`);
  }
}

/** The parts of `wanted` that no rule of `held` covers. Throws `TooManyRights`. */
export function missingRights(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  const missing: PolicyRule[] = [];
  let parts = 0;
  for (const rule of wanted) {
    for (const part of partsOf(rule)) {
      parts += 1;
      if (parts > MAX_PARTS) throw new TooManyRights();
      if (!held.some((one) => coversPart(one, part))) missing.push(part);
    }
  }
  return missing;
}

function coversPart(rule: PolicyRule, part: PolicyRule): boolean {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = part;
  return (
    listOf(verbs).every((verb) => includes(rule.verbs, verb)) &&
    listOf(apiGroups).every((group) => includes(rule.apiGroups, group)) &&
    listOf(resources).every((resource) => coversResource(rule.resources, resource)) &&
    coversNames(rule.resourceNames, resourceNames) &&
    listOf(nonResourceURLs).every((path) => listOf(rule.nonResourceURLs).some((url) => coversPath(url, path)))
  );
}

function coversResource(list: readonly string[] | undefined, resource: string): boolean {
  if (includes(list, resource)) return true;
  const slash = resource.indexOf('/');
  return slash >= 0 && listOf(list).includes(`*${resource.slice(slash)}`);
}

function coversNames(names: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean {
  if (listOf(names).length === 0) return true;
  return listOf(wanted).length > 0 && listOf(wanted).every((name) => listOf(names).includes(name));
}

/** Single rights on the same resource joined to one rule with all their verbs. */
export function joinVerbs(parts: readonly PolicyRule[]): PolicyRule[] {
  const byResource = new Map<string, PolicyRule>();
  const others: PolicyRule[] = [];
  for (const part of parts) {
    if (part.nonResourceURLs) {
      others.push(part);
      continue;
    }
    const { apiGroups, resources, resourceNames } = part;
    const key = JSON.stringify([apiGroups, resources, resourceNames]);
    const known = byResource.get(key);
    if (known) known.verbs.push(...part.verbs);
    else byResource.set(key, { ...part, verbs: [...part.verbs] });
  }
  return [...others, ...byResource.values()];
}

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`, as refusals show a rule. */
export function describeRule({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const members = { APIGroups: apiGroups, Resources: resources, NonResourceURLs: nonResourceURLs };
  const shown = Object.entries({ ...members, ResourceNames: resourceNames, Verbs: verbs })
    .filter(([, list]) => listOf(list).length > 0)
    .map(([name, list]) => `${name}:${quotedList(listOf(list))}`);
  return `{${shown.join(', ')}}`;
}

/** `["a" "b"]`, as Go prints a list of strings with %q. */
export function quotedList(list: readonly string[]): string {
  return `[${list.map((one) => JSON.stringify(one)).join(' ')}]`;
}
