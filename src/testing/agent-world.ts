/**
 * The node agent with real containers over a real API server in memory: for `.oci` tests. Deployments, endpoints and
 * the rest are there too; the supervisor's part, being the containers' parent, is the test process's own.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import { type Logger, silentLogger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { Caches } from '#client/caches.ts';
import { Client } from '#client/client.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { ApiServer } from '#apiserver/api-server.ts';
import { InProcessTransport } from '#apiserver/in-process.ts';
import type { ServiceAccountTokens } from '#apiserver/tokens/service-account-tokens.ts';
import { systemUser } from '#apiserver/user.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Event } from '#kube/kinds/core/event.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import type { Stored } from '#kube/object.ts';
import { statePaths, type StatePaths } from '#protocol/platform.ts';
import { cleanUpRuntime } from '#runtime/cleanup.ts';
import { createAgent, type RunningAgent } from '#runtime/create-agent.ts';
import { loadImages } from '#runtime/image/commands.ts';
import { planNetwork } from '#runtime/network/address-plan.ts';
import { nodeName } from '#runtime/node/node-status.ts';
import { takenRanges } from '#runtime/network/taken-ranges.ts';
import { MemoryLog } from '#store/memory-log.ts';
import { Store } from '#store/store.ts';
import { startReaper } from '#supervisor/reaper.ts';
import { NetlinkSocket } from '#sys/netlink/socket.ts';
import { eventually } from '#testing/eventually.ts';
import { createWorkloads } from '#workloads/create-workloads.ts';
import { testImage, type TestImage, writeImages } from '../../test/images/build.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-node-lease'];

export interface AgentWorld extends AsyncDisposable {
  readonly client: Client;
  readonly tokens: ServiceAccountTokens;
  readonly paths: StatePaths;
  readonly running: () => RunningAgent;
  /** Ends the agent as a crash would leave it, and starts another one over the same state. */
  restartAgent(): Promise<void>;
  stopAgent(): Promise<void>;
  startAgent(): Promise<void>;
  createPod(name: string, spec: Pod['spec']): Promise<Stored<Pod>>;
  pod(name: string): Promise<Stored<Pod>>;
  /** Waits until `holds` is true of the pod. */
  until(name: string, holds: (pod: Stored<Pod>) => unknown, what: string): Promise<Stored<Pod>>;
  gone(name: string): Promise<void>;
  /** `Type Reason: message` of the pod's events. */
  events(name: string): Promise<string[]>;
}

export interface AgentWorldOptions {
  readonly images?: readonly TestImage[];
  readonly logger?: Logger;
  /** `none` when absent. */
  readonly podTokens?: 'projected' | 'none';
}

export async function startAgentWorld(options: AgentWorldOptions = {}): Promise<AgentWorld> {
  const logger = options.logger ?? silentLogger;
  const stateDir = mkdtempSync(path.join(tmpdir(), 'pinnace-agent-'));
  const paths = statePaths(stateDir);
  mkdirSync(paths.run, { recursive: true });
  const settings = { stateDir, ...planOf(stateDir) };
  const reaper = startReaper({ paths, clock: systemClock, log: logger });
  const world = await startControllers(logger, options.podTokens ?? 'none');
  const { client, tokens } = world;
  const signal = new AbortController().signal;
  const start = () =>
    createAgent(
      { settings, paths, client, clock: systemClock, logger, version: 'test', clusterDomain: 'cluster.local' },
      signal,
    );
  let agent: RunningAgent | undefined = await start();
  await load(agent, options.images ?? ['test/app:1'], stateDir);
  const ref = (name: string) => ({ namespace: 'default', name });
  const stopAgent = async () => {
    await agent?.[Symbol.asyncDispose]();
    agent = undefined;
  };
  const startAgent = async () => {
    agent = await start();
  };
  return {
    client,
    tokens,
    paths,
    running: () => agent as RunningAgent,
    stopAgent,
    startAgent,
    async restartAgent() {
      await stopAgent();
      await startAgent();
    },
    createPod: (name, spec) =>
      client.create(
        Pod,
        typed(Pod, { metadata: { ...ref(name), labels: { app: name } }, spec: { nodeName: nodeName(), ...spec } }),
      ),
    pod: (name) => client.get(Pod, ref(name)),
    until: (name, holds, what) =>
      eventually(
        async () => {
          const pod = await client.get(Pod, ref(name));
          return holds(pod) ? pod : Promise.reject(new Error(`${what}; status: ${JSON.stringify(pod.status)}`));
        },
        { timeoutMs: 15_000, what },
      ),
    async gone(name) {
      await eventually(async () => (await client.find(Pod, ref(name))) === undefined, {
        timeoutMs: 15_000,
        what: `${name} gone`,
      });
    },
    async events(name) {
      const { items } = await client.list(Event, { namespace: 'default' });
      return items
        .filter(({ involvedObject }) => involvedObject.name === name)
        .map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
    },
    async [Symbol.asyncDispose]() {
      await stopAgent();
      await world[Symbol.asyncDispose]();
      await cleanUpRuntime({ settings, paths, clock: systemClock }, signal);
      reaper[Symbol.dispose]();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

function planOf(stateDir: string) {
  using netlink = new NetlinkSocket();
  const { bridge } = planNetwork({ stateDir, taken: [] });
  return planNetwork({ stateDir, taken: takenRanges(netlink, bridge) });
}

interface World extends AsyncDisposable {
  readonly client: Client;
  readonly tokens: ServiceAccountTokens;
}

async function startControllers(logger: Logger, podTokens: 'projected' | 'none'): Promise<World> {
  const clock = systemClock;
  const store = await Store.open({ log: new MemoryLog(), clock, logger });
  const api = new ApiServer({ store, clock, logger, kinds: builtinKinds, podTokens });
  const client = new Client(new InProcessTransport(api, { user: systemUser('test'), userAgent: 'test' }));
  for (const name of NAMESPACES) await client.create(Namespace, typed(Namespace, { metadata: { name } }));
  const caches = new Caches({ client, clock, logger });
  const kinds = builtinKinds.filter(({ kind }) => kind !== 'Event');
  const eventsOf = (component: string) => createEventRecorder({ client, clock, logger, component });
  const controllers = createWorkloads({
    client,
    caches,
    clock,
    logger,
    metrics: new MetricRegistry(),
    eventsOf,
    kinds,
    rootCa: 'CA',
  });
  await caches.start();
  for (const controller of controllers) controller.start();
  return {
    client,
    tokens: api.tokens,
    async [Symbol.asyncDispose]() {
      for (const controller of controllers) await controller[Symbol.asyncDispose]();
      caches[Symbol.dispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

async function load({ images }: RunningAgent, names: readonly TestImage[], folder: string): Promise<void> {
  const archive = path.join(folder, 'images.tar');
  await writeImages(
    archive,
    names.map((name) => testImage(name)),
  );
  await loadImages(images, archive, {}, new AbortController().signal);
}
