/**
 * Which served resource a path means, and whether it takes the method; 404 and 405 as Kubernetes gives them. Custom
 * kinds are served by another part of the real server, which says the same things in other words.
 */
import { badRequest, methodNotAllowed, methodNotSupported, noSuchResource, notFound } from '#kube/status.ts';
import type { Target } from '#apiserver/api.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { PageNotFound } from '#apiserver/http/plain-failure.ts';
import type { ResourcePath } from '#apiserver/http/path.ts';
import { partOf, type Registry, type ServedKind } from '#apiserver/registry.ts';
import { verbFor } from '#apiserver/http/verb.ts';
import { type Subresource, subresourceOf, type Verb, verbsOf } from '#apiserver/resources.ts';

export interface Resolved {
  readonly target: Target;
  readonly verb: Verb;
  readonly subresource: Subresource | undefined;
}

export function resolve(registry: Registry, exchange: Exchange, path: ResourcePath): Resolved {
  const served = servedKind(registry, path);
  const subresource = path.subresource === undefined ? undefined : subresourceOf(served, path.subresource);
  checkScope(served, exchange, path);
  if (path.subresource !== undefined && subresource === undefined) throw noSuchSubresource(served, path);
  if (path.rest.length > 0 && !subresource?.hasPaths) throw noSuchSubresource(served, path);
  const verb = verbOf(exchange, path, subresource);
  const verbs = subresource?.verbs ?? verbsOf(served);
  if (verb === undefined || !verbs.includes(verb)) throw notAllowed(served, exchange, path);
  const namespace = served.kind.namespaced ? path.namespace : undefined;
  const about = partOf(served, path.subresource);
  return { target: { served: about, namespace, name: path.name, subresource: path.subresource }, verb, subresource };
}

function servedKind(registry: Registry, { group, version, plural }: ResourcePath): ServedKind {
  const served = registry.find(group, version, plural);
  if (served) return served;
  // Of a group that is not served, the whole path is unknown; and no group of custom kinds knows what it does not serve.
  if (registry.hasBuiltinGroup(group)) throw noSuchResource();
  throw new PageNotFound();
}

function checkScope({ kind }: ServedKind, { method }: Exchange, { namespace, name }: ResourcePath): void {
  if (kind.namespaced === (namespace !== undefined)) return;
  // All namespaces together can be read, and nothing else.
  const isReadOfAll = kind.namespaced && name === '' && method === 'GET';
  if (isReadOfAll) return;
  if (kind.isCustom) throw new PageNotFound();
  throw kind.namespaced && name === '' ? methodNotAllowed() : noSuchResource();
}

function noSuchSubresource({ kind }: ServedKind, { name }: ResourcePath): Error {
  return kind.isCustom ? notFound(kind, name) : noSuchResource();
}

function notAllowed({ kind }: ServedKind, exchange: Exchange, path: ResourcePath): Error {
  if (!kind.isCustom) return methodNotAllowed();
  const verb = verbFor(exchange, path);
  const lacksName = path.name === '' && (verb === 'update' || verb === 'patch');
  return lacksName ? badRequest('name must be provided') : methodNotSupported(kind, verb);
}

/** Methods that are passed on, and as what. */
const PROXIED_METHODS: Readonly<Record<string, Verb>> = {
  DELETE: 'delete',
  GET: 'get',
  HEAD: 'get',
  OPTIONS: 'get',
  PATCH: 'patch',
  POST: 'create',
  PUT: 'update',
};

function verbOf({ method, query }: Exchange, path: ResourcePath, subresource?: Subresource): Verb | undefined {
  const isCollection = path.name === '';
  if (subresource?.hasPaths) return PROXIED_METHODS[method];
  switch (method) {
    case 'GET':
      if (path.isWatch || (isCollection && query.flag('watch'))) return 'watch';
      return isCollection ? 'list' : 'get';
    case 'POST':
      return isCollection || subresource ? 'create' : undefined;
    case 'PUT':
      return isCollection ? undefined : 'update';
    case 'PATCH':
      return isCollection ? undefined : 'patch';
    case 'DELETE':
      return isCollection ? 'deletecollection' : 'delete';
    default:
      return undefined;
  }
}
