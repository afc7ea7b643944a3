/**
 * Compiles one Ingress into the routes that a gateway matches requests against. Pure.
 *
 * Hosts match exactly and without ports. Within a host the longest prefix is tried first, and among equal ones the
 * order of the Ingress holds, in which the more particular entry (one with headers) stands first. Rules that name the
 * same host are one. A Service that does not exist yet postpones the whole Ingress: what it said before stays.
 */
import { createHash } from 'node:crypto';
import { keyOf, nameOf, namespaceOf } from '#kube/object.ts';
import type { Service } from '#kube/kinds/core/service.ts';
import type { Ingress } from '#knative/kinds/ingress.ts';
import type { RoutePath, RouteRule, RouteSet, RouteSplit, Visibility } from '#protocol/routing.ts';

type Rule = NonNullable<Ingress['spec']['rules']>[number];
type Path = NonNullable<Rule['http']>['paths'][number];
type Split = Path['splits'][number];

export type FindService = (namespace: string, name: string) => Service | undefined;

export interface CompiledRoutes {
  readonly routes: RouteSet;
  /** Every host, of every rule. */
  readonly hosts: ReadonlySet<string>;
  readonly targets: ReadonlySet<string>;
}

/** The Ingress waits for a Service, or for a port of it. */
export interface PostponedRoutes {
  readonly missing: string;
}

/** The Services that the Ingress names: `NAMESPACE/NAME`. */
export function backendsOf({ spec }: Ingress): Set<string> {
  const paths = (spec.rules ?? []).flatMap((rule) => rule.http?.paths ?? []);
  return new Set(paths.flatMap(({ splits }) => splits.map((one) => `${one.serviceNamespace}/${one.serviceName}`)));
}

export function compileRoutes(ingress: Ingress, findService: FindService): CompiledRoutes | PostponedRoutes {
  const rules = mergeRules(ingress.spec.rules ?? []);
  const compiled: RouteRule[] = [];
  for (const { hosts, visibility, paths } of rules) {
    const routePaths: RoutePath[] = [];
    for (const path of byPrefix(paths)) {
      const splits = path.splits.map((split) => compileSplit(split, path.splits.length, findService));
      const postponed = splits.find((split) => 'missing' in split);
      if (postponed) return postponed;
      routePaths.push(compilePath(path, splits as RouteSplit[]));
    }
    compiled.push({ hosts, visibility, paths: routePaths });
  }
  const httpOption = ingress.spec.httpOption === 'Redirected' ? 'redirect' : 'enabled';
  return {
    routes: { key: keyOf(ingress), hash: hashOf(ingress), httpOption, rules: compiled },
    hosts: new Set(compiled.flatMap(({ hosts }) => hosts)),
    targets: new Set(compiled.flatMap(({ paths }) => paths.flatMap(({ splits }) => splits.map((one) => one.target)))),
  };
}

/** What a probe of the gateway is answered, so that it tells which version of the Ingress is served. */
function hashOf(ingress: Ingress): string {
  const text = JSON.stringify(ingress.spec) + namespaceOf(ingress) + nameOf(ingress);
  return createHash('sha256').update(text).digest('hex');
}

interface MergedRule {
  readonly hosts: string[];
  readonly visibility: Visibility;
  readonly paths: readonly Path[];
}

/** One entry per set of hosts that the same rules name, in the order of their first rule. */
function mergeRules(rules: readonly Rule[]): MergedRule[] {
  const rulesOfHost = new Map<string, number[]>();
  rules.forEach((rule, index) => {
    for (const host of rule.hosts ?? []) {
      const key = `${visibilityOf(rule)} ${host.toLowerCase()}`;
      rulesOfHost.set(key, [...(rulesOfHost.get(key) ?? []), index]);
    }
  });
  const merged = new Map<string, MergedRule>();
  for (const [key, indexes] of rulesOfHost) {
    const [visibility, host = ''] = key.split(' ') as [Visibility, string?];
    const group = `${visibility} ${indexes.join()}`;
    const paths = indexes.flatMap((index) => rules[index]?.http?.paths ?? []);
    const known = merged.get(group);
    if (known) known.hosts.push(host);
    else merged.set(group, { hosts: [host], visibility, paths });
  }
  return [...merged.values()];
}

function visibilityOf({ visibility }: Rule): Visibility {
  return visibility === 'ClusterLocal' ? 'local' : 'external';
}

const prefixOf = ({ path = '' }: Path) => (path === '/' ? '' : path);

/** Sorting is stable: equal prefixes keep the order of the Ingress. */
function byPrefix(paths: readonly Path[]): Path[] {
  return paths.toSorted((a, b) => prefixOf(b).length - prefixOf(a).length);
}

function compilePath(path: Path, splits: readonly RouteSplit[]): RoutePath {
  const headers = Object.entries(path.headers ?? {}).map(([name, { exact }]) => [name.toLowerCase(), exact]);
  return {
    prefix: prefixOf(path),
    headers: Object.fromEntries(headers),
    ...(path.rewriteHost ? { rewriteHost: path.rewriteHost } : {}),
    appendHeaders: { ...path.appendHeaders },
    splits: splits.filter(({ percent }) => percent > 0),
  };
}

/** A backend alone gets everything, whatever percent it has. */
function compileSplit(split: Split, count: number, findService: FindService): RouteSplit | PostponedRoutes {
  const { serviceNamespace, serviceName, servicePort, percent = 0, appendHeaders } = split;
  const service = findService(serviceNamespace, serviceName);
  const missing = `${serviceNamespace}/${serviceName}`;
  if (!service) return { missing };
  const port = service.spec.ports?.find((one) => one.port === servicePort || one.name === servicePort)?.port;
  const known = port ?? (typeof servicePort === 'number' ? servicePort : undefined);
  if (known === undefined) return { missing };
  const target = targetKey(serviceNamespace, serviceName, known);
  return { target, percent: count === 1 ? 100 : percent, appendHeaders: { ...appendHeaders } };
}

export function targetKey(namespace: string, service: string, port: number): string {
  return `${namespace}/${service}:${port}`;
}
