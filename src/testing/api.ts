/**
 * A real API server over a store in memory, for tests of whatever speaks to the API.
 *
 *     await using api = await startTestApi({ kinds: [...builtinKinds, ...knativeKinds] });
 *     await api.client.create(ConfigMap, …);
 *     await api.settled(controller);
 */
import { type Logger, silentLogger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { type Kind, typed } from '#kube/kind.ts';
import { isAlreadyExists } from '#kube/status.ts';
import { Client } from '#client/client.ts';
import { Caches } from '#client/caches.ts';
import type { AdmissionHook } from '#apiserver/admission/chain.ts';
import { ApiServer } from '#apiserver/api-server.ts';
import { InProcessTransport } from '#apiserver/in-process.ts';
import type { KindView } from '#apiserver/registry.ts';
import { systemUser } from '#apiserver/user.ts';
import { MemoryLog } from '#store/memory-log.ts';
import { Store } from '#store/store.ts';
import { FakeClock, settle } from '#testing/fake-clock.ts';

/** Rounds after which `settled` gives up: a controller that never comes to rest. */
const MAX_ROUNDS = 200;

export interface TestApiOptions {
  /** All built-in kinds when absent. */
  readonly kinds?: readonly Kind[];
  readonly views?: readonly KindView[];
  readonly admission?: readonly AdmissionHook[];
  readonly clock?: FakeClock;
  /** Created before the test begins; `default` and `kube-system` when absent. */
  readonly namespaces?: readonly string[];
  readonly historyLimit?: number;
  readonly logger?: Logger;
}

/** Whatever can say that it has nothing to do: controllers. */
export interface Restful {
  readonly isIdle: boolean;
}

export interface TestApi extends AsyncDisposable {
  readonly store: Store;
  readonly log: MemoryLog;
  readonly clock: FakeClock;
  readonly logger: Logger;
  readonly metrics: MetricRegistry;
  readonly api: ApiServer;
  readonly transport: InProcessTransport;
  readonly client: Client;
  readonly caches: Caches;
  createNamespace(name: string): Promise<void>;
  /** Resolves when every write is done and all of `controllers` have been idle for a whole round. */
  settled(...controllers: readonly Restful[]): Promise<void>;
}

export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const clock = options.clock ?? new FakeClock();
  const logger = options.logger ?? silentLogger;
  const log = new MemoryLog();
  const limit = options.historyLimit === undefined ? {} : { historyLimit: options.historyLimit };
  const store = await Store.open({ log, clock, logger, ...limit });
  const { kinds = builtinKinds, views = [], admission = [] } = options;
  const api = new ApiServer({ store, clock, logger, kinds, views, admission });
  const transport = new InProcessTransport(api, { user: systemUser('test'), userAgent: 'test' });
  const client = new Client(transport);
  const caches = new Caches({ client, clock, logger });
  const createNamespace = async (name: string) => {
    await client.create(Namespace, typed(Namespace, { metadata: { name } }));
    if (kinds.includes(ServiceAccount)) await createAccount(client, name);
  };
  if (kinds.includes(Namespace)) {
    for (const name of options.namespaces ?? ['default', 'kube-system']) await createNamespace(name);
  }
  return {
    store,
    log,
    clock,
    logger,
    metrics: new MetricRegistry(),
    api,
    transport,
    client,
    caches,
    createNamespace,
    settled: untilIdle,
    async [Symbol.asyncDispose]() {
      caches[Symbol.dispose]();
      api[Symbol.dispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** What pods need; where the namespace controller runs, it may be quicker. */
async function createAccount(client: Client, namespace: string): Promise<void> {
  try {
    await client.create(ServiceAccount, typed(ServiceAccount, { metadata: { namespace, name: 'default' } }));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

async function untilIdle(...controllers: readonly Restful[]): Promise<void> {
  let calm = 0;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    await settle();
    calm = controllers.every(({ isIdle }) => isIdle) ? calm + 1 : 0;
    if (calm >= 2) return;
  }
  throw new Error(`the controllers did not come to rest within ${MAX_ROUNDS} rounds`);
}
