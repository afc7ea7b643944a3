import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import {
  ChannelClient,
  type Endpoint,
  request,
  SPDY_HEADERS,
  startEndpoint,
  upgradeToSpdy,
} from '#runtime/kubelet/fixtures/endpoint-client.ts';
import { SpdyClient } from '#runtime/kubelet/fixtures/spdy-client.ts';
import { eventually } from '#testing/eventually.ts';

async function start(): Promise<Endpoint> {
  const endpoint = await startEndpoint();
  const waiting = { spec: { name: 'waiting' }, life: { type: 'waiting', reason: 'ContainerCreating' } } as const;
  endpoint.node.add({ name: 'talk', containers: [{ spec: { name: 'app' } }, waiting] });
  return endpoint;
}

interface Wish {
  readonly command: readonly string[];
  readonly streams?: string;
  readonly container?: string;
  readonly pod?: string;
}

function pathOf({ command, streams = 'output=1&error=1', container = 'app', pod = 'talk' }: Wish): string {
  const words = command.map((word) => `command=${encodeURIComponent(word)}`);
  return `/exec/default/${pod}/${container}?${[...words, streams].join('&')}`;
}

const SUCCESS = { metadata: {}, status: 'Success' };

async function open({ node }: Endpoint, wish: Wish, protocol = 'v5.channel.k8s.io'): Promise<ChannelClient> {
  return new ChannelClient(node.socketPath, pathOf(wish), protocol === '' ? [] : [protocol]).opened();
}

for (const protocol of ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io']) {
  test(`${protocol}: output, errors and the exit code come on channels of their own`, async () => {
    await using endpoint = await start();
    const client = await open(endpoint, { command: ['sh', '-c', 'echo out; echo err >&2; exit 3'] }, protocol);
    const outcome = (await client.outcome()) as { reason: string; details: { causes: unknown[] } };
    assert.deepEqual([client.text(1), client.text(2)], ['out\n', 'err\n']);
    assert.equal(outcome.reason, 'NonZeroExitCode');
    assert.deepEqual(outcome.details.causes, [{ reason: 'ExitCode', message: '3' }]);
    assert.equal(client.closeCode, 1000);
    const stands = { channel: 1, data: Buffer.alloc(0) };
    const check = protocol === 'v5.channel.k8s.io' ? assert.notDeepEqual : assert.deepEqual;
    check(client.messages[0], stands, 'old clients are told that the connection stands');
  });
}

for (const protocol of ['channel.k8s.io', 'base64.channel.k8s.io', '']) {
  test(`${protocol || 'no protocol'}: the oldest form says errors in words, and nothing of success`, async () => {
    await using endpoint = await start();
    const good = await open(endpoint, { command: ['echo', 'hi'] }, protocol);
    assert.equal(await good.outcome(), '');
    assert.equal(good.text(1), 'hi\n');
    const bad = await open(endpoint, { command: ['sh', '-c', 'exit 4'] }, protocol);
    assert.match(String(await bad.outcome()), /exit code 4$/);
  });
}

test('the end of the input is passed on', async () => {
  await using endpoint = await start();
  const client = await open(endpoint, { command: ['wc', '-c'], streams: 'input=1&output=1' });
  client.send(0, 'x'.repeat(100_000));
  client.send(0, 'yz');
  client.end(0);
  assert.deepEqual(await client.outcome(), SUCCESS);
  assert.equal(client.text(1).trim(), '100002');
});

test('a command that does not read its input does not mind it', async () => {
  await using endpoint = await start();
  const client = await open(endpoint, { command: ['sh', '-c', 'exec <&-; echo done'], streams: 'input=1&output=1' });
  for (let count = 0; count < 50; count += 1) client.send(0, 'x'.repeat(100_000));
  assert.deepEqual(await client.outcome(), SUCCESS);
  assert.equal(client.text(1), 'done\n');
});

test('a command that is behind makes the client wait, and goes on where it was', async () => {
  await using endpoint = await start();
  const mark = path.join(endpoint.node.folder, 'go');
  const slow = ['sh', '-c', `until [ -e ${mark} ]; do sleep 0.05; done; wc -c`];
  const client = await open(endpoint, { command: slow, streams: 'input=1&output=1' });
  const total = 30_000_000;
  for (let sent = 0; sent < total; sent += 1_000_000) client.send(0, Buffer.alloc(1_000_000));
  client.end(0);
  const waiting = await settled(() => client.socket.bufferedAmount);
  assert.ok(waiting > total * 0.8, `of ${total} bytes only ${waiting} wait with the client`);
  writeFileSync(mark, '');
  assert.deepEqual(await client.outcome(), SUCCESS);
  assert.equal(client.text(1).trim(), String(total));
});

test('a client that is behind makes the command wait', async () => {
  await using endpoint = await start();
  const client = await open(endpoint, { command: ['head', '-c', '20000000', '/dev/zero'] });
  client.socket.pause();
  const pid = endpoint.node.driver.children[0]?.pid ?? 0;
  const written = await settled(() => bytesWritten(pid));
  assert.ok(written > 0 && written < 4_000_000, `${written} bytes were written`);
  client.socket.resume();
  assert.deepEqual(await client.outcome(), SUCCESS);
  assert.equal(client.text(1).length, 20_000_000);
});

/** A number once it no longer changes. */
async function settled(read: () => number): Promise<number> {
  let [last, rounds] = [read(), 0];
  await eventually(() => {
    const now = read();
    rounds = now === last ? rounds + 1 : 0;
    last = now;
    return rounds > 40;
  });
  return last;
}

function bytesWritten(pid: number): number {
  return Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

test('a terminal has one output, a size, and changes it', async () => {
  await using endpoint = await start();
  const script = 'stty size; trap "stty size; exit" WINCH; echo ready >&2; while :; do sleep 0.05; done';
  const wish = { command: ['sh', '-c', script], streams: 'input=1&output=1&error=1&tty=1' };
  const client = await open(endpoint, wish);
  await eventually(() => client.text(1).includes('ready'));
  client.send(4, '{"Width":120,"Height":40}\n');
  assert.deepEqual(await client.outcome(), SUCCESS);
  assert.match(client.text(1), /40 120\r\n$/);
  assert.equal(client.text(2), '');
});

test('what is typed at a terminal echoes, and control-C interrupts', async () => {
  await using endpoint = await start();
  const wish = { command: ['cat'], streams: 'input=1&output=1&tty=1' };
  const client = await open(endpoint, wish);
  client.send(0, 'typed\r');
  await eventually(() => client.text(1) === 'typed\r\ntyped\r\n');
  client.send(0, '\u0003');
  const outcome = (await client.outcome()) as { details: { causes: { message: string }[] } };
  assert.equal(outcome.details.causes[0]?.message, '130');
});

test('a terminal whose program does not read holds up its own client, not the endpoint', async () => {
  await using endpoint = await start();
  const wish = {
    command: ['sh', '-c', 'stty raw -echo; echo ready; exec sleep 60'],
    streams: 'input=1&output=1&tty=1',
  };
  const client = await open(endpoint, wish);
  await eventually(() => client.text(1).includes('ready'));
  for (let count = 0; count < 20; count += 1) client.send(0, 'x'.repeat(50_000));
  assert.equal((await request(endpoint.node.socketPath, '/healthz')).text, 'ok');
  client.socket.terminate();
  const [child] = endpoint.node.driver.children;
  await eventually(() => child?.exitCode !== null || child.signalCode !== null);
});

for (const streams of ['output=1', 'input=1&output=1', 'input=1&output=1&tty=1']) {
  test(`when the client goes away the command ends: ${streams}`, async () => {
    await using endpoint = await start();
    const client = await open(endpoint, { command: ['sh', '-c', 'echo begun; exec sleep 60'], streams });
    await eventually(() => client.text(1).includes('begun'));
    client.socket.terminate();
    const [child] = endpoint.node.driver.children;
    await eventually(() => child?.exitCode !== null || child.signalCode !== null);
  });
}

test('a command that ignores the hang-up is killed', async () => {
  await using endpoint = await start();
  const client = await open(endpoint, {
    command: ['sh', '-c', 'trap "" HUP; echo begun; while :; do sleep 0.1; done'],
  });
  await eventually(() => client.text(1).includes('begun'));
  client.socket.terminate();
  const [child] = endpoint.node.driver.children;
  await eventually(() => child?.signalCode === 'SIGKILL');
});

const wrapped = (message: string) => `Internal error occurred: unable to upgrade connection: ${message}`;

const refused: [name: string, wish: Partial<Wish>, code: number, text: string][] = [
  ['a pod that is not here', { pod: 'none' }, 404, 'pod does not exist'],
  ['a container that is not here', { container: 'none' }, 500, 'container not found ("none")'],
  ['a container that does not run', { container: 'waiting' }, 500, 'container not found ("waiting")'],
  ['no stream at all', { streams: '' }, 400, 'you must specify at least 1 of stdin, stdout, stderr'],
];

for (const [name, wish, code, text] of refused) {
  test(`exec refused for ${name}: an answer, or with version 5 an outcome`, async () => {
    await using endpoint = await start();
    const { socketPath } = endpoint.node;
    const url = pathOf({ command: ['true'], ...wish });
    const headers = { ...SPDY_HEADERS, 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' };
    const answer = await request(socketPath, url, { method: 'POST', headers });
    assert.deepEqual([answer.code, answer.text], [code, text]);
    const client = await new ChannelClient(socketPath, url).opened();
    assert.equal(((await client.outcome()) as { message: string }).message, wrapped(text));
    await assert.rejects(new ChannelClient(socketPath, url, ['v4.channel.k8s.io']).opened(), new RegExp(`${code}`));
  });
}

test('what the runtime says about a command that it could not start is told as an error, not printed', async () => {
  await using endpoint = await start();
  for (const streams of ['output=1&error=1', 'output=1&tty=1']) {
    const client = await open(endpoint, { command: ['/none'], streams });
    const { message } = (await client.outcome()) as { message: string };
    assert.match(
      message,
      /^Internal error occurred: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "[0-9a-f]{64}": OCI runtime exec failed: exec failed: unable to start container process: exec: "\/none": stat \/none: no such file or directory: unknown$/,
    );
    assert.equal(client.text(1) + client.text(2), '');
  }
});

test('a command that the system refuses is an error', async () => {
  await using endpoint = await start();
  const client = await open(endpoint, { command: ['no-such-program'] });
  assert.match(((await client.outcome()) as { message: string }).message, /failed to start exec "\w+": spawn no-such/);
  const nul = await open(endpoint, { command: ['echo', 'a\0b'] });
  assert.match(((await nul.outcome()) as { message: string }).message, /null bytes/);
});

test('over SPDY: streams, half-close, exit code', async () => {
  await using endpoint = await start();
  const url = pathOf({ command: ['sh', '-c', 'cat; echo err >&2; exit 5'], streams: 'input=1&output=1&error=1' });
  const client = new SpdyClient(
    await upgradeToSpdy(endpoint.node.socketPath, url, 'v4.channel.k8s.io, v3.channel.k8s.io'),
  );
  for (const [id, streamtype] of [
    [1, 'error'],
    [3, 'stdin'],
    [5, 'stdout'],
    [7, 'stderr'],
  ] as const) {
    await client.open(id, { streamtype });
  }
  client.data(3, 'through', 1);
  await client.until('go-away');
  assert.deepEqual([client.text(5), client.text(7)], ['through', 'err\n']);
  assert.equal((JSON.parse(client.text(1)) as { reason: string }).reason, 'NonZeroExitCode');
});

test('over SPDY: a client that leaves before it has opened its streams starts nothing', async () => {
  await using endpoint = await start();
  const url = pathOf({ command: ['echo', 'hi'] });
  const client = new SpdyClient(await upgradeToSpdy(endpoint.node.socketPath, url, 'v4.channel.k8s.io'));
  await client.open(1, { streamtype: 'error' });
  await client.until('syn-reply', 1);
  // Neither the same stream again nor one that was not asked for.
  await client.open(3, { streamtype: 'error' });
  await client.until('rst-stream', 3);
  await client.open(5, { streamtype: 'stdin' });
  await client.until('rst-stream', 5);
  client.transport.end();
  await eventually(() => client.isClosed);
  assert.equal(endpoint.node.driver.children.length, 0);
});

const wrongUpgrades: [name: string, headers: Record<string, string>, code: number][] = [
  ['no upgrade', {}, 400],
  ['to something else', { Connection: 'Upgrade', Upgrade: 'h2c' }, 400],
  ['SPDY without a protocol', SPDY_HEADERS, 400],
  ['SPDY with unknown protocols', { ...SPDY_HEADERS, 'X-Stream-Protocol-Version': 'v9.channel.k8s.io' }, 403],
  ['a WebSocket without a key', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }, 400],
  [
    'a WebSocket with an unknown protocol',
    {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol': 'v9.channel.k8s.io',
    },
    403,
  ],
];

for (const [name, headers, code] of wrongUpgrades) {
  test(`${name}: ${code}`, async () => {
    await using endpoint = await start();
    const answer = await request(endpoint.node.socketPath, pathOf({ command: ['true'] }), { headers });
    assert.equal(answer.code, code, answer.text);
  });
}

test('messages that make no sense do no harm', async () => {
  await using endpoint = await start();
  const client = await open(endpoint, { command: ['cat'], streams: 'input=1&output=1' });
  for (const message of [Buffer.alloc(0), Buffer.from([9, 1]), Buffer.from([1, 65]), Buffer.from([4, 0x7b])]) {
    client.socket.send(message);
  }
  client.send(0, 'still here');
  client.end(0);
  client.send(0, 'too late');
  assert.deepEqual(await client.outcome(), SUCCESS);
  assert.equal(client.text(1), 'still here');
});

test('a close of a channel that is malformed ends the connection and the command', async () => {
  await using endpoint = await start();
  const client = await open(endpoint, { command: ['sleep', '60'] });
  client.socket.send(Buffer.from([255]));
  await eventually(() => client.closeCode === 1002);
  const [child] = endpoint.node.driver.children;
  await eventually(() => child?.signalCode === 'SIGHUP');
});

test('a message that is too long ends the connection', async () => {
  await using endpoint = await start();
  const client = await open(endpoint, { command: ['cat'], streams: 'input=1&output=1' });
  client.send(0, Buffer.alloc(33 * 1024 * 1024));
  await eventually(() => client.closeCode !== undefined);
});

test('what is no HTTP is cut off', async () => {
  await using endpoint = await start();
  const socket = connect(endpoint.node.socketPath);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', () => {});
  socket.end('\0\0\0\0\r\n\r\n');
  await eventually(() => socket.destroyed);
  assert.match(text, /^HTTP\/1.1 400 /);
});
