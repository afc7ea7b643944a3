/**
 * All ConfigMaps of Knative Serving together: what they are when nobody changed them, whether a change is good, and
 * what they say, as one object.
 *
 * Knative reads `config-domain` with the cluster's own domain as the default; here it is `localhost`, and the default
 * ingress class is Kourier's. Every other default is Knative's.
 */
import type { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { parseAutoscalerConfig, type AutoscalerConfig } from '#knative/config/autoscaler.ts';
import { parseCertManagerConfig, type CertManagerConfig } from '#knative/config/certmanager.ts';
import { parseDefaultsConfig, type DefaultsConfig } from '#knative/config/defaults.ts';
import { parseDeploymentConfig, type DeploymentConfig } from '#knative/config/deployment.ts';
import { parseDomainConfig, type DomainConfig, type DomainOptions } from '#knative/config/domain.ts';
import { type ConfigMapName, documentedSettings, exampleChecksum, exampleOf } from '#knative/config/examples.ts';
import { parseFeaturesConfig, type FeaturesConfig } from '#knative/config/features.ts';
import { parseGcConfig, type GcConfig } from '#knative/config/gc.ts';
import { parseKourierConfig, type KourierConfig } from '#knative/config/kourier.ts';
import { parseLeaderElectionConfig, type LeaderElectionConfig } from '#knative/config/leader-election.ts';
import { parseLoggingConfig, type LoggingConfig } from '#knative/config/logging.ts';
import { parseNetworkConfig, type NetworkConfig } from '#knative/config/network.ts';
import { parseObservabilityConfig, type ObservabilityConfig } from '#knative/config/observability.ts';
import { type ConfigData, ConfigError, EXAMPLE_KEY } from '#knative/config/read.ts';
import { parseTracingConfig, type TracingConfig } from '#knative/config/tracing.ts';
import {
  COMPONENT_LABEL,
  EXAMPLE_CHECKSUM_ANNOTATION,
  KNATIVE_SERVING,
  NAME_LABEL,
  VERSION_LABEL,
} from '#knative/labels.ts';

/** The namespace of the ConfigMaps. */
export const SYSTEM_NAMESPACE = 'knative-serving';

/** Everything that the ConfigMaps say. */
export interface KnativeConfig {
  readonly autoscaler: AutoscalerConfig;
  readonly certManager: CertManagerConfig;
  readonly defaults: DefaultsConfig;
  readonly deployment: DeploymentConfig;
  readonly domain: DomainConfig;
  readonly features: FeaturesConfig;
  readonly gc: GcConfig;
  readonly kourier: KourierConfig;
  readonly leaderElection: LeaderElectionConfig;
  readonly logging: LoggingConfig;
  readonly network: NetworkConfig;
  readonly observability: ObservabilityConfig;
  readonly tracing: TracingConfig;
}

export interface KnativeConfigOptions extends Partial<DomainOptions> {
  /** Told why a ConfigMap could not be read; what it said before, or the default, is used instead. */
  readonly onError?: (name: ConfigMapName, error: ConfigError) => void;
  /** What was read last time: an unreadable ConfigMap keeps its part of it. */
  readonly previous?: KnativeConfig | undefined;
}

const DEFAULT_CLUSTER_DOMAIN = 'cluster.local';
const DEFAULT_DOMAIN = 'localhost';

/**
 * The gateway does the work of a queue-proxy here, so no pod ever has this image; the key must be there, though, as
 * Knative refuses the ConfigMap without it.
 */
const QUEUE_SIDECAR_IMAGE = 'dev.local/knative/queue:1';

const INITIAL_DATA: Partial<Record<ConfigMapName, ConfigData>> = {
  'config-deployment': { 'queue-sidecar-image': QUEUE_SIDECAR_IMAGE },
};

const COMPONENTS: Readonly<Record<ConfigMapName, string>> = {
  'config-autoscaler': 'autoscaler',
  'config-certmanager': 'controller',
  'config-defaults': 'controller',
  'config-deployment': 'controller',
  'config-domain': 'controller',
  'config-features': 'controller',
  'config-gc': 'controller',
  'config-kourier': 'net-kourier',
  'config-leader-election': 'controller',
  'config-logging': 'logging',
  'config-network': 'networking',
  'config-observability': 'observability',
  'config-tracing': 'tracing',
};

/** Kourier brings its example without a checksum: whoever applies its manifest over ours changes one and not the other. */
const WITHOUT_CHECKSUM: ReadonlySet<string> = new Set<ConfigMapName>(['config-kourier']);

function parsers(options: Partial<DomainOptions>) {
  const { clusterDomain = DEFAULT_CLUSTER_DOMAIN, fallbackDomain = DEFAULT_DOMAIN } = options;
  return {
    'config-autoscaler': parseAutoscalerConfig,
    'config-certmanager': parseCertManagerConfig,
    'config-defaults': parseDefaultsConfig,
    'config-deployment': parseDeploymentConfig,
    'config-domain': (data: ConfigData) => parseDomainConfig(data, { clusterDomain, fallbackDomain }),
    'config-features': parseFeaturesConfig,
    'config-gc': parseGcConfig,
    'config-kourier': parseKourierConfig,
    'config-leader-election': parseLeaderElectionConfig,
    'config-logging': parseLoggingConfig,
    'config-network': parseNetworkConfig,
    'config-observability': parseObservabilityConfig,
    'config-tracing': parseTracingConfig,
  } as const satisfies Record<ConfigMapName, (data: ConfigData) => unknown>;
}

/** What is wrong with a ConfigMap of this name; undefined when nothing is, or when it is none of Knative's. */
export function validateConfigMap(configMap: Pick<ConfigMap, 'metadata' | 'data'>): string | undefined {
  const { metadata, data = {} } = configMap;
  const name = metadata.name ?? '';
  if (!isConfigMapName(name)) return undefined;
  const example = data[EXAMPLE_KEY];
  const checksum = metadata.annotations?.[EXAMPLE_CHECKSUM_ANNOTATION];
  const isChecked = example !== undefined && checksum !== undefined && !WITHOUT_CHECKSUM.has(name);
  if (isChecked && checksum !== exampleChecksum(example)) {
    return (
      `the update modifies a key in "${EXAMPLE_KEY}" which is probably not what you want. ` +
      'Instead, copy the respective setting to the top-level of the ConfigMap, directly below "data"'
    );
  }
  try {
    parsers({})[name](data);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

export function isConfigMapName(name: string): name is ConfigMapName {
  return Object.hasOwn(documentedSettings, name);
}

/** The ConfigMaps as they are before anybody changes them. */
export function defaultConfigMaps(version: string): ConfigMap[] {
  return (Object.keys(documentedSettings) as ConfigMapName[]).map((name) => {
    const example = exampleOf(name);
    const metadata = {
      name,
      namespace: SYSTEM_NAMESPACE,
      labels: { [NAME_LABEL]: KNATIVE_SERVING, [COMPONENT_LABEL]: COMPONENTS[name], [VERSION_LABEL]: version },
      ...(WITHOUT_CHECKSUM.has(name)
        ? {}
        : { annotations: { [EXAMPLE_CHECKSUM_ANNOTATION]: exampleChecksum(example) } }),
    };
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { ...INITIAL_DATA[name], [EXAMPLE_KEY]: example } };
  });
}

/** Reads all ConfigMaps, found by name; one that is missing is taken to say nothing. */
export function parseKnativeConfig(
  configMaps: readonly Pick<ConfigMap, 'metadata' | 'data'>[],
  options: KnativeConfigOptions = {},
): KnativeConfig {
  const parse = parsers(options);
  const { previous } = options;
  const read = <T>(name: ConfigMapName, parser: (data: ConfigData) => T, before: T | undefined): T => {
    const data = configMaps.find(({ metadata }) => metadata.name === name)?.data ?? INITIAL_DATA[name] ?? {};
    try {
      return parser(data);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      options.onError?.(name, error);
      return before ?? parser(INITIAL_DATA[name] ?? {});
    }
  };
  return {
    autoscaler: read('config-autoscaler', parse['config-autoscaler'], previous?.autoscaler),
    certManager: read('config-certmanager', parse['config-certmanager'], previous?.certManager),
    defaults: read('config-defaults', parse['config-defaults'], previous?.defaults),
    deployment: read('config-deployment', parse['config-deployment'], previous?.deployment),
    domain: read('config-domain', parse['config-domain'], previous?.domain),
    features: read('config-features', parse['config-features'], previous?.features),
    gc: read('config-gc', parse['config-gc'], previous?.gc),
    kourier: read('config-kourier', parse['config-kourier'], previous?.kourier),
    leaderElection: read('config-leader-election', parse['config-leader-election'], previous?.leaderElection),
    logging: read('config-logging', parse['config-logging'], previous?.logging),
    network: read('config-network', parse['config-network'], previous?.network),
    observability: read('config-observability', parse['config-observability'], previous?.observability),
    tracing: read('config-tracing', parse['config-tracing'], previous?.tracing),
  };
}
