/**
 * Who may do what. The seam is one function; the policy here is the platform's first: whoever is authenticated may do
 * everything, everybody may see whether the server lives and which version it is.
 */
import { failure, StatusError } from '#kube/status.ts';
import { AUTHENTICATED, type User } from '#apiserver/user.ts';

export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  /** Empty for collections. */
  readonly name: string;
}

export type Attributes =
  | ({ readonly type: 'resource' } & ResourceAttributes)
  | { readonly type: 'path'; readonly verb: string; readonly path: string };

export interface Decision {
  readonly isAllowed: boolean;
  /** Appended to the refusal. */
  readonly reason?: string;
}

export type Authorizer = (user: User, attributes: Attributes) => Decision | Promise<Decision>;

/** Paths that everybody may read. */
const OPEN_PATHS = ['/healthz', '/livez', '/readyz', '/version', '/version/'];

export const allowAuthenticated: Authorizer = (user, attributes) => {
  if (attributes.type === 'path' && OPEN_PATHS.includes(attributes.path)) return { isAllowed: true };
  return { isAllowed: user.groups.includes(AUTHENTICATED) };
};

export function refusal(user: User, attributes: Attributes, reason = ''): StatusError {
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
