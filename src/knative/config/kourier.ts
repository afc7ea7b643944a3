/** config-kourier: settings of Kourier's gateway; those that have a meaning for the gateway here take effect. */
import { type ConfigData, ConfigReader } from '#knative/config/read.ts';

export interface KourierConfig {
  readonly enableServiceAccessLogging: boolean;
  readonly serviceAccessLogTemplate: string;
  readonly enableProxyProtocol: boolean;
  readonly clusterCertSecret: string;
  /** 0 for none. */
  readonly streamIdleTimeoutMs: number;
  /** How many proxies in front are believed in X-Forwarded-For. */
  readonly trustedHopsCount: number;
  readonly useRemoteAddress: boolean;
  readonly cipherSuites: ReadonlySet<string>;
  readonly disableEnvoyServerHeader: boolean;
  readonly listenIpAddresses: ReadonlySet<string>;
  readonly certsSecretName: string;
  readonly certsSecretNamespace: string;
}

export function parseKourierConfig(data: ConfigData): KourierConfig {
  const reader = new ConfigReader(data);
  return {
    enableServiceAccessLogging: reader.truth('enable-service-access-logging', true),
    serviceAccessLogTemplate: reader.text('service-access-log-template', ''),
    enableProxyProtocol: reader.truth('enable-proxy-protocol', false),
    clusterCertSecret: reader.text('cluster-cert-secret', ''),
    streamIdleTimeoutMs: reader.durationMs('stream-idle-timeout', 0),
    trustedHopsCount: reader.integer('trusted-hops-count', { by: 'ParseUint', bits: 32 }, 0),
    useRemoteAddress: reader.truth('use-remote-address', false),
    cipherSuites: reader.set('cipher-suites', []),
    disableEnvoyServerHeader: reader.truth('disable-envoy-server-header', false),
    listenIpAddresses: reader.set('listen-ip-addresses', ['0.0.0.0']),
    certsSecretName: reader.text('certs-secret-name', ''),
    certsSecretNamespace: reader.text('certs-secret-namespace', ''),
  };
}
