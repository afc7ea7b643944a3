/**
 * Who may do what: roles and their bindings decide (RBAC), and whoever is in `system:masters` may do everything. Asked
 * for every request over HTTP, and by access reviews, impersonation and writes of roles; calls in this process are those
 * of our own controllers and are not asked about.
 */
import { allowsPath, allowsResource, type PathAction, type ResourceAction } from '#kube/rbac/rules.ts';
import { failure, StatusError } from '#kube/status.ts';
import { describeGrant, joinErrors, missingRole } from '#apiserver/rbac/describe.ts';
import type { Grant, RoleIndex } from '#apiserver/rbac/role-index.ts';
import { MASTERS, type User } from '#apiserver/user.ts';

export interface ResourceAttributes extends ResourceAction {
  readonly namespace: string | undefined;
}

export type Attributes =
  | ({ readonly type: 'resource' } & ResourceAttributes)
  | ({ readonly type: 'path' } & PathAction);

export interface Decision {
  readonly isAllowed: boolean;
  /** For people: which binding allows it, or why roles that should have been asked could not be. Mostly not wanted. */
  readonly reason: () => string;
}

export type Authorizer = (user: User, attributes: Attributes) => Decision;

const WITHOUT_REASON = () => '';
const ALLOWED: Decision = { isAllowed: true, reason: WITHOUT_REASON };

export function createAuthorizer(index: RoleIndex): Authorizer {
  return (user, attributes) => {
    if (user.groups.includes(MASTERS)) return ALLOWED;
    const missing: Grant[] = [];
    for (const grant of index.grants(user, attributes.type === 'resource' ? attributes.namespace : undefined)) {
      if (!grant.rules) missing.push(grant);
      else if (isAllowedBy(grant, attributes)) return { isAllowed: true, reason: () => describeGrant(user, grant) };
    }
    return { isAllowed: false, reason: () => missingRoles(missing) };
  };
}

function isAllowedBy({ rules = [] }: Grant, attributes: Attributes): boolean {
  if (attributes.type === 'path') return rules.some((rule) => allowsPath(rule, attributes));
  return rules.some((rule) => allowsResource(rule, attributes));
}

function missingRoles(missing: readonly Grant[]): string {
  if (missing.length === 0) return '';
  return `RBAC: ${joinErrors(missing.map(({ role }) => missingRole(role, 'singular')))}`;
}

/** The 403 of a request that is not allowed. */
export function refusal(user: User, attributes: Attributes, { reason: reasonOf }: Decision): StatusError {
  const reason = reasonOf();
  const why = reason === '' ? '' : `: ${reason}`;
  if (attributes.type === 'path') {
    const { verb, path } = attributes;
    const message = `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}${why}`;
    return new StatusError(failure({ code: 403, reason: 'Forbidden', message, details: {} }));
  }
  const { group, resource, name } = attributes;
  const qualified = group === '' ? resource : `${resource}.${group}`;
  const subject = name === '' ? qualified : `${qualified} ${JSON.stringify(name)}`;
  const message = `${subject} is forbidden: User ${JSON.stringify(user.name)} cannot ${whatOf(attributes)}${why}`;
  const details = { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource };
  return new StatusError(failure({ code: 403, reason: 'Forbidden', message, details }));
}

function whatOf({ verb, resource, subresource, group, namespace }: ResourceAttributes): string {
  const target = subresource === undefined ? resource : `${resource}/${subresource}`;
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `${verb} resource ${JSON.stringify(target)} in API group ${JSON.stringify(group)} ${where}`;
}
