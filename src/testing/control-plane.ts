/** The API over HTTPS with the controllers of the built-in kinds behind it: a cluster without nodes. */
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { Caches } from '#client/caches.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { MemoryLog } from '#store/memory-log.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';
import { createWorkloads } from '#workloads/create-workloads.ts';
import { createTokenController } from '#workloads/service-account/reconcile.ts';

/** Recorded watches from version 1 met a server that had forgotten it. */
const FIRST_REVISION = 5_000;

const NAMESPACES = ['default', 'kube-system'];

export interface ControlPlane extends AsyncDisposable {
  readonly api: HttpsApi;
}

export async function startControlPlane(): Promise<ControlPlane> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await startApi());
  await startControllers(api, stack);
  const owned = stack.move();
  return { api, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function startApi(): Promise<HttpsApi> {
  const log = new MemoryLog();
  await log.commit([], FIRST_REVISION);
  const checks = ['informer-sync', 'poststarthook/crd-informer-synced'].map((name) => ({
    name,
    isReadinessOnly: true,
    isHealthy: () => true,
  }));
  const api = await startHttpsApi({ kinds: builtinKinds, log, podTokens: 'projected', http: { checks } });
  for (const name of NAMESPACES) await api.client.create(Namespace, typed(Namespace, { metadata: { name } }));
  return api;
}

async function startControllers({ api, client, metrics, pki }: HttpsApi, stack: AsyncDisposableStack): Promise<void> {
  const [clock, logger] = [systemClock, silentLogger];
  const caches = stack.use(new Caches({ client, clock, logger }));
  const eventsOf = (component: string) => createEventRecorder({ client, clock, logger, component });
  const watched = builtinKinds.filter(({ group }) => group !== 'events.k8s.io');
  const rootCa = pki.authorityCertificate;
  const environment = { client, caches, clock, logger, metrics, eventsOf, rootCa };
  const controllers = [
    ...createWorkloads({ ...environment, kinds: watched }),
    createTokenController({ ...environment, tokens: api.tokens }),
  ];
  await caches.start();
  for (const controller of controllers) stack.use(controller).start();
}
