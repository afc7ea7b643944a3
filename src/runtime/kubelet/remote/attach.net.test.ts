import assert from 'node:assert/strict';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ChannelClient, request, SPDY_HEADERS, startEndpoint } from '#runtime/kubelet/fixtures/endpoint-client.ts';
import { type LocalContainer, type LocalNode, print } from '#runtime/kubelet/fixtures/local-node.ts';
import type { LogFile } from '#runtime/logs/log-file.ts';
import { mkfifo } from '#sys/fs.ts';
import { eventually } from '#testing/eventually.ts';

const SUCCESS = { metadata: {}, status: 'Success' };

function add(node: LocalNode, container: Partial<LocalContainer> = {}): LogFile {
  const log = node.log('stdout: before');
  const current = { file: log.file, live: log };
  node.add({ name: 'talk', containers: [{ spec: { name: 'app' }, current, ...container }] });
  return log;
}

const attach = ({ socketPath }: LocalNode, streams: string) =>
  new ChannelClient(socketPath, `/attach/default/talk/app?${streams}`).opened();

test('what the container prints from now on comes, by stream, until it ends', async () => {
  await using endpoint = await startEndpoint();
  const log = add(endpoint.node);
  const client = await attach(endpoint.node, 'output=1&error=1');
  print(log, 'stdout: out');
  print(log, 'stderr: err');
  await eventually(() => client.text(1) === 'out\n' && client.text(2) === 'err\n');
  assert.equal(client.closeCode, undefined);
  log[Symbol.dispose]();
  assert.deepEqual(await client.outcome(), SUCCESS);
});

test('for a terminal both streams are one, and lines go back to the first column', async () => {
  await using endpoint = await startEndpoint();
  const log = add(endpoint.node);
  const client = await attach(endpoint.node, 'output=1&error=1&tty=1');
  print(log, 'stderr: err');
  print(log, 'stdout: out');
  await eventually(() => client.text(1) === 'err\r\nout\r\n');
  log[Symbol.dispose]();
  assert.deepEqual(await client.outcome(), SUCCESS);
});

test('what the client sends goes to the input of a container that has one', async () => {
  await using endpoint = await startEndpoint();
  const fifo = path.join(endpoint.node.folder, 'stdin');
  mkfifo(fifo, 0o600);
  // The container's end, which never sees the input end by itself.
  const input = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  let ends = 0;
  const stdin = { open: () => openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK), end: () => (ends += 1) };
  const log = add(endpoint.node, { spec: { name: 'app', stdin: true, stdinOnce: true }, stdin });
  const client = await attach(endpoint.node, 'input=1&output=1');
  client.send(0, 'typed\n');
  client.end(0);
  await eventually(() => ends === 1);
  const bytes = Buffer.alloc(64);
  assert.equal(bytes.toString('utf8', 0, readSync(input, bytes)), 'typed\n');
  closeSync(input);
  log[Symbol.dispose]();
  assert.deepEqual(await client.outcome(), SUCCESS);
});

test('a container without an input takes none, and one whose input is not open says so', async () => {
  await using endpoint = await startEndpoint();
  const log = add(endpoint.node);
  const client = await attach(endpoint.node, 'input=1&output=1');
  for (let count = 0; count < 20; count += 1) client.send(0, 'x'.repeat(100_000));
  print(log, 'stdout: still here');
  await eventually(() => client.text(1) === 'still here\n');
  log[Symbol.dispose]();
  assert.deepEqual(await client.outcome(), SUCCESS);
  add(endpoint.node, { spec: { name: 'app', stdin: true } });
  const other = await attach(endpoint.node, 'input=1&output=1');
  assert.match(((await other.outcome()) as { message: string }).message, /error attaching to container: its input/);
});

test('a container that does not run cannot be attached to', async () => {
  await using endpoint = await startEndpoint();
  add(endpoint.node, { life: { type: 'waiting', reason: 'ContainerCreating' } });
  const headers = { ...SPDY_HEADERS, 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' };
  const answer = await request(endpoint.node.socketPath, '/attach/default/talk/app?output=1', { headers });
  assert.deepEqual([answer.code, answer.text], [500, 'container app not found in pod talk_default']);
});

test('a client that leaves lets go of the log', async () => {
  await using endpoint = await startEndpoint();
  const log = add(endpoint.node);
  const client = await attach(endpoint.node, 'output=1');
  print(log, 'stdout: out');
  await eventually(() => client.text(1) === 'out\n');
  client.socket.terminate();
  await eventually(() => client.closeCode !== undefined);
  print(log, 'stdout: nobody');
});
