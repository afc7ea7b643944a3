/** From the manifest to an answer, to zero, and back. */
import { renderDuration } from '#cli/output.ts';
import { Service } from '#knative/kinds/service.ts';
import { NAMESPACE } from '../cluster.ts';
import { parseServerTiming, renderSteps, timeOf } from '../cold-start.ts';
import { DemoError } from '../errors.ts';
import { curl, SERVICE, type Tour, urlOf } from '../tour.ts';
import { podNames, watchReadiness } from '../watch.ts';

const MANIFEST = 'samples/greeter/service.yaml';
const SHORT_WINDOWS = { 'stable-window': '6s', 'scale-to-zero-grace-period': '1s' };
const ZERO_LIMIT_MS = 60_000;
const POLL_MS = 50;

export async function deploy(tour: Tour): Promise<string> {
  const { cluster, signal } = tour;
  using watch = watchReadiness(tour);
  await cluster.do({ verb: 'apply', file: MANIFEST }, signal);
  await untilReady(tour);
  await cluster.do({ verb: 'get', kind: 'ksvc', name: SERVICE }, signal);
  return `ready ${renderDuration(await watch.elapsedMs)} after it was created`;
}

export async function untilReady(tour: Tour): Promise<void> {
  try {
    await tour.cluster.do({ verb: 'wait', service: SERVICE }, tour.signal);
  } catch (error) {
    tour.signal.throwIfAborted();
    throw new DemoError(`the Service did not become ready: ${await conditionOf(tour)}`, { cause: error });
  }
}

async function conditionOf({ cluster }: Tour): Promise<string> {
  const service = await cluster.client.find(Service, { namespace: NAMESPACE, name: SERVICE });
  const ready = service?.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready === undefined ? 'it has no status' : `${ready.reason ?? ready.status}: ${ready.message ?? ''}`;
}

export async function ask(tour: Tour): Promise<string> {
  const { ms } = await curl(tour, await urlOf(tour));
  await tour.cluster.do({ verb: 'get', kind: 'pods' }, tour.signal);
  return `answered in ${renderDuration(ms)} by the container of that pod`;
}

export async function scaleToZero(tour: Tour): Promise<string> {
  const { cluster, clock, requests, screen, signal } = tour;
  screen.note('By default a Service is at zero some 60 s after its last request. So that nobody has to wait:');
  await cluster.do({ verb: 'patch', kind: 'cm', name: 'config-autoscaler', data: SHORT_WINDOWS }, signal);
  const elapsed = () => clock.monotonicMs() - requests.lastAnsweredAt;
  while ((await podNames(tour)).length > 0) {
    if (elapsed() > ZERO_LIMIT_MS) throw new DemoError(`there are still pods after ${ZERO_LIMIT_MS / 1_000} s`);
    screen.progress(`no more requests; waiting for zero pods: ${Math.floor(elapsed() / 1_000)} s`);
    await clock.sleep(POLL_MS, signal);
  }
  const took = renderDuration(elapsed());
  await cluster.do({ verb: 'get', kind: 'pods' }, signal);
  return `the last container was gone ${took} after the last answer`;
}

export async function startFromZero(tour: Tour): Promise<string> {
  const { screen, requests, runtime, signal } = tour;
  const url = await urlOf(tour);
  screen.command(await requests.command(url, "-i -H 'Pinnace-Timing: on'", signal));
  const { status, statusText, headers, body, ms } = await requests.get(url, { 'pinnace-timing': 'on' }, signal);
  const timing = String(headers['server-timing'] ?? '');
  screen.output(`HTTP/1.1 ${statusText}\n…`);
  if (timing !== '') screen.cut(`Server-Timing: ${timing}`);
  screen.output(`…\n${body}`);
  if (status !== 200) throw new DemoError(`the request at zero was answered with ${status}`);
  const steps = parseServerTiming(timing);
  if (steps.length === 0) throw new DemoError('the answer does not tell the steps of its cold start');
  screen.note('The request was held while a container started. Server-Timing, step by step:');
  const client = { name: 'client', description: 'to the gateway and back', durationMs: ms - timeOf(steps) };
  screen.output(renderSteps([...steps, client]));
  const [started, booted] = [timeOf(steps, 'start'), timeOf(steps, 'boot')];
  const parts = `${runtime} ${Math.round(started)}, Node’s own start ${Math.round(booted)}`;
  return `answered from zero in ${Math.round(ms)} ms: ${parts}, all else ${Math.round(ms - started - booted)}`;
}
