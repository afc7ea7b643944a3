/** The API of the platform: store, admission, kinds, certificates, the HTTPS server on its inherited listener. */
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import { ApiServer } from '#apiserver/api-server.ts';
import { AuditLog } from '#apiserver/audit/audit-log.ts';
import type { HealthCheck } from '#apiserver/http/health.ts';
import { createKubeletProxy } from '#apiserver/http/kubelet-proxy.ts';
import { ApiHttpServer } from '#apiserver/http/server.ts';
import { InProcessTransport } from '#apiserver/in-process.ts';
import { writeKubeconfig } from '#apiserver/pki/kubeconfig.ts';
import { Pki } from '#apiserver/pki/pki.ts';
import { systemUser } from '#apiserver/user.ts';
import { Caches } from '#client/caches.ts';
import { Client } from '#client/client.ts';
import { followConfigs, type LiveConfigs } from '#controller/live-configs.ts';
import type { KubeObject } from '#kube/object.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import type { Kind } from '#kube/kind.ts';
import { knativeDefinitions } from '#knative/definitions.ts';
import { insidePart } from '#knative/inside.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import { legacyViews } from '#knative/legacy/v1alpha1.ts';
import { adoptPods } from '#main/control/adopt-pods.ts';
import { knativeAdmission } from '#main/control/admission.ts';
import { insideAdmission } from '#main/control/inside-admission.ts';
import { readMetrics } from '#main/launch/metrics-socket.ts';
import {
  apiServiceAddress,
  apiServiceNames,
  type AuditSettings,
  INHERITED_FDS,
  type PlatformSettings,
  reachableAddress,
  type StatePaths,
} from '#protocol/platform.ts';
import { SqliteLog } from '#store/sqlite-log.ts';
import { Store } from '#store/store.ts';

export const CLUSTER_DOMAIN = 'cluster.local';

/** A day: certificates are made anew a month before their end. */
const LOOK_AT_CERTIFICATES_MS = 24 * 60 * 60_000;

export const SERVED_KINDS: readonly Kind[] = [...builtinKinds, ...knativeKinds];

/** Who makes the objects that the platform begins with. */
export const BOOTSTRAP = 'bootstrap';

export interface ApiOptions {
  readonly settings: PlatformSettings;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricRegistry;
  readonly version: string;
  /** The port that the supervisor bound. */
  readonly apiPort: number;
  readonly checks: readonly HealthCheck[];
}

export interface PlatformApi extends AsyncDisposable {
  readonly server: ApiServer;
  readonly pki: Pki;
  readonly caches: Caches;
  readonly configs: LiveConfigs;
  /** A client in process, as one of our controllers. */
  clientOf(name: string): Client;
  transportOf(name: string): InProcessTransport;
}

export async function startApi(options: ApiOptions): Promise<PlatformApi> {
  const { clock, logger, metrics, paths, settings, version } = options;
  await using stack = new AsyncDisposableStack();
  const pki = makePki(options);
  const store = stack.use(await Store.open({ log: new SqliteLog(paths.store), clock, logger }));
  await adoptPods({ store, podFolders: paths, clock, logger });
  let configs: LiveConfigs | undefined;
  const ofKnative = knativeAdmission(() => {
    if (!configs) throw new Error('the ConfigMaps are not there yet');
    return configs.current;
  });
  const admission = [...ofKnative, ...insideAdmission(knativeDefinitions(version))];
  const { serviceCidr } = settings;
  const parts = {
    store,
    clock,
    logger,
    kinds: SERVED_KINDS,
    views: legacyViews,
    admission,
    serviceCidr,
    serviceAccountKey: pki.serviceAccountKey,
    podTokens: 'projected' as const,
    metrics,
    isInside: (configuration: KubeObject) => insidePart(configuration) !== undefined,
  };
  const server = stack.use(new ApiServer(parts));
  const transportOf = (name: string) => ownTransport(server, name);
  const clientOf = (name: string) => new Client(transportOf(name));
  const caches = stack.use(new Caches({ client: clientOf('cache'), clock, logger }));
  const followed = stack.use(followConfigs({ cache: caches.of(ConfigMap), logger, clusterDomain: CLUSTER_DOMAIN }));
  configs = followed;
  const audit = settings.audit && stack.use(openAuditLog(settings.audit, options));
  const https = stack.use(await ApiHttpServer.start({ api: server, audit, ...httpOptions(pki, options) }));
  stack.use(clock.every(LOOK_AT_CERTIFICATES_MS, () => renewCertificates(options, pki, https)));
  const owned = stack.move();
  return {
    server,
    pki,
    caches,
    configs: followed,
    clientOf,
    transportOf,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function httpOptions(pki: Pki, { logger, version, checks, metrics, paths }: ApiOptions) {
  const { api: fd, cluster } = INHERITED_FDS.control;
  return {
    listen: [{ fd }, { fd: cluster }],
    certificate: pki.server,
    clientAuthority: pki.authorityCertificate,
    logger,
    version,
    kubelet: createKubeletProxy(paths.kubeletSocket),
    checks,
    metrics,
    otherMetrics: () => readMetrics(paths.gatewaySocket),
  };
}

function openAuditLog({ log: file, policy }: AuditSettings, { clock, logger, metrics }: ApiOptions): AuditLog {
  return new AuditLog({ file, policy, clock, logger, metrics });
}

/** The way to the API of one of our own parts. */
function ownTransport(server: ApiServer, name: string): InProcessTransport {
  const isBootstrap = name === BOOTSTRAP;
  return new InProcessTransport(server, { user: systemUser(name), userAgent: name, isBootstrap });
}

function makePki(options: ApiOptions): Pki {
  const { settings, paths, clock } = options;
  const names = [settings.listenAddress, apiServiceAddress(settings.serviceCidr), ...apiServiceNames(CLUSTER_DOMAIN)];
  const pki = new Pki({ directory: paths.pki, clock, serverNames: names });
  writeAccess(options, pki);
  return pki;
}

/** The platform may run for longer than its certificates are good. */
function renewCertificates(options: ApiOptions, pki: Pki, https: ApiHttpServer): void {
  if (!pki.renew()) return;
  https.useCertificate(pki.server, pki.authorityCertificate);
  writeAccess(options, pki);
}

function writeAccess({ settings, paths, apiPort }: ApiOptions, pki: Pki): void {
  const address = reachableAddress(settings.listenAddress);
  const host = address.includes(':') ? `[${address}]` : address;
  writeKubeconfig({ file: paths.kubeconfig, server: `https://${host}:${apiPort}`, name: 'pinnace', pki });
}
