/**
 * From the creation of a Service to its readiness, and fifty Services from zero at once.
 *
 * Method: images loaded and unpacked. `SERVICES` Services one after the other: the time from the request that creates
 * one until a watch shows Ready=True. Then all of them scale to zero and rest there for `REST_MS`, and one request goes to
 * each at the same instant: the time of each until its answer is complete. Beside it, in every round, the OCI runtime
 * alone starts as many of the same containers, `RUNTIME_AT_ONCE` at a time: the time of each, from the beginning of
 * all, to its first byte. `ROUNDS` rounds.
 *
 *     node bench/deploy.ts          (root, runc, a C compiler)
 */
import { systemClock } from '#base/clock.ts';
import { Gate } from '#base/gate.ts';
import { Service } from '#knative/kinds/service.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { eventually } from '#testing/eventually.ts';
import { SHORT_WINDOWS, TestPlatform } from '#testing/platform.ts';
import { deploy, podsOf, serviceManifest } from '#testing/service.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { quantile, report, say, summary } from './support/figures.ts';
import { RuntimeStart } from './support/runtime-start.ts';

const SERVICES = 50;
const ROUNDS = 5;
const REST_MS = 2_000;
const RUNTIME_AT_ONCE = 4;
const READY_LIMIT_MS = 400;
const BURST_LIMIT_MS = 1_500;

await using platform = await TestPlatform.start({ config: SHORT_WINDOWS });
const { client } = platform;
using folder = new TemporaryFolder('pinnace-bench-');
await deploy(platform, 'reference', { annotations: { 'autoscaling.knative.dev/min-scale': '1' } });
const [reference] = await podsOf(platform, 'reference');
const alone = await RuntimeStart.several(SERVICES, platform, reference?.metadata.name ?? '', folder.path);

const urls: string[] = [];
const readyMs: number[] = [];
for (let number = 0; number < SERVICES; number += 1) {
  const startedAt = performance.now();
  urls.push(await createUntilReady(`burst-${number}`));
  readyMs.push(performance.now() - startedAt);
}
say(`create → Ready:            ${summary(readyMs)}`);

const burstMs: number[] = [];
const aloneMs: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  await untilAtZero();
  const answers = await Promise.all(urls.map((url) => platform.get(url)));
  const failed = answers.filter(({ status }) => status !== 200);
  if (failed.length > 0) throw new Error(`${failed.length} of ${answers.length} were not answered with 200`);
  burstMs.push(...answers.map(({ ms }) => ms));
  aloneMs.push(...(await runtimeBurst()));
}
say(`${SERVICES} from zero at once:    ${summary(burstMs)}`);
say(`${SERVICES} by the runtime alone: ${summary(aloneMs)}`);
const ratio = quantile(burstMs, 0.95) / quantile(aloneMs, 0.95);
say(`${SERVICES} from zero ÷ the runtime alone, p95: ${ratio.toFixed(2)} ×`);

const holds = [
  report({
    what: 'create → Ready, p95',
    value: quantile(readyMs, 0.95),
    limit: READY_LIMIT_MS,
    unit: 'ms',
    kind: 'at most',
  }),
  report({
    what: `${SERVICES} from zero, p95`,
    value: quantile(burstMs, 0.95),
    limit: BURST_LIMIT_MS,
    unit: 'ms',
    kind: 'at most',
  }),
];
if (holds.includes(false)) process.exitCode = 1;

function createUntilReady(name: string): Promise<string> {
  const done = Promise.withResolvers<string>();
  const watch = client.watch(
    { kind: Service, namespace: 'default', options: { fieldSelector: `metadata.name=${name}` } },
    {
      onEvent: ({ object }) => {
        const { status } = object as Service;
        const isReady = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
        if (isReady) done.resolve(status?.url ?? '');
      },
      onEnd: (error) => done.reject(error ?? new Error('the watch ended')),
    },
  );
  client.create(Service, serviceManifest(name)).catch((error: unknown) => done.reject(error));
  return done.promise.finally(() => watch.close());
}

async function untilAtZero(): Promise<void> {
  await eventually(async () => (await client.list(Pod, { namespace: 'default' })).items.length === 1, {
    timeoutMs: 120_000,
    intervalMs: 500,
    what: 'all Services are at zero',
  });
  await systemClock.sleep(REST_MS, new AbortController().signal);
}

async function runtimeBurst(): Promise<number[]> {
  for (const one of alone) one.prepare();
  const gate = new Gate({ width: RUNTIME_AT_ONCE, maxWaiting: SERVICES, onFull: () => new Error('too many') });
  const { signal } = new AbortController();
  const startedAt = performance.now();
  const starts = alone.map(async (one) => {
    using _ = await gate.enter(signal);
    return (await one.start()) - startedAt;
  });
  const took = await Promise.all(starts);
  for (const one of alone) await one.stop();
  return took;
}
