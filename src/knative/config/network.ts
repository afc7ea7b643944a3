/** config-network: ingress, names, certificates and rollouts. */
import { isObject } from '#base/json.ts';
import { parseTemplate, struct, type Template } from '#knative/go/template.ts';
import { type ConfigData, ConfigError, ConfigReader } from '#knative/config/read.ts';
import { asMapping, readYaml } from '#knative/config/yaml.ts';

export type HttpProtocol = 'enabled' | 'redirected' | 'disabled';
export type MeshCompatibilityMode = 'auto' | 'enabled' | 'disabled';

export interface NetworkConfig {
  readonly ingressClass: string;
  readonly certificateClass: string;
  /** Namespaces that get a wildcard certificate: a label selector, or undefined for none. */
  readonly namespaceWildcardCertSelector: Readonly<Record<string, unknown>> | undefined;
  readonly domainTemplate: Template;
  readonly tagTemplate: Template;
  readonly isExternalDomainTlsEnabled: boolean;
  readonly isClusterLocalDomainTlsEnabled: boolean;
  readonly isSystemInternalTlsEnabled: boolean;
  readonly httpProtocol: HttpProtocol;
  /** How long a new Revision takes to get all traffic; 0 for at once. */
  readonly rolloutDurationSeconds: number;
  readonly autocreateClusterDomainClaims: boolean;
  readonly enableMeshPodAddressability: boolean;
  readonly meshCompatibilityMode: MeshCompatibilityMode;
  readonly defaultExternalScheme: string;
  /** Port that http:// URLs show; undefined for none. Ours, not Knative's, and so is the next. */
  readonly externalHttpPort: number | undefined;
  readonly externalHttpsPort: number | undefined;
}

/** Kourier's class: the gateway here answers to it. */
export const DEFAULT_INGRESS_CLASS = 'kourier.ingress.networking.knative.dev';
export const DEFAULT_CERTIFICATE_CLASS = 'cert-manager.certificate.networking.knative.dev';
export const DEFAULT_DOMAIN_TEMPLATE = '{{.Name}}.{{.Namespace}}.{{.Domain}}';
export const DEFAULT_TAG_TEMPLATE = '{{.Tag}}-{{.Name}}';

export function parseNetworkConfig(data: ConfigData): NetworkConfig {
  const reader = new ConfigReader(data);
  const rollout = reader.integer(['rolloutDuration', 'rollout-duration'], { by: 'Atoi', bits: 64 }, 0);
  const settings = readSettings(reader);
  const selector = readSelector(data['namespace-wildcard-cert-selector'] ?? '');
  if (rollout < 0) throw new ConfigError(`rollout-duration must be a positive integer, but was ${rollout}`);
  return {
    ...settings,
    rolloutDurationSeconds: rollout,
    namespaceWildcardCertSelector: selector,
    domainTemplate: readDomainTemplate(reader),
    tagTemplate: readTagTemplate(reader),
    isExternalDomainTlsEnabled:
      reader.text(['autoTLS', 'auto-tls', 'external-domain-tls'], 'disabled').toLowerCase() === 'enabled',
    httpProtocol: readHttpProtocol(data),
    isSystemInternalTlsEnabled: readTls(data, 'system-internal-tls') ?? reader.truth('internal-encryption', false),
    isClusterLocalDomainTlsEnabled: readTls(data, 'cluster-local-domain-tls') ?? false,
    externalHttpPort: readPort(reader, 'external-http-port', 80),
    externalHttpsPort: readPort(reader, 'external-https-port', 443),
  };
}

function readSettings(reader: ConfigReader) {
  return {
    ingressClass: reader.text(['ingress.class', 'ingress-class'], DEFAULT_INGRESS_CLASS),
    certificateClass: reader.text(['certificate.class', 'certificate-class'], DEFAULT_CERTIFICATE_CLASS),
    autocreateClusterDomainClaims: reader.truth(
      ['autocreateClusterDomainClaims', 'autocreate-cluster-domain-claims'],
      false,
    ),
    enableMeshPodAddressability: reader.truth('enable-mesh-pod-addressability', false),
    defaultExternalScheme: reader.text(['defaultExternalScheme', 'default-external-scheme'], 'http'),
    meshCompatibilityMode: reader.choice('mesh-compatibility-mode', ['enabled', 'disabled', 'auto'] as const, 'auto'),
  };
}

function readSelector(text: string): Record<string, unknown> | undefined {
  if (text === '') return undefined;
  const value = readYaml(text);
  return isObject(value) ? value : asMapping(value, 'v1.LabelSelector');
}

/** Undefined where the text says nothing. */
function readTls(data: ConfigData, key: string): boolean | undefined {
  const text = data[key] ?? '';
  const known: Record<string, boolean | undefined> = { '': undefined, disabled: undefined, enabled: true };
  if (text.toLowerCase() in known) return known[text.toLowerCase()];
  throw new ConfigError(`${key} with value: ${JSON.stringify(text)} in config-network ConfigMap is not supported`);
}

function readHttpProtocol(data: ConfigData): HttpProtocol {
  const text = data['http-protocol'] ?? data['httpProtocol'] ?? '';
  const protocol = text.toLowerCase();
  if (protocol === '') return 'enabled';
  if (protocol === 'enabled' || protocol === 'redirected' || protocol === 'disabled') return protocol;
  throw new ConfigError(`httpProtocol ${data['http-protocol'] ?? ''} in config-network ConfigMap is not supported`);
}

const MAX_PORT = 65_535;

/** Undefined for an empty text and for the scheme's own port, which URLs never show. */
function readPort(reader: ConfigReader, key: string, schemePort: number): number | undefined {
  if (reader.text(key, '') === '') return undefined;
  const port = reader.integer(key, { by: 'ParseUint', bits: 32 }, 0);
  if (port < 1 || port > MAX_PORT) throw new ConfigError(`${key} must be between 1 and ${MAX_PORT}, was: ${port}`);
  return port === schemePort ? undefined : port;
}

export interface DomainTemplateValues {
  readonly name: string;
  readonly namespace: string;
  readonly domain: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The host that the domain template makes, or the template's error. */
export function renderDomain(template: Template, values: DomainTemplateValues): string | Error {
  return template.render(
    struct('config.DomainTemplateValues', {
      Name: values.name,
      Namespace: values.namespace,
      Domain: values.domain,
      Annotations: values.annotations,
      Labels: values.labels,
    }),
  );
}

/** The first part of a tag's host, or the template's error. */
export function renderTag(template: Template, values: { name: string; tag: string }): string | Error {
  return template.render(struct('config.TagTemplateValues', { Name: values.name, Tag: values.tag }));
}

/** A public URL: the scheme and host, and the port where URLs show one. */
export function externalUrl(config: NetworkConfig, scheme: string, host: string): string {
  const port = scheme === 'https' ? config.externalHttpsPort : config.externalHttpPort;
  return port === undefined ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}

function readDomainTemplate(reader: ConfigReader): Template {
  const text = reader.text(['domainTemplate', 'domain-template'], DEFAULT_DOMAIN_TEMPLATE);
  const template = orThrow(parseTemplate('domain-template', text));
  const values = { name: 'foo', namespace: 'bar', domain: 'baz.com', annotations: {}, labels: {} };
  checkHost(orThrow(renderDomain(template, values)));
  return template;
}

function readTagTemplate(reader: ConfigReader): Template {
  const template = orThrow(
    parseTemplate('tag-template', reader.text(['tagTemplate', 'tag-template'], DEFAULT_TAG_TEMPLATE)),
  );
  orThrow(renderTag(template, { name: 'foo', tag: 'v2' }));
  return template;
}

function orThrow<T>(value: T | Error): T {
  if (value instanceof Error) throw new ConfigError(value.message);
  return value;
}

/** The trial host must be a host and nothing more. */
function checkHost(text: string): void {
  const [, host = '', rest = ''] = /^([^/?#]*)([^]*)$/.exec(text) ?? [];
  const [bad] = /[^\w\-.~!$&'()*+,;=:[\]<>"%]/.exec(host) ?? [];
  if (bad !== undefined) {
    throw new ConfigError(
      `parse ${JSON.stringify(`https://${text}`)}: invalid character ${JSON.stringify(bad)} in host name`,
    );
  }
  if (host === '') throw new ConfigError('empty hostname');
  const path = rest.replace(/#[^]*$/, '');
  const uri = path.startsWith('/') ? path : `/${path}`;
  if (uri !== '/') throw new ConfigError(`domain template has url path: ${uri}`);
}
