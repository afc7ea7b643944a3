/**
 * The Kubernetes API as clients meet it, over HTTPS.
 *
 * Method: a whole platform on the disk of the temporary directory; the clients are processes of their own.
 *   writes    `CLIENTS` processes with `WRITERS` writers in all create ConfigMaps of about 2 KB for `SECONDS` seconds,
 *             each writer waiting for its answer; every one is on disk before it is answered
 *   list      `OBJECTS` ConfigMaps of about 3 KB, until the last byte, plain and with gzip by turns
 *   memory    the proportional set size of control (after a rest) with these objects and before
 *   watch     from a write until the last of `WATCHERS` watchers, each with a connection of its own, has the event
 *   GET       one client, one GET after the other, while `SERVICES` Knative Services are created at once
 *   kubectl   `kubectl get ksvc` as a whole process with those Services there
 * With `--rival KUBECONFIG` all but the memory and the GETs are measured against that API server too, by turns; it gets
 * our CustomResourceDefinition of Knative's Services for the last one.
 *
 *     node bench/api.ts [--rival KUBECONFIG] [part …]          (root, runc, a C compiler, kubectl)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '#base/clock.ts';
import { HttpTransport } from '#client/http-transport.ts';
import { Client } from '#client/client.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { Service } from '#knative/kinds/service.ts';
import { CustomResourceDefinition } from '#kube/kinds/apiextensions/custom-resource-definition.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { runProgram, TestPlatform } from '#testing/platform.ts';
import { eventually } from '#testing/eventually.ts';
import { serviceManifest } from '#testing/service.ts';
import type { ClientTask } from './api/task.ts';
import { median, quantile, report, say, summary } from './support/figures.ts';

const CLIENTS = 2;
const WRITERS = 16;
const SECONDS = 5;
const WRITE_BYTES = 2_000;
const OBJECTS = 5_000;
const OBJECT_BYTES = 3_000;
const WATCHERS = 1_000;
const ROUNDS = 5;
const SERVICES = 100;
const KUBECTL_ROUNDS = 15;
const REST_MS = 30_000;

const WRITES_LIMIT = 3_000;
const WRITE_P99_LIMIT_MS = 10;
const LIST_LIMIT_MS = 150;
const EVENT_LIMIT_MS = 100;
const MEMORY_LIMIT_MB = 8;
const GET_LIMIT_MS = 20;

const { values, positionals } = parseArgs({ options: { rival: { type: 'string' } }, allowPositionals: true });
const wants = (part: string) => positionals.length === 0 || positionals.includes(part);
const DEFINITION = 'services.serving.knative.dev';
const CLIENT = path.join(import.meta.dirname, 'api', 'client.ts');

/** The rival keeps what earlier runs left. */
const LIST = `bench-list-${process.pid}`;
const WATCH = `bench-watch-${process.pid}`;

interface Contender {
  readonly name: string;
  readonly kubeconfig: string;
  readonly client: Client;
}

await using platform = await TestPlatform.start();
const ours = contender('pinnace', platform.paths.kubeconfig);
const rival = values.rival === undefined ? undefined : contender('rival', values.rival);
const contenders = [ours, ...(rival ? [rival] : [])];
const holds: boolean[] = [];
for (const { client } of contenders) for (const name of [LIST, WATCH]) await makeNamespace(client, name);

// Memory before what leaves much of it to be collected.
if (wants('list') || wants('memory')) await measureList();
if (wants('writes')) await measureWrites();
if (wants('watch')) await measureWatch();
if (wants('get') || wants('kubectl')) await measureServices();
if (holds.includes(false)) process.exitCode = 1;

async function measureWrites(): Promise<void> {
  const rates = new Map<Contender, number[]>();
  const times = new Map<Contender, number[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const one of contenders) {
      const namespace = `bench-write-${process.pid}-${round}`;
      await makeNamespace(one.client, namespace);
      const task = {
        type: 'write',
        namespace,
        writers: WRITERS / CLIENTS,
        seconds: SECONDS,
        bytes: WRITE_BYTES,
      } as const;
      const results = await Promise.all(
        Array.from({ length: CLIENTS }, (_, number) =>
          runClient<{ ms: number[]; seconds: number }>(one, { ...task, prefix: `c${number}` }),
        ),
      );
      put(rates, one, [results.reduce((sum, { ms, seconds }) => sum + ms.length / seconds, 0)]);
      put(
        times,
        one,
        results.flatMap(({ ms }) => ms),
      );
      await one.client.delete(Namespace, { name: namespace });
    }
  }
  for (const one of contenders) {
    const [p50, p99] = [0.5, 0.99].map((q) => quantile(times.get(one) ?? [], q).toFixed(1));
    say(`writes, ${one.name}: ${median(rates.get(one) ?? []).toFixed(0)}/s, p50 ${p50} ms, p99 ${p99} ms`);
  }
  sayRatio('writes', rates);
  const value = median(rates.get(ours) ?? []);
  const p99 = quantile(times.get(ours) ?? [], 0.99);
  holds.push(report({ what: 'writes over HTTPS', value, limit: WRITES_LIMIT, unit: '/s', kind: 'at least' }));
  holds.push(report({ what: 'writes, p99', value: p99, limit: WRITE_P99_LIMIT_MS, unit: 'ms', kind: 'at most' }));
}

async function measureList(): Promise<void> {
  const before = await restingMemory();
  for (const one of contenders) {
    await runClient(one, { type: 'fill', namespace: LIST, count: OBJECTS, bytes: OBJECT_BYTES });
  }
  const perThousand = ((await restingMemory()) - before) / (OBJECTS / 1_000);
  const plain = new Map<Contender, number[]>();
  const task = { type: 'list', namespace: LIST, expected: OBJECTS, rounds: 1 } as const;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const one of contenders) {
      const found = await runClient<{ plain: number[]; gzip: number[]; bytes: number }>(one, task);
      put(plain, one, found.plain);
      if (round === 0) say(`list, ${one.name}: ${(found.bytes / 1e6).toFixed(1)} MB, with gzip ${summary(found.gzip)}`);
    }
  }
  for (const one of contenders) say(`list, ${one.name}: ${summary(plain.get(one) ?? [])}`);
  sayRatio('list', plain);
  const value = median(plain.get(ours) ?? []);
  holds.push(report({ what: `list of ${OBJECTS}`, value, limit: LIST_LIMIT_MS, unit: 'ms', kind: 'at most' }));
  holds.push(
    report({
      what: 'memory per 1,000 objects',
      value: perThousand,
      limit: MEMORY_LIMIT_MB,
      unit: 'MB',
      kind: 'at most',
    }),
  );
}

async function measureWatch(): Promise<void> {
  const times = new Map<Contender, number[]>();
  for (const one of contenders) {
    const task = {
      type: 'watch',
      namespace: WATCH,
      watchers: WATCHERS,
      rounds: ROUNDS,
      bytes: WRITE_BYTES,
    } as const;
    put(times, one, (await runClient<{ ms: number[] }>(one, task)).ms);
    say(`event to ${WATCHERS} watchers, ${one.name}: ${summary(times.get(one) ?? [])}`);
  }
  sayRatio('event', times);
  const value = median(times.get(ours) ?? []);
  holds.push(
    report({ what: `event to ${WATCHERS} watchers`, value, limit: EVENT_LIMIT_MS, unit: 'ms', kind: 'at most' }),
  );
}

async function measureServices(): Promise<void> {
  const task: ClientTask = { type: 'get', path: '/api/v1/namespaces/default', pauseMs: 2 };
  const child = startClient(ours, task);
  const lines = linesOf(child);
  await lines.next();
  const names = Array.from({ length: SERVICES }, (_, number) => `many-${number}`);
  const startedAt = performance.now();
  await Promise.all(names.map((name) => ours.client.create(Service, serviceManifest(name))));
  await eventually(async () => (await readyServices()) === SERVICES, {
    timeoutMs: 120_000,
    intervalMs: 500,
    what: 'all Services are ready',
  });
  say(
    `${SERVICES} Services created at once: all ready after ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`,
  );
  child.stdin?.end();
  const { ms } = JSON.parse((await lines.next()).value ?? '{}') as { ms: number[] };
  say(
    `GET meanwhile: p50 ${quantile(ms, 0.5).toFixed(1)}  p99 ${quantile(ms, 0.99).toFixed(1)}  max ${quantile(ms, 1).toFixed(1)} ms  (n ${ms.length})`,
  );
  const value = quantile(ms, 0.99);
  holds.push(report({ what: 'GET meanwhile, p99', value, limit: GET_LIMIT_MS, unit: 'ms', kind: 'at most' }));
  if (wants('kubectl')) await measureKubectl();
}

async function measureKubectl(): Promise<void> {
  if (rival) await copyServices(rival);
  const times = new Map<Contender, number[]>();
  for (let round = 0; round < KUBECTL_ROUNDS; round += 1) {
    for (const one of contenders) {
      const sentAt = performance.now();
      const { code, stdout } = await runProgram('kubectl', ['get', 'ksvc'], { env: { KUBECONFIG: one.kubeconfig } });
      const shown = stdout.trimEnd().split('\n').length - 1;
      if (code !== 0 || shown !== SERVICES)
        throw new Error(`kubectl against ${one.name}: ${shown} Services, code ${code}`);
      // The first one fills kubectl's cache of what there is.
      if (round > 0) put(times, one, [performance.now() - sentAt]);
    }
  }
  for (const one of contenders) say(`kubectl get ksvc, ${one.name}: ${summary(times.get(one) ?? [])}`);
  sayRatio('kubectl get ksvc', times);
}

/** The same objects, with the status that ours wrote. */
async function copyServices({ client }: Contender): Promise<void> {
  const { metadata: named, spec: definition } = await ours.client.get(CustomResourceDefinition, { name: DEFINITION });
  const copy = { metadata: { name: named.name, labels: named.labels }, spec: definition };
  await client.create(CustomResourceDefinition, typed(CustomResourceDefinition, copy as CustomResourceDefinition));
  const isServed = () => client.list(Service, { namespace: 'default' }).then(Boolean, () => false);
  await eventually(isServed, { timeoutMs: 30_000, intervalMs: 200, what: 'the rival serves the kind' });
  const { items } = await ours.client.list(Service, { namespace: 'default' });
  for (const { metadata, spec, status } of items) {
    const bare = {
      name: metadata.name,
      namespace: 'default',
      annotations: metadata.annotations,
      labels: metadata.labels,
    };
    const made = await client.create(Service, typed(Service, { metadata: bare, spec }));
    await client.updateStatus(Service, { ...made, status });
  }
}

async function readyServices(): Promise<number> {
  const { items } = await ours.client.list(Service, { namespace: 'default' });
  const isReady = ({ status }: Service) =>
    status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
  return items.filter((service) => isReady(service)).length;
}

/** Megabytes of control once nothing happens any more. */
async function restingMemory(): Promise<number> {
  await systemClock.sleep(REST_MS, new AbortController().signal);
  const text = readFileSync(`/proc/${await platform.pidOf('control')}/smaps_rollup`, 'utf8');
  return (Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) * 1_024) / 1e6;
}

function contender(name: string, kubeconfig: string): Contender {
  const transport = new HttpTransport({ access: loadKubeconfig(kubeconfig), userAgent: 'pinnace-bench' });
  return { name, kubeconfig, client: new Client(transport) };
}

async function makeNamespace(client: Client, name: string): Promise<void> {
  await client.create(Namespace, typed(Namespace, { metadata: { name } }));
}

function startClient(one: Contender, task: ClientTask): ChildProcess {
  const flags = ['--disable-warning=ExperimentalWarning', CLIENT, one.kubeconfig, JSON.stringify(task)];
  return spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function runClient<T>(one: Contender, task: ClientTask): Promise<T> {
  const { value } = await linesOf(startClient(one, task)).next();
  if (value === undefined) throw new Error(`the client process of ${one.name} failed`);
  return JSON.parse(value) as T;
}

async function* linesOf({ stdout }: ChildProcess): AsyncGenerator<string, undefined> {
  let rest = '';
  for await (const piece of stdout ?? []) {
    const lines = `${rest}${String(piece)}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  return undefined;
}

function put(figures: Map<Contender, number[]>, one: Contender, more: readonly number[]): void {
  figures.set(one, [...(figures.get(one) ?? []), ...more]);
}

function sayRatio(what: string, figures: ReadonlyMap<Contender, number[]>): void {
  if (!rival) return;
  const ratio = median(figures.get(ours) ?? []) / median(figures.get(rival) ?? []);
  say(`${what}, pinnace ÷ rival: ${ratio.toFixed(2)} ×`);
}
