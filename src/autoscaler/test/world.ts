/**
 * A world for the autoscaler's reconcilers in tests: a real API server, one revision's Deployment and PodAutoscaler, and
 * what stands around them played by hand: the ServerlessService's controller, the node, the gateway.
 */
import { clone, deepEqual } from '#base/json.ts';
import { type Autoscaler, createAutoscaler } from '#autoscaler/create-autoscaler.ts';
import { activate, report, type Traffic } from '#autoscaler/test/gateway.ts';
import {
  NAMESPACE,
  podAutoscaler,
  type PodAutoscalerShape,
  podStatus,
  REVISION,
  REVISION_KEY,
  revisionDeployment,
  revisionPod,
} from '#autoscaler/test/objects.ts';
import { Client } from '#client/client.ts';
import { Caches } from '#client/caches.ts';
import type { ApiRequest, ApiResponse, Subscription, Transport, WatchRequest, WatchSink } from '#client/transport.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { followConfigs } from '#controller/live-configs.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Event } from '#kube/kinds/core/event.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import type { Stored } from '#kube/object.ts';
import { internalError } from '#kube/status.ts';
import { SYSTEM_NAMESPACE } from '#knative/config/all.ts';
import type { ConfigMapName } from '#knative/config/examples.ts';
import type { ConfigData } from '#knative/config/read.ts';
import { type Condition, findCondition, manageConditions, serverlessServiceConditions } from '#knative/conditions.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { ServerlessService } from '#knative/kinds/serverless-service.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';
import { settle } from '#testing/fake-clock.ts';

export const REF = { namespace: NAMESPACE, name: REVISION };
const TARGET = { namespace: NAMESPACE, name: `${REVISION}-deployment` };

export interface WorldOptions extends PodAutoscalerShape {
  readonly config?: ConfigData;
  readonly replicas?: number;
  readonly journalDir?: string;
  /** No ServerlessService's controller: nothing makes the Services. */
  readonly withoutServices?: boolean;
  /** Done before the autoscaler starts. */
  readonly before?: (world: World) => Promise<void>;
  /** Changes the PodAutoscaler before it is made. */
  readonly edit?: (podAutoscaler: PodAutoscaler) => void;
}

/** Counts the writes of the autoscaler, and can have one of them fail. */
export class CountingTransport implements Transport {
  readonly #inner: Transport;
  readonly writes: string[] = [];
  /** The number of the write that fails, from 1. */
  failAt: number | undefined;
  /** Which writes fail besides. */
  isRefused: (write: string) => boolean = () => false;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  async request(request: ApiRequest, signal?: AbortSignal): Promise<ApiResponse> {
    if (request.verb === 'get' || request.verb === 'list' || request.kind.kind === 'Event') {
      return this.#inner.request(request, signal);
    }
    const subresource = request.subresource === undefined ? '' : `/${request.subresource}`;
    const write = `${request.verb} ${request.kind.kind}${subresource}`;
    this.writes.push(write);
    if (this.writes.length === this.failAt || this.isRefused(write)) throw internalError('injected');
    return this.#inner.request(request, signal);
  }

  watch(request: WatchRequest, sink: WatchSink): Subscription {
    return this.#inner.watch(request, sink);
  }
}

export class World implements AsyncDisposable {
  readonly api: TestApi;
  readonly autoscaler: Autoscaler;
  readonly transport: CountingTransport;
  isBackedByActivator = true;
  readonly #caches: Caches;
  readonly #options: WorldOptions;
  #podsMade = 0;

  private constructor(api: TestApi, options: WorldOptions) {
    this.api = api;
    this.#options = options;
    const { clock, logger, metrics } = api;
    this.transport = new CountingTransport(api.transport);
    const client = new Client(this.transport);
    this.#caches = new Caches({ client, clock, logger });
    const configs = followConfigs({ cache: this.#caches.of(ConfigMap), logger });
    this.autoscaler = createAutoscaler({
      client,
      caches: this.#caches,
      configs,
      clock,
      logger,
      metrics,
      eventsOf: (component) => createEventRecorder({ client, clock, logger, component }),
      isBackedByActivator: () => this.isBackedByActivator,
      ...(options.journalDir === undefined ? {} : { journalDir: options.journalDir }),
    });
  }

  /** A revision whose Deployment was just made. */
  static async start(options: WorldOptions = {}): Promise<World> {
    const api = await startTestApi({
      kinds: [...builtinKinds, ...knativeKinds],
      namespaces: [NAMESPACE, SYSTEM_NAMESPACE],
    });
    const world = new World(api, options);
    const data = { ...options.config };
    const metadata = { name: 'config-autoscaler', namespace: SYSTEM_NAMESPACE };
    await api.client.create(ConfigMap, typed(ConfigMap, { metadata, data }));
    await api.client.create(Deployment, revisionDeployment(options.replicas ?? 1));
    const wanted = podAutoscaler(options);
    options.edit?.(wanted);
    await api.client.create(PodAutoscaler, wanted);
    await options.before?.(world);
    await world.#caches.start();
    world.autoscaler.start();
    await world.settled();
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.autoscaler[Symbol.asyncDispose]();
    this.#caches[Symbol.dispose]();
    await this.api[Symbol.asyncDispose]();
  }

  /** Lets everything come to rest, the ServerlessService's controller included. */
  async settled(): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      await this.api.settled(...this.autoscaler.controllers);
      if (this.#options.withoutServices || !(await this.#makeServices())) return;
    }
    throw new Error('the world did not come to rest');
  }

  /** Time passes, a second at a time, with what the gateway says of each and what follows from it. */
  async seconds(count: number, traffic?: Omit<Traffic, 'key'>): Promise<void> {
    for (let second = 0; second < count; second += 1) {
      await this.api.clock.advance(1_000);
      this.autoscaler.onReport(report(this.api.clock.now(), traffic ? [{ key: REVISION_KEY, ...traffic }] : []));
      await this.settled();
    }
  }

  /** Time passes without a word from the gateway. */
  async silence(ms: number): Promise<void> {
    await this.api.clock.advance(ms);
    await this.settled();
  }

  async activate(queued = 1): Promise<void> {
    this.autoscaler.onActivate(activate(REVISION_KEY, this.api.clock.now(), queued));
    await this.settled();
  }

  /** There are as many ready pods now, and so many that aren't. */
  async pods(ready: number, starting = 0): Promise<void> {
    await this.placePods(ready, starting);
    await this.settled();
  }

  /** The same, without waiting for what follows from it. */
  async placePods(ready: number, starting = 0): Promise<void> {
    const { client } = this.api;
    const { items } = await client.list(Pod, { namespace: NAMESPACE });
    for (const { metadata } of items.slice(ready + starting)) {
      const { name, namespace } = metadata;
      await client.delete(Pod, { name, namespace }, { gracePeriodSeconds: 0 });
    }
    for (let index = 0; index < ready + starting; index += 1) {
      const pod = items[index] ?? (await client.create(Pod, revisionPod(`p${this.#podsMade++}`)));
      const status = podStatus(index < ready);
      if (!deepEqual(pod.status, status)) await client.updateStatus(Pod, { ...pod, status });
    }
  }

  /** As many pods are ready as the Deployment asks for. */
  async podsAsWanted(): Promise<void> {
    await this.pods(await this.replicas());
  }

  async replicas(): Promise<number> {
    return (await this.api.client.get(Deployment, TARGET)).spec?.replicas ?? 1;
  }

  async configure(name: ConfigMapName, data: ConfigData): Promise<void> {
    const { client } = this.api;
    const ref = { namespace: SYSTEM_NAMESPACE, name };
    if (await client.find(ConfigMap, ref))
      await client.modify(ConfigMap, ref, (map) => ({ ...map, data: { ...data } }));
    else await client.create(ConfigMap, typed(ConfigMap, { metadata: ref, data: { ...data } }));
    await this.settled();
  }

  async podAutoscaler(): Promise<Stored<PodAutoscaler>> {
    return this.api.client.get(PodAutoscaler, REF);
  }

  /** `True`, `Unknown Queued`, `False NoTraffic`: status and reason of a condition. */
  async condition(type: string): Promise<string> {
    const found = findCondition((await this.podAutoscaler()).status, type);
    return found ? [found.status, found.reason].filter((part) => part).join(' ') : 'absent';
  }

  /** Reasons of the condition Active from now on, each time that it is another. */
  watchActive(): string[] {
    const reasons: string[] = [];
    const onEvent = ({ object }: { object: unknown }) => {
      const active = findCondition((object as PodAutoscaler).status, 'Active');
      const reason = active?.reason ?? active?.status ?? '';
      if (reasons.at(-1) !== reason) reasons.push(reason);
    };
    this.api.client.watch({ kind: PodAutoscaler, options: {} }, { onEvent, onEnd: () => {} });
    return reasons;
  }

  async services(): Promise<Stored<ServerlessService>> {
    return this.api.client.get(ServerlessService, REF);
  }

  async events(): Promise<string[]> {
    await settle();
    const { items } = await this.api.client.list(Event, { namespace: NAMESPACE });
    return items.map(({ type, reason, message }) => `${type} ${reason} ${message}`);
  }

  /** What the ServerlessService's controller would write; true when there was something. */
  async #makeServices(): Promise<boolean> {
    const { client, clock } = this.api;
    const services = await client.find(ServerlessService, REF);
    if (!services) return false;
    const { items } = await client.list(Pod, { namespace: NAMESPACE });
    const hasReady = items.some(({ status }) =>
      status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
    );
    const status = clone<NonNullable<ServerlessService['status']>>(services.status ?? {});
    const conditions = manageConditions(serverlessServiceConditions, status, clock.now());
    const notReady = { reason: 'NoHealthyBackends', message: 'K8s Service is not ready' };
    if (hasReady) conditions.markTrue('EndpointsPopulated');
    else conditions.markUnknown('EndpointsPopulated', notReady);
    const why = { reason: 'ActivatorEndpointsPopulated', message: 'Revision is backed by Activator' };
    if (!hasReady || services.spec?.mode === 'Proxy') conditions.markTrue('ActivatorEndpointsPopulated', why);
    else conditions.markFalse('ActivatorEndpointsPopulated', why);
    Object.assign(status, { serviceName: REVISION, privateServiceName: `${REVISION}-private` });
    status.observedGeneration = services.metadata.generation ?? 0;
    if (JSON.stringify(sorted(status)) === JSON.stringify(sorted(services.status))) return false;
    await client.updateStatus(ServerlessService, { ...services, status });
    return true;
  }
}

function sorted(status: ServerlessService['status']): unknown {
  const conditions: Condition[] = status?.conditions ?? [];
  const parts = conditions.map(({ type, status: is, reason = '', message = '' }) =>
    [type, is, reason, message].join('|'),
  );
  return [parts.sort(), status?.serviceName, status?.privateServiceName, status?.observedGeneration];
}
