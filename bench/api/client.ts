/**
 * One client process of `bench/api.ts`: does one task against one API server and prints what it measured as JSON.
 * A process of its own, so that its work is not done by the thread that is measured.
 */
import https from 'node:https';
import { gunzipSync } from 'node:zlib';
import { unreachable } from '#base/assert.ts';
import { type ClusterAccess, loadKubeconfig } from '#client/kubeconfig.ts';
import { type ClientTask, configMapsPath, objectOf } from './task.ts';

const ITEM = 'item-';

const [kubeconfig = '', taskText = ''] = process.argv.slice(2);
const task = JSON.parse(taskText) as ClientTask;
const access = loadKubeconfig(kubeconfig);
const agent = new https.Agent({ ...credentials(access), keepAlive: true, maxSockets: 2_000 });

process.stdout.write(`${JSON.stringify(await run(task))}\n`);
agent.destroy();

async function run(one: ClientTask): Promise<unknown> {
  switch (one.type) {
    case 'write':
      return write(one);
    case 'fill':
      return fill(one);
    case 'list':
      return list(one);
    case 'watch':
      return watch(one);
    case 'get':
      return get(one);
    default:
      return unreachable(one);
  }
}

/** Every writer waits for its answer before it writes again. Milliseconds of each write. */
async function write(one: ClientTask & { type: 'write' }): Promise<{ ms: number[]; seconds: number }> {
  const startedAt = performance.now();
  const deadline = startedAt + one.seconds * 1_000;
  const ms: number[] = [];
  const writer = async (number: number) => {
    for (let count = 0; performance.now() < deadline; count += 1) {
      const name = `${one.prefix}-${number}-${count}`;
      const sentAt = performance.now();
      await create(one.namespace, name, one.bytes);
      ms.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: one.writers }, (_, number) => writer(number)));
  return { ms, seconds: (performance.now() - startedAt) / 1_000 };
}

async function fill(one: ClientTask & { type: 'fill' }): Promise<{ created: number }> {
  let next = 0;
  const filler = async () => {
    for (let number = next++; number < one.count; number = next++) {
      await create(one.namespace, `${ITEM}${number}`, one.bytes);
    }
  };
  await Promise.all(Array.from({ length: 32 }, filler));
  return { created: one.count };
}

async function create(namespace: string, name: string, bytes: number): Promise<void> {
  const { status, body } = await request('POST', configMapsPath(namespace), JSON.stringify(objectOf(name, bytes)));
  if (status !== 201) throw new Error(`a write was answered with ${status}: ${body.toString('utf8').slice(0, 300)}`);
}

/** Milliseconds until the last byte, plain and compressed by turns. */
async function list(one: ClientTask & { type: 'list' }): Promise<{ plain: number[]; gzip: number[]; bytes: number }> {
  const times = { plain: [] as number[], gzip: [] as number[] };
  let bytes = 0;
  for (let round = 0; round < one.rounds * 2; round += 1) {
    const form = round % 2 === 0 ? 'plain' : 'gzip';
    const headers = form === 'gzip' ? { 'accept-encoding': 'gzip' } : {};
    const sentAt = performance.now();
    const { status, body, encoding } = await request('GET', configMapsPath(one.namespace), undefined, headers);
    times[form].push(performance.now() - sentAt);
    if (status !== 200) throw new Error(`a list was answered with ${status}`);
    const text = encoding === 'gzip' ? gunzipSync(body) : body;
    const { items } = JSON.parse(text.toString('utf8')) as { items: { metadata: { name: string } }[] };
    // A namespace has objects of its own.
    const found = items.filter(({ metadata }) => metadata.name.startsWith(ITEM)).length;
    if (found !== one.expected) throw new Error(`${found} objects were listed, not ${one.expected}`);
    bytes = text.length;
  }
  return { ...times, bytes };
}

/** Milliseconds from a write until the last of the watchers has its event, a figure for each round. */
async function watch(one: ClientTask & { type: 'watch' }): Promise<{ ms: number[] }> {
  const version = await versionOf(one.namespace);
  const streams: Subscription[] = [];
  for (let number = 0; number < one.watchers; number += 50) {
    const batch = Array.from({ length: Math.min(50, one.watchers - number) }, () => subscribe(one.namespace, version));
    streams.push(...(await Promise.all(batch)));
  }
  const ms: number[] = [];
  for (let round = 0; round < one.rounds; round += 1) {
    const seen = Promise.all(streams.map((stream) => stream.next()));
    const sentAt = performance.now();
    await create(one.namespace, `event-${round}`, one.bytes);
    await seen;
    ms.push(performance.now() - sentAt);
  }
  for (const stream of streams) stream.close();
  return { ms };
}

/** Milliseconds of GETs, one after the other, for as long as nobody closes standard input. */
async function get(one: ClientTask & { type: 'get' }): Promise<{ ms: number[] }> {
  const end = new AbortController();
  process.stdin.on('end', () => end.abort()).resume();
  process.stdout.write('"ready"\n');
  const ms: number[] = [];
  while (!end.signal.aborted) {
    const sentAt = performance.now();
    const { status } = await request('GET', one.path);
    ms.push(performance.now() - sentAt);
    if (status !== 200) throw new Error(`a GET was answered with ${status}`);
    await new Promise((resolve) => setTimeout(resolve, one.pauseMs));
  }
  return { ms };
}

interface Subscription {
  /** Resolves with the next event. */
  next(): Promise<void>;
  close(): void;
}

function subscribe(namespace: string, version: string): Promise<Subscription> {
  const ready = Promise.withResolvers<Subscription>();
  let seen = 0;
  let awaited = 0;
  let wake = (): void => undefined;
  const outgoing = https.request(
    optionsOf('GET', `${configMapsPath(namespace)}?watch=true&resourceVersion=${version}`),
  );
  outgoing.on('error', ready.reject);
  outgoing.on('response', (response) => {
    response.on('data', (piece: Buffer) => {
      for (const byte of piece) if (byte === 10) seen += 1;
      if (seen >= awaited) wake();
    });
    ready.resolve({
      next: () => {
        awaited = seen + 1;
        return new Promise((resolve) => (wake = resolve));
      },
      close: () => outgoing.destroy(),
    });
  });
  outgoing.end();
  return ready.promise;
}

async function versionOf(namespace: string): Promise<string> {
  const { body } = await request('GET', configMapsPath(namespace));
  return (JSON.parse(body.toString('utf8')) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly encoding: string | undefined;
}

function request(method: string, path: string, body?: string, headers: object = {}): Promise<Answer> {
  const answered = Promise.withResolvers<Answer>();
  const outgoing = https.request(optionsOf(method, path, headers), (response) => {
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => pieces.push(piece));
    response.on('error', answered.reject);
    response.on('end', () =>
      answered.resolve({
        status: response.statusCode ?? 0,
        body: Buffer.concat(pieces),
        encoding: response.headers['content-encoding'],
      }),
    );
  });
  outgoing.on('error', answered.reject);
  outgoing.end(body);
  return answered.promise;
}

function optionsOf(method: string, path: string, headers: object = {}): https.RequestOptions {
  const { hostname, port } = new URL(access.server);
  const authorization = access.token === undefined ? {} : { authorization: `Bearer ${access.token}` };
  const all = { 'content-type': 'application/json', ...authorization, ...headers };
  return { agent, hostname, port, method, path, headers: all };
}

function credentials({ caCertificate, clientCertificate, clientKey, insecureSkipTlsVerify }: ClusterAccess) {
  return {
    ...(caCertificate === undefined ? {} : { ca: caCertificate }),
    ...(clientCertificate === undefined ? {} : { cert: clientCertificate, key: clientKey }),
    rejectUnauthorized: !insecureSkipTlsVerify,
  };
}
