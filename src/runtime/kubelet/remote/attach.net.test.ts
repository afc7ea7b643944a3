import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { ChannelClient, request, SPDY_HEADERS, startEndpoint } from '#runtime/kubelet/fixtures/endpoint-client.ts';
import { type LocalContainer, type LocalNode, print } from '#runtime/kubelet/fixtures/local-node.ts';
import type { LogFile } from '#runtime/logs/log-file.ts';
import type { WindowSize } from '#sys/pty.ts';
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

test('a terminal has one output, which comes as it is, and takes the size of the client’s', async () => {
  await using endpoint = await startEndpoint();
  const sizes: WindowSize[] = [];
  const log = add(endpoint.node, { spec: { name: 'app', tty: true }, streams: { resize: (size) => sizes.push(size) } });
  const client = await attach(endpoint.node, 'output=1&tty=1');
  client.send(4, '{"Width":111,"Height":33}\n');
  print(log, 'stdout: out\r');
  await eventually(() => client.text(1) === 'out\r\n' && sizes.length === 1);
  assert.deepEqual(sizes, [{ columns: 111, rows: 33 }]);
  log[Symbol.dispose]();
  assert.deepEqual(await client.outcome(), SUCCESS);
});

/** An input that keeps what it is given, and counts how often it was ended. */
class KeptInput {
  ends = 0;
  text = '';

  readonly streams = {
    openInput: () =>
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          this.text += chunk.toString();
          done();
        },
      }),
    endInput: async () => {
      this.ends += 1;
    },
  };
}

test('who takes one client only has its input ended with that, and prints on', async () => {
  await using endpoint = await startEndpoint();
  const input = new KeptInput();
  const log = add(endpoint.node, { spec: { name: 'app', stdin: true, stdinOnce: true }, streams: input.streams });
  const client = await attach(endpoint.node, 'input=1&output=1');
  client.send(0, 'typed\n');
  client.end(0);
  await eventually(() => input.ends === 1);
  assert.equal(input.text, 'typed\n');
  print(log, 'stdout: answer');
  await eventually(() => client.text(1) === 'answer\n');
  log[Symbol.dispose]();
  assert.deepEqual(await client.outcome(), SUCCESS);
  assert.equal(input.ends, 1);
});

for (const [what, spec] of Object.entries({
  'an input for many clients': { name: 'app', stdin: true },
  'a terminal': { name: 'app', stdin: true, stdinOnce: true, tty: true },
})) {
  test(`a client that has sent everything to ${what} is let go, and the input stays`, async () => {
    await using endpoint = await startEndpoint();
    const input = new KeptInput();
    add(endpoint.node, { spec, streams: input.streams });
    const client = await attach(endpoint.node, 'input=1&output=1');
    client.send(0, 'typed\n');
    client.end(0);
    assert.deepEqual(await client.outcome(), SUCCESS);
    assert.deepEqual([input.text, input.ends], ['typed\n', 0]);
  });
}

test('the one client that was lost ends the input a moment later', async () => {
  await using endpoint = await startEndpoint();
  const input = new KeptInput();
  add(endpoint.node, { spec: { name: 'app', stdin: true, stdinOnce: true }, streams: input.streams });
  const client = await attach(endpoint.node, 'input=1&output=1');
  client.send(0, 'half a li');
  await eventually(() => input.text === 'half a li');
  client.socket.terminate();
  await eventually(() => input.ends === 1);
});

test('what is sent to a container without an input, or to one that takes nothing more, is dropped', async () => {
  await using endpoint = await startEndpoint();
  for (const spec of [{ name: 'app' }, { name: 'app', stdin: true, stdinOnce: true }]) {
    const log = add(endpoint.node, { spec });
    const client = await attach(endpoint.node, 'input=1&output=1');
    for (let count = 0; count < 20; count += 1) client.send(0, 'x'.repeat(100_000));
    print(log, 'stdout: still here');
    await eventually(() => client.text(1) === 'still here\n');
    log[Symbol.dispose]();
    assert.deepEqual(await client.outcome(), SUCCESS);
  }
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
