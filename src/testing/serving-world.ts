/**
 * The whole control plane over a store in memory: API server with Knative's admission, built-in controllers, serving,
 * autoscaler, ingress with its socket. Played are the node (`play-kubelet.ts`) and the gateway (`play-gateway.ts`).
 * Time is a fake clock's: `until` and `rest` let it pass.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Autoscaler, createAutoscaler } from '#autoscaler/create-autoscaler.ts';
import { Client } from '#client/client.ts';
import { Caches } from '#client/caches.ts';
import type { ApiRequest, ApiResponse, Subscription, Transport, WatchRequest, WatchSink } from '#client/transport.ts';
import type { Controller } from '#controller/controller.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { followConfigs, type LiveConfigs } from '#controller/live-configs.ts';
import { createIngress, type IngressParts } from '#ingress/create-ingress.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { typed } from '#kube/kind.ts';
import { isAlreadyExists } from '#kube/status.ts';
import { defaultConfigMaps, SYSTEM_NAMESPACE } from '#knative/config/all.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import { createServingControllers } from '#serving/create-serving.ts';
import type { DigestResolver } from '#serving/environment.ts';
import { REPORT_PERIOD_MS, type RevisionReport } from '#protocol/link.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';
import { settle } from '#testing/fake-clock.ts';
import { knativeAdmission } from '#testing/knative-admission.ts';
import { LaggingTransport } from '#testing/lagging-transport.ts';
import { playGateway, type PlayedGateway } from '#testing/play-gateway.ts';
import { playKubelet } from '#testing/play-kubelet.ts';
import { createWorkloads } from '#workloads/create-workloads.ts';

const KINDS = [...builtinKinds, ...knativeKinds];
const CLUSTER_DOMAIN = 'cluster.local';
const STEP_MS = 20;
const QUIET_STEP_MS = 500;

export interface ServingWorldOptions {
  /** ConfigMap → keys. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly digests?: DigestResolver;
  readonly namespace?: string;
  /** Pods stay as they are until `kubelet` is called. */
  readonly withoutKubelet?: boolean;
  readonly withoutGateway?: boolean;
  /** How late the controllers' caches (not those of workloads, which never leave home) hear of each kind. */
  readonly lagMs?: (plural: string) => number;
}

/** Counts writes to everything but Events, and can have one of them fail. */
export class WriteCounter implements Transport {
  readonly #inner: Transport;
  readonly writes: string[] = [];
  readonly derived: string[] = [];
  /** Answers the error that a write fails with, if it is to fail. */
  failWith: (write: string, count: number) => Error | undefined = () => undefined;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  async request(request: ApiRequest, signal?: AbortSignal): Promise<ApiResponse> {
    if (request.verb === 'get' || request.verb === 'list' || request.kind.kind === 'Event') {
      return this.#inner.request(request, signal);
    }
    const write = `${request.verb} ${request.kind.kind}${request.subresource ? `/${request.subresource}` : ''} ${request.name}`;
    this.writes.push(write);
    if (request.options?.durability === 'derived') this.derived.push(write);
    const failure = this.failWith(write, this.writes.length);
    if (failure) throw failure;
    return this.#inner.request(request, signal);
  }

  watch(request: WatchRequest, sink: WatchSink): Subscription {
    return this.#inner.watch(request, sink);
  }
}

export class ServingWorld implements AsyncDisposable {
  readonly api: TestApi;
  readonly configs: LiveConfigs;
  readonly ingress: IngressParts;
  readonly autoscaler: Autoscaler;
  /** What serving and ingress write. */
  readonly transport: WriteCounter;
  readonly namespace: string;
  readonly socketPath: string;
  gateway: PlayedGateway | undefined;
  /** What the gateway reports every second. */
  traffic: readonly RevisionReport[] = [];
  #reportedAt = 0;
  readonly #controllers: readonly Controller[];
  readonly #caches: Caches;
  readonly #options: ServingWorldOptions;

  private constructor(api: TestApi, folder: string, options: ServingWorldOptions) {
    this.api = api;
    this.#options = options;
    this.namespace = options.namespace ?? 'default';
    this.socketPath = path.join(folder, 'link.sock');
    const { clock, logger, metrics } = api;
    const { lagMs } = options;
    const caches = lagMs
      ? new Caches({ client: new Client(new LaggingTransport(api.transport, clock, lagMs)), clock, logger })
      : api.caches;
    this.#caches = caches;
    this.transport = new WriteCounter(api.transport);
    const eventsOf = (component: string) => createEventRecorder({ client: api.client, clock, logger, component });
    this.configs = followConfigs({ cache: caches.of(ConfigMap), logger, clusterDomain: CLUSTER_DOMAIN });
    const shared = { caches, clock, logger, metrics, configs: this.configs, eventsOf, clusterDomain: CLUSTER_DOMAIN };
    const counted = { ...shared, client: new Client(this.transport) };
    const plain = { ...shared, client: api.client };
    this.autoscaler = createAutoscaler({ ...plain, isBackedByActivator: (ref) => this.ingress.servesRevision(ref) });
    this.ingress = createIngress({
      ...counted,
      socketPath: this.socketPath,
      onReport: (report) => this.autoscaler.onReport(report),
      onActivate: (activate) => this.autoscaler.onActivate(activate),
      onColdStart: (coldStart) => this.autoscaler.onColdStart(coldStart),
      onRevisionServed: (revision) => this.autoscaler.recheck(revision),
    });
    const serving = createServingControllers({
      ...counted,
      digests: options.digests ?? { resolve: async () => 'never asked' },
      activatorEndpoints: () => [{ ip: '10.1.255.254', port: 8012 }],
    });
    const home = { ...plain, caches: api.caches };
    const workloads = createWorkloads({ ...home, kinds: KINDS.filter(({ kind }) => kind !== 'Event'), rootCa: 'CA' });
    this.#controllers = [...workloads, ...serving, this.ingress.controller];
  }

  static async start(options: ServingWorldOptions = {}): Promise<ServingWorld> {
    let world: ServingWorld | undefined;
    const api = await startTestApi({
      kinds: KINDS,
      namespaces: [options.namespace ?? 'default', SYSTEM_NAMESPACE],
      admission: knativeAdmission(() => {
        if (!world) throw new Error('admission before the world began');
        return world.configs.current;
      }),
    });
    const folder = await mkdtemp(path.join(tmpdir(), 'serving-world-'));
    world = new ServingWorld(api, folder, options);
    await world.#begin();
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway?.[Symbol.asyncDispose]();
    await this.autoscaler[Symbol.asyncDispose]();
    await this.ingress[Symbol.asyncDispose]();
    for (const controller of this.#controllers) await controller[Symbol.asyncDispose]();
    this.#caches[Symbol.dispose]();
    await this.api[Symbol.asyncDispose]();
    await rm(path.dirname(this.socketPath), { recursive: true });
  }

  async connectGateway(): Promise<PlayedGateway> {
    this.gateway = await playGateway(this.socketPath);
    return this.gateway;
  }

  async configure(name: string, data: Readonly<Record<string, string | null>>): Promise<void> {
    await this.api.client.patch(ConfigMap, { namespace: SYSTEM_NAMESPACE, name }, { type: 'merge', body: { data } });
  }

  async kubelet(): Promise<boolean> {
    return playKubelet(this.api.client, this.api.clock);
  }

  /** Lets time pass until `condition` holds; fails after `timeoutMs` of fake time. */
  async until<T>(what: string, condition: () => T | Promise<T>, timeoutMs = 120_000): Promise<NonNullable<T>> {
    const deadline = this.api.clock.now() + timeoutMs;
    for (;;) {
      await this.#step();
      const answer = await condition();
      if (answer) return answer;
      if (this.api.clock.now() > deadline) throw new Error(`${what} did not come true within ${timeoutMs} ms`);
      await this.api.clock.advance(STEP_MS);
    }
  }

  /** Lets time pass and whatever goes on come to its end. */
  async rest(ms = 4_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += QUIET_STEP_MS) {
      await this.api.clock.advance(QUIET_STEP_MS);
      await this.#step();
    }
  }

  async #step(): Promise<void> {
    this.#report();
    for (let round = 0; round < 3; round += 1) {
      await this.api.settled(...this.#controllers, ...this.autoscaler.controllers);
      await settle();
      if (this.#options.withoutKubelet || !(await this.kubelet())) break;
    }
  }

  /** A gateway reports every second, also when there is nothing to tell. */
  #report(): void {
    const at = this.api.clock.now();
    if (!this.gateway || at - this.#reportedAt < REPORT_PERIOD_MS) return;
    this.#reportedAt = at;
    this.gateway.send({ type: 'report', at, periodMs: REPORT_PERIOD_MS, revisions: this.traffic });
  }

  async #begin(): Promise<void> {
    const { client } = this.api;
    for (const configMap of defaultConfigMaps('devel')) {
      const changes = this.#options.config?.[configMap.metadata.name ?? ''];
      await client.create(ConfigMap, { ...configMap, data: { ...configMap.data, ...changes } });
    }
    const capacity = { cpu: '64', memory: '64Gi', pods: '500' };
    const node = typed(Node, { metadata: { name: 'node1' }, status: { allocatable: capacity, capacity } });
    await client.create(Node, node);
    await client.updateStatus(Node, node);
    await this.#createAccount();
    await this.api.caches.start();
    if (this.#caches !== this.api.caches) await this.#caches.start();
    for (const controller of this.#controllers) controller.start();
    this.autoscaler.start();
    await this.ingress.start();
    if (!this.#options.withoutGateway) await this.connectGateway();
    await this.#step();
  }

  async #createAccount(): Promise<void> {
    const account = typed(ServiceAccount, { metadata: { namespace: this.namespace, name: 'default' } });
    try {
      await this.api.client.create(ServiceAccount, account);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
