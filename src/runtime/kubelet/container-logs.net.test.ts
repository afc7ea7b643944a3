import assert from 'node:assert/strict';
import http, { type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { type Answer, request, startEndpoint } from '#runtime/kubelet/fixtures/endpoint-client.ts';
import { type LocalContainer, print } from '#runtime/kubelet/fixtures/local-node.ts';
import type { Life, Terminated } from '#runtime/pod/state.ts';
import { eventually } from '#testing/eventually.ts';

const waiting = (reason: string): Life => ({ type: 'waiting', reason });

const ENDED: Terminated = {
  type: 'terminated',
  id: 'container-0',
  exitCode: 1,
  reason: 'Error',
  startedAt: 0,
  finishedAt: 1,
};

async function logs(container: Omit<LocalContainer, 'spec'>, query = ''): Promise<Answer> {
  await using endpoint = await startEndpoint();
  const { node } = endpoint;
  node.add({ name: 'talk', containers: [{ spec: { name: 'app' }, ...container }] });
  return await request(node.socketPath, `/containerLogs/default/talk/app${query}`);
}

const refusals: [name: string, container: Omit<LocalContainer, 'spec'>, query: string, code: number, text: string][] = [
  ['no life before', {}, '?previous=true', 400, 'previous terminated container "app" in pod "talk" not found'],
  [
    'not started yet',
    { life: waiting('ContainerCreating') },
    '',
    400,
    'container "app" in pod "talk" is waiting to start: ContainerCreating',
  ],
  [
    'a pull that failed',
    { life: waiting('ErrImagePull') },
    '',
    400,
    `container "app" in pod "talk" is waiting to start: image can't be pulled`,
  ],
  [
    'a pull that keeps failing',
    { life: waiting('ImagePullBackOff') },
    '?follow=true',
    400,
    'container "app" in pod "talk" is waiting to start: trying and failing to pull image',
  ],
  ['ended without a log', { life: ENDED }, '', 400, 'container "app" in pod "talk" is terminated'],
  ['a count that is none', {}, '?tailLines=many', 400, '{"message": "Unable to decode query."}'],
  ['a time that is none', {}, '?sinceTime=yesterday', 400, '{"message": "Unable to decode query."}'],
  ['a stream that is none', {}, '?stream=Both', 400, 'invalid stream type "Both"'],
];

for (const [name, container, query, code, text] of refusals) {
  test(`logs, ${name}: ${code}`, async () => {
    const answer = await logs(container, query);
    assert.deepEqual([answer.code, answer.text], [code, text]);
  });
}

test('logs of pods and containers that are not here are 404', async () => {
  await using endpoint = await startEndpoint();
  const { node } = endpoint;
  node.add({ name: 'talk', containers: [{ spec: { name: 'app' } }] });
  const pod = await request(node.socketPath, '/containerLogs/default/none/app');
  const container = await request(node.socketPath, '/containerLogs/default/talk/none');
  assert.deepEqual([pod.code, pod.text], [404, 'pod "none" does not exist']);
  assert.deepEqual([container.code, container.text], [404, 'container "none" not found in pod "talk"']);
});

const LINES = ['stdout: one', 'stderr: two', 'stdout: three'];
const selections: [query: string, text: string][] = [
  ['', 'one\ntwo\nthree\n'],
  ['?tailLines=2', 'two\nthree\n'],
  ['?tailLines=0', ''],
  ['?limitBytes=6', 'one\ntw'],
  ['?stream=Stderr', 'two\n'],
  ['?stream=Stdout&follow=false', 'one\nthree\n'],
  ['?sinceSeconds=3600', 'one\ntwo\nthree\n'],
  ['?sinceTime=2999-01-01T00:00:00Z', ''],
];

for (const [query, text] of selections) {
  test(`logs${query} are ${JSON.stringify(text)}`, async () => {
    await using endpoint = await startEndpoint();
    const { node } = endpoint;
    const { file } = node.log(...LINES);
    node.add({ name: 'talk', containers: [{ spec: { name: 'app' }, current: { file } }] });
    const answer = await request(node.socketPath, `/containerLogs/default/talk/app${query}`);
    assert.deepEqual([answer.code, answer.text], [200, text]);
    assert.equal(answer.headers['content-type'], 'text/plain');
  });
}

test('the log of the life before is another; one between two lives is what logs shows', async () => {
  await using endpoint = await startEndpoint();
  const { node } = endpoint;
  const [old, young] = [node.log('stdout: old'), node.log('stdout: young')];
  const app = { spec: { name: 'app' }, current: { file: young.file }, previous: { file: old.file } };
  const crashed = { ...app, spec: { name: 'crashed' }, life: waiting('CrashLoopBackOff') };
  node.add({ name: 'talk', containers: [app, crashed] });
  const text = async (path: string) => (await request(node.socketPath, `/containerLogs/default/talk/${path}`)).text;
  assert.equal(await text('app'), 'young\n');
  assert.equal(await text('app?previous=true'), 'old\n');
  assert.equal(await text('crashed'), 'young\n');
});

function follow(socketPath: string): { readonly seen: () => string; readonly stop: () => void; isOver: boolean } {
  const followed = { seen: () => text, stop: () => sent.destroy(), isOver: false };
  let text = '';
  const path = '/containerLogs/default/talk/app?follow=true&timestamps=false';
  const sent = http.get({ socketPath, path, agent: false }, (answer: IncomingMessage) => {
    answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
    answer.on('close', () => (followed.isOver = true));
    answer.on('error', () => {});
  });
  sent.on('error', () => {});
  return followed;
}

test('a log is followed line by line until the container ends', async () => {
  await using endpoint = await startEndpoint();
  const { node } = endpoint;
  const log = node.log('stdout: first');
  node.add({ name: 'talk', containers: [{ spec: { name: 'app' }, current: { file: log.file, live: log } }] });
  const followed = follow(node.socketPath);
  await eventually(() => followed.seen() === 'first\n');
  print(log, 'stderr: second');
  await eventually(() => followed.seen() === 'first\nsecond\n');
  assert.equal(followed.isOver, false);
  log[Symbol.dispose]();
  await eventually(() => followed.isOver);
});

test('a client that leaves is no longer followed for', async () => {
  await using endpoint = await startEndpoint();
  const { node } = endpoint;
  const log = node.log('stdout: first');
  let listeners = 0;
  const live = Object.assign(Object.create(log) as typeof log, {
    onChange: (listener: () => void) => {
      listeners += 1;
      const inner = log.onChange(listener);
      return {
        [Symbol.dispose]: () => {
          listeners -= 1;
          inner[Symbol.dispose]();
        },
      };
    },
  });
  Object.defineProperty(live, 'isClosed', { get: () => log.isClosed });
  node.add({ name: 'talk', containers: [{ spec: { name: 'app' }, current: { file: log.file, live } }] });
  const followed = follow(node.socketPath);
  await eventually(() => followed.seen() === 'first\n' && listeners === 1);
  followed.stop();
  await eventually(() => listeners === 0);
});

test('a slow client of a large log makes the endpoint wait, and gets all of it', async () => {
  await using endpoint = await startEndpoint();
  const { node } = endpoint;
  const log = node.log();
  const line = `stdout: ${'x'.repeat(1023)}`;
  for (let count = 0; count < 8_000; count += 1) print(log, line);
  node.add({ name: 'talk', containers: [{ spec: { name: 'app' }, current: { file: log.file } }] });
  const path = '/containerLogs/default/talk/app';
  const answer = await new Promise<IncomingMessage>((resolve) => {
    http.get({ socketPath: node.socketPath, path, agent: false }, resolve);
  });
  const started = systemClock.monotonicMs();
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size < 1_000_000) await systemClock.sleep(1, new AbortController().signal);
  }
  assert.equal(size, 8_000 * 1024);
  assert.ok(systemClock.monotonicMs() - started < 20_000);
});
