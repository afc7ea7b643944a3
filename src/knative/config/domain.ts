/**
 * config-domain: under which domain a Route is reachable.
 *
 * Each key is a domain, its value either empty (then it is a default) or a selector of Route labels. Of the domains
 * whose selector matches, the one with most labels wins, and of those the first by name. Where no key is a default,
 * `fallbackDomain` is: `localhost` here, where Knative has the cluster's own domain.
 */
import { VISIBILITY_CLUSTER_LOCAL, VISIBILITY_LABEL } from '#knative/labels.ts';
import { asMapping, asText, asTexts, readYaml } from '#knative/config/yaml.ts';
import { type ConfigData, EXAMPLE_KEY } from '#knative/config/read.ts';

export interface DomainEntry {
  readonly domain: string;
  readonly selector: Readonly<Record<string, string>>;
  /** Whether one wildcard certificate serves the domain. */
  readonly isWildcard: boolean;
}

export interface DomainConfig {
  /** Sorted by name. */
  readonly domains: readonly DomainEntry[];
  /** `svc.` + the domain of the cluster: Routes under it are reachable from inside only. */
  readonly localDomain: string;
}

export interface DomainOptions {
  /** `cluster.local`, as a rule. */
  readonly clusterDomain: string;
  /** The default where the ConfigMap has none. */
  readonly fallbackDomain: string;
}

export function parseDomainConfig(data: ConfigData, { clusterDomain, fallbackDomain }: DomainOptions): DomainConfig {
  const domains = Object.keys(data)
    .filter((key) => key !== EXAMPLE_KEY)
    .map((domain) => parseEntry(domain, data[domain] ?? ''));
  const hasDefault = domains.some(({ selector }) => Object.keys(selector).length === 0);
  if (!hasDefault) domains.push({ domain: fallbackDomain, selector: {}, isWildcard: true });
  domains.sort((left, right) => (left.domain < right.domain ? -1 : 1));
  return { domains, localDomain: `svc.${clusterDomain}` };
}

function parseEntry(domain: string, text: string): DomainEntry {
  const settings = asMapping(readYaml(text), 'config.domainInternalConfig');
  const selector = asTexts(settings['selector'], 'domainInternalConfig.selector') ?? {};
  const type = asText(settings['type'], 'domainInternalConfig.type');
  return { domain, selector, isWildcard: type === 'wildcard' || Object.keys(selector).length === 0 };
}

/** The domain of a Route with these labels. */
export function domainForLabels(config: DomainConfig, labels: Readonly<Record<string, string>>): string {
  if (labels[VISIBILITY_LABEL] === VISIBILITY_CLUSTER_LOCAL) return config.localDomain;
  const matching = config.domains.filter(({ selector }) => isSubset(selector, labels));
  const specificity = ({ selector }: DomainEntry) => Object.keys(selector).length;
  const [best] = matching.toSorted((left, right) => specificity(right) - specificity(left));
  return best?.domain ?? config.localDomain;
}

export function isSubset(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
