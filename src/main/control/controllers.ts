/** Every controller of the platform, wired to one API and to each other through it. */
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import { type Autoscaler, createAutoscaler } from '#autoscaler/create-autoscaler.ts';
import type { Controller } from '#controller/controller.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { createIngress, type IngressParts } from '#ingress/create-ingress.ts';
import { createDrain } from '#ingress/drain.ts';
import { defaultConfigMaps } from '#knative/config/all.ts';
import { knativeDefinitions } from '#knative/definitions.ts';
import type { ObjectRef } from '#kube/object.ts';
import { BOOTSTRAP, CLUSTER_DOMAIN, type PlatformApi, SERVED_KINDS } from '#main/control/api.ts';
import type { PlatformWatch } from '#main/control/platform-watch.ts';
import {
  type ListenerName,
  type ListenerState,
  type PlatformSettings,
  reachableAddress,
  type StatePaths,
} from '#protocol/platform.ts';
import { createHostsController } from '#runtime/hosts/controller.ts';
import { nodeName } from '#runtime/node/node-status.ts';
import { createServingControllers } from '#serving/create-serving.ts';
import type { DigestResolver } from '#serving/environment.ts';
import { createWorkloads } from '#workloads/create-workloads.ts';
import { createTokenController } from '#workloads/service-account/reconcile.ts';
import type { SystemFacts } from '#workloads/system/objects.ts';
import { bootstrapSystem, createSystemController } from '#workloads/system/reconcile.ts';

/** Events are followed by nobody and own nothing. */
const FOLLOWED_KINDS = SERVED_KINDS.filter(({ kind }) => kind !== 'Event');

export interface ControllersOptions {
  readonly api: PlatformApi;
  readonly settings: PlatformSettings;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricRegistry;
  readonly version: string;
  readonly listeners: readonly ListenerState[];
  readonly platform: PlatformWatch;
  readonly digests: DigestResolver;
}

export interface PlatformControllers extends AsyncDisposable {
  /** Gateways that serve what they were sent. */
  readonly gateways: number;
  /** Everything that does not look at pods. The caches must be there. */
  start(): void;
  /** The node agent has found its pods: the routing table and the autoscaler's decisions begin. */
  startTraffic(): Promise<void>;
}

export async function createControllers(options: ControllersOptions): Promise<PlatformControllers> {
  const { api, paths, settings, version } = options;
  const { caches, configs } = api;
  const clientOf = (name: string) => api.clientOf(name);
  const environment = {
    ...options,
    caches,
    configs,
    client: clientOf('controller'),
    eventsOf: (component: string) => recorderOf(options, component),
  };
  const facts = systemFacts(options);
  const configMaps = defaultConfigMaps(version);
  const definitions = knativeDefinitions(version);
  await bootstrapSystem({ client: clientOf(BOOTSTRAP), configMaps, definitions });
  let ingress: IngressParts | undefined;
  const autoscaler: Autoscaler = createAutoscaler({
    ...environment,
    client: clientOf('autoscaler'),
    isBackedByActivator: (revision: ObjectRef) => ingress?.servesRevision(revision) ?? false,
    journalDir: paths.journal,
  });
  const isRouted = (podUid: string) => ingress !== undefined && isInTable(ingress, podUid);
  const drain = createDrain({ ...environment, client: clientOf('drain'), isRouted });
  ingress = createIngress({
    ...environment,
    client: clientOf('net-kourier-controller'),
    clusterDomain: CLUSTER_DOMAIN,
    socketPath: paths.linkSocket,
    onReport: (report) => autoscaler.onReport(report),
    onActivate: (message) => autoscaler.onActivate(message),
    onColdStart: (message) => autoscaler.onColdStart(message),
    onRevisionServed: (revision) => autoscaler.recheck(revision),
    onDrained: (message) => drain.onDrained(message),
  });
  const local = addressOf(options.listeners, 'local');
  const serving = createServingControllers({
    ...environment,
    activatorEndpoints: () => [{ ip: local.address, port: local.port }],
    clusterDomain: CLUSTER_DOMAIN,
  });
  const rootCa = api.pki.authorityCertificate;
  const workloads = createWorkloads({ ...environment, kinds: FOLLOWED_KINDS, rootCa });
  const tokens = createTokenController({ ...environment, rootCa, tokens: api.server.tokens });
  const platform = () => options.platform.state;
  const onPlatformChange = (changed: () => void) => options.platform.onChange(changed);
  const system = createSystemController({ ...environment, facts, configMaps, definitions, platform, onPlatformChange });
  const { instance, listenAddress } = settings;
  const address = reachableAddress(listenAddress);
  const hosts = settings.manageHosts ? [createHostsController({ ...environment, instance, address })] : [];
  const controllers: Controller[] = [...workloads, tokens, system, ...serving, drain.controller, ...hosts];
  return lifecycle(controllers, ingress, autoscaler);
}

function lifecycle(
  controllers: readonly Controller[],
  ingress: IngressParts,
  autoscaler: Autoscaler,
): PlatformControllers {
  return {
    get gateways() {
      return ingress.link.gateways;
    },
    start() {
      for (const controller of controllers) controller.start();
    },
    async startTraffic() {
      await ingress.start();
      ingress.controller.start();
      autoscaler.start();
    },
    async [Symbol.asyncDispose]() {
      await autoscaler[Symbol.asyncDispose]();
      for (const controller of controllers) await controller[Symbol.asyncDispose]();
      await ingress[Symbol.asyncDispose]();
    },
  };
}

function isInTable({ table }: IngressParts, podUid: string): boolean {
  return table.table().targets.some(({ endpoints }) => endpoints.some(({ id }) => id === podUid));
}

function recorderOf({ api, clock, logger }: ControllersOptions, component: string) {
  return createEventRecorder({ client: api.clientOf(component), clock, logger, component });
}

function addressOf(listeners: readonly ListenerState[], name: ListenerName): { address: string; port: number } {
  const found = listeners.find((listener) => listener.name === name);
  return { address: found?.address ?? '', port: found?.port ?? 0 };
}

function systemFacts({ listeners, version }: ControllersOptions): SystemFacts {
  return {
    version,
    nodeName: nodeName(),
    api: addressOf(listeners, 'api'),
    http: addressOf(listeners, 'http'),
    https: addressOf(listeners, 'https'),
    local: addressOf(listeners, 'local'),
    cluster: addressOf(listeners, 'cluster'),
  };
}
