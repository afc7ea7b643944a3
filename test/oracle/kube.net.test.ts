/**
 * What kube-apiserver 1.33 was seen to answer, replayed against our server over HTTPS with our controllers behind it.
 * `kube-left-out.json` says what our server is not held to, and why.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { Caches } from '#client/caches.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { createEventRecorder } from '#controller/event-recorder.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { MemoryLog } from '#store/memory-log.ts';
import { httpCases } from '#testing/http-replay/case.ts';
import { Connection } from '#testing/http-replay/connection.ts';
import { leftOut, reasonToSkip } from '#testing/http-replay/left-out.ts';
import { replayCase } from '#testing/http-replay/replay.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';
import { createWorkloads } from '#workloads/create-workloads.ts';

/** Kinds that come with custom resources. */
const NOT_SERVED = ['CustomResourceDefinition', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];
const kinds = builtinKinds.filter(({ kind }) => !NOT_SERVED.includes(kind));

/** Recorded watches from version 1 met a server that had forgotten it. */
const FIRST_REVISION = 5_000;

const PARALLEL_CASES = 8;

const exceptions = leftOut();

describe('recorded exchanges', { concurrency: PARALLEL_CASES }, () => {
  const stack = new AsyncDisposableStack();
  let connection: Connection | undefined;

  before(async () => {
    const api = stack.use(await startServer());
    await startControllers(api, stack);
    connection = stack.use(new Connection(loadKubeconfig(api.kubeconfig)));
  });
  after(() => stack.disposeAsync());

  for (const recorded of httpCases()) {
    const reason = reasonToSkip(exceptions, recorded.name);
    test(`${recorded.name}: ${recorded.why}`, reason === undefined ? {} : { skip: reason }, async () => {
      assert(connection);
      const found = await replayCase(connection, recorded, exceptions);
      assert.equal(found.join('\n'), '');
    });
  }
});

test('everything that is left out is recorded', () => {
  const names = new Set(httpCases().map(({ name }) => name));
  assert.deepEqual(
    exceptions.filter((one) => one.case !== '*' && !names.has(one.case)),
    [],
  );
});

async function startServer(): Promise<HttpsApi> {
  const log = new MemoryLog();
  await log.commit([], FIRST_REVISION);
  const checks = ['informer-sync', 'poststarthook/crd-informer-synced'].map((name) => ({
    name,
    isReadinessOnly: true,
    isHealthy: () => true,
  }));
  const api = await startHttpsApi({ kinds, log, podTokens: 'projected', http: { checks } });
  for (const name of ['default', 'kube-system'])
    await api.client.create(Namespace, typed(Namespace, { metadata: { name } }));
  return api;
}

async function startControllers({ client, metrics, pki }: HttpsApi, stack: AsyncDisposableStack): Promise<void> {
  const [clock, logger] = [systemClock, silentLogger];
  const caches = stack.use(new Caches({ client, clock, logger }));
  const eventsOf = (component: string) => createEventRecorder({ client, clock, logger, component });
  const watched = kinds.filter(({ group }) => group !== 'events.k8s.io');
  const rootCa = pki.authorityCertificate;
  const controllers = createWorkloads({ client, caches, clock, logger, metrics, eventsOf, kinds: watched, rootCa });
  await caches.start();
  for (const controller of controllers) stack.use(controller).start();
}
