/** config-deployment: how a Revision becomes a Deployment. */
import { formatDurationMs } from '#kube/duration.ts';
import { isWholeSeconds } from '#knative/go/duration.ts';
import { isSubset } from '#knative/config/domain.ts';
import { type ConfigData, ConfigError, ConfigReader } from '#knative/config/read.ts';
import { asMapping, asTexts, readYaml } from '#knative/config/yaml.ts';
import { dnsSubdomainProblems, labelValueProblems, qualifiedNameProblems } from '#kube/names.ts';

export type AffinityType = 'none' | 'prefer-spread-revision-over-nodes';

/** Quantities as they were written; absent where nothing is set. */
export interface SidecarResources {
  readonly cpu: string | undefined;
  readonly memory: string | undefined;
  readonly 'ephemeral-storage': string | undefined;
}

export interface DeploymentConfig {
  readonly queueSidecarImage: string;
  readonly progressDeadlineMs: number;
  readonly digestResolutionTimeoutMs: number;
  /** Images from these registries keep their tag. */
  readonly registriesSkippingTagResolving: ReadonlySet<string>;
  readonly queueSidecarRequests: SidecarResources;
  readonly queueSidecarLimits: SidecarResources;
  readonly queueSidecarTokenAudiences: ReadonlySet<string>;
  readonly queueSidecarRootCa: string;
  readonly queueSidecarTlsMinVersion: string;
  readonly queueSidecarTlsMaxVersion: string;
  readonly queueSidecarTlsCipherSuites: string;
  readonly queueSidecarTlsCurvePreferences: string;
  readonly defaultAffinityType: AffinityType;
  /** RuntimeClass → labels that a Revision must have to get it. */
  readonly runtimeClassNames: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly podIsAlwaysSchedulable: boolean;
}

export function parseDeploymentConfig(data: ConfigData): DeploymentConfig {
  const config = read(data);
  const { progressDeadlineMs: deadline, digestResolutionTimeoutMs: timeout } = config;
  if (config.queueSidecarImage === '') throw new ConfigError('queue-sidecar-image cannot be empty or unset');
  const mustBePositive = (key: string, value: number) => {
    if (value <= 0) throw new ConfigError(`${key} cannot be a non-positive duration, was ${formatDurationMs(value)}`);
  };
  mustBePositive('progress-deadline', deadline);
  if (!isWholeSeconds(deadline)) {
    throw new ConfigError(`progress-deadline must be rounded to a whole second, was: ${formatDurationMs(deadline)}`);
  }
  mustBePositive('digest-resolution-timeout', timeout);
  return { ...config, defaultAffinityType: readAffinity(data), runtimeClassNames: readRuntimeClasses(data) };
}

function read(data: ConfigData): Omit<DeploymentConfig, 'defaultAffinityType' | 'runtimeClassNames'> {
  const reader = new ConfigReader(data);
  return {
    queueSidecarImage: reader.text(['queueSidecarImage', 'queue-sidecar-image'], ''),
    progressDeadlineMs: reader.durationMs(['progressDeadline', 'progress-deadline'], 600_000),
    digestResolutionTimeoutMs: reader.durationMs(['digestResolutionTimeout', 'digest-resolution-timeout'], 10_000),
    registriesSkippingTagResolving: reader.set(
      ['registriesSkippingTagResolving', 'registries-skipping-tag-resolving'],
      ['kind.local', 'ko.local', 'dev.local'],
    ),
    queueSidecarRequests: readResources(reader, 'Request'),
    queueSidecarLimits: readResources(reader, 'Limit'),
    queueSidecarTokenAudiences: reader.set('queue-sidecar-token-audiences', ['']),
    queueSidecarRootCa: reader.text('queue-sidecar-rootca', ''),
    queueSidecarTlsMinVersion: reader.text('queue-sidecar-tls-min-version', ''),
    queueSidecarTlsMaxVersion: reader.text('queue-sidecar-tls-max-version', ''),
    queueSidecarTlsCipherSuites: reader.text('queue-sidecar-tls-cipher-suites', ''),
    queueSidecarTlsCurvePreferences: reader.text('queue-sidecar-tls-curve-preferences', ''),
    podIsAlwaysSchedulable: (data['pod-is-always-schedulable'] ?? '').toLowerCase() === 'true',
  };
}

function readResources(reader: ConfigReader, bound: 'Request' | 'Limit'): SidecarResources {
  const kebab = bound.toLowerCase();
  const cpuDefault = bound === 'Request' ? '25m' : undefined;
  return {
    cpu: reader.quantity([`queueSidecarCPU${bound}`, `queue-sidecar-cpu-${kebab}`], cpuDefault),
    memory: reader.quantity([`queueSidecarMemory${bound}`, `queue-sidecar-memory-${kebab}`]),
    'ephemeral-storage': reader.quantity([
      `queueSidecarEphemeralStorage${bound}`,
      `queue-sidecar-ephemeral-storage-${kebab}`,
    ]),
  };
}

function readAffinity(data: ConfigData): AffinityType {
  const text = data['default-affinity-type'] ?? 'prefer-spread-revision-over-nodes';
  if (text === 'none' || text === 'prefer-spread-revision-over-nodes') return text;
  throw new ConfigError(`unsupported default-affinity-type value: ${JSON.stringify(text)}`);
}

const RUNTIME_CLASS_KEY = 'runtime-class-name';

function readRuntimeClasses(data: ConfigData): Map<string, Record<string, string>> {
  const classes = parseRuntimeClasses(data[RUNTIME_CLASS_KEY] ?? '');
  for (const [name, selector] of classes) {
    const problems = dnsSubdomainProblems(name);
    if (problems.length > 0) {
      throw new ConfigError(`${RUNTIME_CLASS_KEY} ${name} selector not valid DNSSubdomain: [${problems.join(' ')}]`);
    }
    for (const [key, value] of Object.entries(selector)) checkLabel(name, key, value);
  }
  return classes;
}

function parseRuntimeClasses(text: string): Map<string, Record<string, string>> {
  const goType = 'map[string]deployment.RuntimeClassNameLabelSelector';
  try {
    const entries = Object.entries(asMapping(readYaml(text), goType));
    return new Map(
      entries.map(([name, value]) => {
        const settings = asMapping(value, 'deployment.RuntimeClassNameLabelSelector');
        return [name, asTexts(settings['selector'], 'RuntimeClassNameLabelSelector.selector') ?? {}];
      }),
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const what = `${RUNTIME_CLASS_KEY} cannot be parsed, please check the format: ${error.message}`;
    throw new ConfigError(what, { cause: error });
  }
}

function checkLabel(name: string, key: string, value: string): void {
  const subject = `${RUNTIME_CLASS_KEY} ${name} selector invalid:`;
  const [ofKey] = qualifiedNameProblems(key);
  if (ofKey) throw new ConfigError(`${subject} key: Invalid value: ${JSON.stringify(key)}: ${ofKey}`);
  const [ofValue] = labelValueProblems(value);
  if (ofValue)
    throw new ConfigError(`${subject} values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${ofValue}`);
}

/** The RuntimeClass for a Revision with these labels, if any. */
export function runtimeClassForLabels(
  { runtimeClassNames }: DeploymentConfig,
  labels: Readonly<Record<string, string>>,
): string | undefined {
  const matching = [...runtimeClassNames].filter(([, selector]) => isSubset(selector, labels));
  const specificity = ([, selector]: [string, object]) => Object.keys(selector).length;
  matching.sort((left, right) => specificity(right) - specificity(left) || (left[0] < right[0] ? -1 : 1));
  return matching[0]?.[0];
}
