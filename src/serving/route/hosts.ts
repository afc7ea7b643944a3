/**
 * The hosts of a Route: its own and one per tag, each known inside the cluster and, unless it is private, outside.
 *
 * A Route is private as a whole by its label or its domain; a tag can be made private alone by the visibility label on
 * its placeholder Service.
 */
import { annotationsOf, labelsOf, nameOf, namespaceOf } from '#kube/object.ts';
import { dnsLabelProblems, dnsSubdomainProblems } from '#kube/names.ts';
import { type DomainConfig, domainForLabels } from '#knative/config/domain.ts';
import { externalUrl, type NetworkConfig, renderDomain, renderTag } from '#knative/config/network.ts';
import type { Route } from '#knative/kinds/route.ts';
import { VISIBILITY_LABEL } from '#knative/labels.ts';
import { DomainNameError } from '#serving/errors.ts';

export type Visibility = 'ExternalIP' | 'ClusterLocal';

export interface HostSettings {
  readonly network: NetworkConfig;
  readonly domain: DomainConfig;
  readonly clusterDomain: string;
}

const MAX_LABEL = 63;

/** What stands before the namespace: the Route's name, or what the tag template makes of tag and name. */
export function hostLabel(route: Route, tag: string, { network }: HostSettings): string {
  if (tag === '') return nameOf(route);
  const label = renderTag(network.tagTemplate, { name: nameOf(route), tag });
  if (label instanceof Error) throw new DomainNameError(`error executing the TagTemplate: ${label.message}`);
  return label;
}

/** `NAME.NAMESPACE.svc.CLUSTER-DOMAIN` */
export function localHost(route: Route, tag: string, settings: HostSettings): string {
  return `${hostLabel(route, tag, settings)}.${namespaceOf(route)}.svc.${settings.clusterDomain}`;
}

/** The host outside, as the domain template has it. */
export function externalHost(route: Route, tag: string, settings: HostSettings): string {
  const { [VISIBILITY_LABEL]: _, ...labels } = labelsOf(route);
  const host = renderDomain(settings.network.domainTemplate, {
    name: hostLabel(route, tag, settings),
    namespace: namespaceOf(route),
    domain: domainForLabels(settings.domain, labels),
    annotations: annotationsOf(route),
    labels,
  });
  if (host instanceof Error) throw new DomainNameError(`error executing the DomainTemplate: ${host.message}`);
  const problem = domainProblem(host);
  if (problem) throw new DomainNameError(`invalid domain name "${host}": url: Invalid value: "${host}": ${problem}`);
  return host;
}

/** Kubernetes' rule for a fully qualified domain name. */
function domainProblem(host: string): string | undefined {
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  const [problem] = dnsSubdomainProblems(name);
  if (problem) return problem;
  if (!name.includes('.')) return 'should be a domain with at least two segments separated by dots';
  return name.split('.').flatMap(dnsLabelProblems)[0];
}

/** The host that a URL of this tag shows. */
export function visibleHost(route: Route, tag: string, at: HostSettings & { visibility: Visibility }): string {
  return at.visibility === 'ClusterLocal' ? localHost(route, tag, at) : externalHost(route, tag, at);
}

export function urlOf(host: string, visibility: Visibility, network: NetworkConfig): string {
  if (visibility === 'ClusterLocal') return `http://${host}`;
  return externalUrl(network, network.defaultExternalScheme, host);
}

/** Private as a whole, whatever its placeholders say. */
export function isPrivateRoute(route: Route, { domain }: HostSettings): boolean {
  return domainForLabels(domain, labelsOf(route)) === domain.localDomain;
}

/**
 * The forms under which resolvers inside the cluster ask for a local host, sorted. A form whose last part is a number
 * or longer than a DNS label is no host.
 */
export function expandedHosts(host: string, clusterDomain: string): string[] {
  const suffixes = ['', `.${clusterDomain}`, `.svc.${clusterDomain}`];
  const forms = suffixes
    .filter((suffix) => host.endsWith(suffix))
    .map((suffix) => host.slice(0, host.length - suffix.length));
  return [...new Set(forms)].filter(isHost).sort();
}

function isHost(host: string): boolean {
  const last = host.split('.').at(-1) ?? '';
  return last !== '' && last.length <= MAX_LABEL && !/^\d+$/.test(last);
}
