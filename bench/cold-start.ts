/**
 * Cold start: from a request to a Service without pods to its whole answer, beside the OCI runtime's own start.
 *
 * Method: `SERVICES` Services of a tiny static server (image loaded and unpacked) scale to zero; then each in turn is
 * asked once, alone, over a new connection to the gateway. Between two requests the runtime alone starts the same
 * container (the node agent's own bundle, without its network namespace) and is asked until it answers. `ROUNDS` rounds.
 * The ratio of the medians is compared with its limit.
 *
 *     node bench/cold-start.ts          (root, runc, a C compiler)
 */
import { Pod } from '#kube/kinds/core/pod.ts';
import { eventually } from '#testing/eventually.ts';
import { SHORT_WINDOWS, TestPlatform } from '#testing/platform.ts';
import { deploy, podsOf } from '#testing/service.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { median, report, say, summary } from './support/figures.ts';
import { RuntimeStart } from './support/runtime-start.ts';

const SERVICES = 15;
const ROUNDS = 3;
const LIMIT = 1.6;

await using platform = await TestPlatform.start({ config: SHORT_WINDOWS });
using folder = new TemporaryFolder('pinnace-bench-');
const reference = await deploy(platform, 'reference', { annotations: { 'autoscaling.knative.dev/min-scale': '1' } });
await platform.get(reference);
const [pod] = await podsOf(platform, 'reference');
using runtime = await RuntimeStart.from(platform, pod?.metadata.name ?? '', folder.path);
const urls: string[] = [];
for (let number = 0; number < SERVICES; number += 1) urls.push(await deploy(platform, `cold-${number}`));

const ours: number[] = [];
const alone: number[] = [];
const steps = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round += 1) {
  await untilAtZero();
  for (const url of urls) {
    alone.push(await runtime.measure());
    const { status, ms, headers } = await platform.get(url, { 'pinnace-timing': 'on' });
    if (status !== 200) throw new Error(`${url} answered ${status}`);
    ours.push(ms);
    note(headers['server-timing']);
  }
}
say(`runc alone, start to first byte:   ${summary(alone)}`);
say(`cold start, request to answer:     ${summary(ours)}`);
for (const [name, values] of steps) say(`  ${name.padEnd(12)} p50 ${median(values).toFixed(1)} ms`);
const ratio = median(ours) / median(alone);
if (!report({ what: 'cold start ÷ runc', value: ratio, limit: LIMIT, unit: '×', kind: 'at most' }))
  process.exitCode = 1;

async function untilAtZero(): Promise<void> {
  await eventually(
    async () => {
      const { items } = await platform.client.list(Pod, { namespace: 'default' });
      return items.length === 1;
    },
    { timeoutMs: 120_000, intervalMs: 100, what: 'all Services are at zero' },
  );
}

/** `name;dur=1.5, …` */
function note(serverTiming: string | string[] | undefined): void {
  for (const entry of String(serverTiming ?? '').split(',')) {
    const [, name, ms] = /^\s*([\w-]+);.*dur=([\d.]+)/.exec(entry) ?? [];
    if (name === undefined) continue;
    const known = steps.get(name) ?? [];
    known.push(Number(ms));
    steps.set(name, known);
  }
}
