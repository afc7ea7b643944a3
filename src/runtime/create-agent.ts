/**
 * Puts the node agent together: driver, images, network, exit watcher, caches, Node object. The composition root hands
 * it a client and the settings; tests do the same.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { Cache } from '#client/cache.ts';
import type { Client } from '#client/client.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { apiServiceAddress, apiServiceNames, type PlatformSettings, type StatePaths } from '#protocol/platform.ts';
import { NodeAgent } from '#runtime/agent.ts';
import { chooseRuntime, createDriver } from '#runtime/drivers/choose.ts';
import { collectUnused } from '#runtime/image/commands.ts';
import { ImageService } from '#runtime/image/image-service.ts';
import type { RegistrySettings } from '#runtime/image/registry/settings.ts';
import { gatewayOf } from '#runtime/network/bridge.ts';
import { NetworkPool } from '#runtime/network/pool.ts';
import { capacityOf, nodeName, NodeStatus } from '#runtime/node/node-status.ts';
import type { AgentEnvironment } from '#runtime/pod/agent-environment.ts';
import { makeSkeletons } from '#runtime/pod/skeleton.ts';
import { StartTurns } from '#runtime/pod/start-turns.ts';
import { ExitWatcher } from '#runtime/pod/exits.ts';
import { KubeletServer } from '#runtime/kubelet/server.ts';
import { endedPod, kubeletPod } from '#runtime/pod/kubelet-pods.ts';
import { imagesInUse } from '#runtime/pod/record.ts';
import { podLookup } from '#runtime/pod/lookup.ts';
import { detectCgroups } from '#sys/cgroup-layout.ts';

const HOST_RESOLV_CONF = '/etc/resolv.conf';

/** Each namespace has a ConfigMap of this name. */
const ROOT_CA = 'metadata.name=kube-root-ca.crt';

export interface CreateAgentOptions {
  readonly settings: Pick<PlatformSettings, 'stateDir' | 'podCidr' | 'serviceCidr' | 'bridge' | 'cgroup'>;
  readonly paths: StatePaths;
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  readonly clusterDomain: string;
  readonly registry?: RegistrySettings | undefined;
}

export interface RunningAgent extends AsyncDisposable {
  readonly agent: NodeAgent;
  readonly images: ImageService;
  readonly env: AgentEnvironment;
}

/** The machine lacks what the agent needs; `message` says what. */
class AgentUnavailable extends Error {
  override readonly name = 'AgentUnavailable';
}

export async function createAgent(options: CreateAgentOptions, signal: AbortSignal): Promise<RunningAgent> {
  const { client, clock, logger, paths, settings } = options;
  await using stack = new AsyncDisposableStack();
  for (const folder of [paths.pods, paths.bundles, paths.podLogs, paths.exits, paths.netns])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  const skeletons = makeSkeletons(paths);
  const { driver, cgroups } = await findRuntime(paths, signal);
  const images = stack.use(await ImageService.open({ root: paths.images, clock, logger, registry: options.registry }));
  const network = stack.use(new NetworkPool({ ...settings, netnsDir: paths.netns, clock, log: logger }));
  const exits = stack.use(new ExitWatcher(paths.exits, clock));
  const name = nodeName();
  const { address } = gatewayOf(settings.podCidr);
  const caches = stack.use(cachesOf(options, name));
  const node = stack.use(
    new NodeStatus({
      ...options,
      name,
      address,
      podCidr: settings.podCidr,
      runtime: driver.description,
      stateDir: settings.stateDir,
    }),
  );
  const env: AgentEnvironment = {
    clock,
    logger,
    client,
    events: createEventRecorder({ client, clock, logger, component: 'kubelet', host: name }),
    driver,
    startTurns: new StartTurns(clock),
    images,
    network,
    exits,
    lookupIn: (namespace) => podLookup({ client, ...caches }, namespace),
    node: { name, address, allocatable: capacityOf(settings.stateDir).allocatable },
    podFolders: paths,
    skeletons,
    podLogsDir: paths.podLogs,
    cgroups,
    cgroup: settings.cgroup,
    resolvConf: (namespace) => resolvConf(namespace, options.clusterDomain),
    apiHost: { address: apiServiceAddress(settings.serviceCidr), names: apiServiceNames(options.clusterDomain) },
  };
  const agent = stack.use(new NodeAgent({ env, pods: caches.pods }));
  await caches.start();
  await agent.start();
  const findPod = (namespace: string, podName: string) => {
    const runner = agent.runner(namespace, podName);
    if (runner) return kubeletPod(runner, () => clock.now());
    const ended = caches.pods.get({ namespace, name: podName });
    return ended && endedPod(ended, paths.podLogs);
  };
  const backend = { driver, clock, logger: logger.with({ component: 'kubelet' }), findPod };
  stack.use(await KubeletServer.start({ backend, socketPath: paths.kubeletSocket }));
  await node.start();
  collectImages(images, { paths, logger }, signal);
  const owned = stack.move();
  return { agent, images, env, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What the agent follows: the node's pods, Services, and the ConfigMaps that nearly every pod shows. */
function cachesOf(options: CreateAgentOptions, node: string) {
  const pods = new Cache(Pod, { ...options, fieldSelector: `spec.nodeName=${node}` });
  const services = new Cache(Service, options);
  const authorities = new Cache(ConfigMap, { ...options, fieldSelector: ROOT_CA });
  const all = [pods, services, authorities];
  return {
    pods,
    services,
    authorities,
    async start() {
      for (const cache of all) cache.start();
      await Promise.all(all.map((cache) => cache.synced));
    },
    [Symbol.dispose]() {
      for (const cache of all) cache[Symbol.dispose]();
    },
  };
}

/** What interrupted pulls left behind, and content that no name and no container refers to any more. */
function collectImages(
  images: ImageService,
  { paths, logger }: Pick<CreateAgentOptions, 'paths' | 'logger'>,
  signal: AbortSignal,
): void {
  collectUnused(images, { inUse: imagesInUse(paths) }, signal).catch((error: unknown) =>
    logger.debug('unused images were not collected', { error }),
  );
}

async function findRuntime(paths: StatePaths, signal: AbortSignal) {
  const cgroups = detectCgroups();
  if (!cgroups) throw new AgentUnavailable('no control groups are mounted below /sys/fs/cgroup');
  const runtime = await chooseRuntime({ isHybridCgroups: cgroups.version === 'hybrid' }, signal);
  if (!runtime) throw new AgentUnavailable('no OCI runtime was found: install runc or crun');
  return { driver: createDriver(runtime, paths.ociRoot), cgroups };
}

/** The machine's own name servers, with the search path of a namespace. */
function resolvConf(namespace: string, clusterDomain: string): string {
  const host = readFileSync(HOST_RESOLV_CONF, 'utf8');
  const servers = host.split('\n').filter((line) => /^nameserver\s/.test(line));
  const search = [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain].join(' ');
  return [`search ${search}`, ...servers, 'options ndots:5', ''].join('\n');
}
