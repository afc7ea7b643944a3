import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
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
import { TunnelClient } from '#runtime/kubelet/fixtures/tunnel-client.ts';
import { eventually } from '#testing/eventually.ts';

const PATH = '/portForward/default/web';

interface Forwarded extends AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly port: number;
  readonly accepted: Socket[];
}

/** A pod with a program that listens; what it does is `serve`. */
async function forwarded(serve: (socket: Socket) => void): Promise<Forwarded> {
  await using stack = new AsyncDisposableStack();
  const endpoint = stack.use(await startEndpoint());
  const accepted: Socket[] = [];
  const server: Server = net.createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.close();
    for (const socket of accepted) socket.destroy();
  });
  endpoint.node.add({ name: 'web', containers: [{ spec: { name: 'app' } }] });
  const owned = stack.move();
  const { port } = server.address() as AddressInfo;
  return { endpoint, port, accepted, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const echo = (socket: Socket) => void socket.pipe(socket);

const dial = async ({ endpoint }: Forwarded) =>
  new SpdyClient(await upgradeToSpdy(endpoint.node.socketPath, PATH, 'portforward.k8s.io'));

async function openPair(client: SpdyClient, port: number, first = 1): Promise<void> {
  const headers = { port: String(port), requestid: String(first) };
  await client.open(first, { streamtype: 'error', ...headers });
  client.data(first, '', 1);
  await client.open(first + 2, { streamtype: 'data', ...headers });
  await client.until('syn-reply', first + 2);
}

test('a connection goes through and ends in halves', async () => {
  await using pod = await forwarded(echo);
  const client = await dial(pod);
  await openPair(client, pod.port);
  client.data(3, 'there ');
  client.data(3, 'and back', 1);
  await eventually(() => client.seen('data', 1).some(({ isFinal }) => isFinal));
  assert.deepEqual([client.text(3), client.text(1)], ['there and back', '']);
  assert.equal(client.seen('rst-stream').length, 0);
});

test('an answer may come long after the question has ended', async () => {
  await using pod = await forwarded((socket) => {
    socket.on('data', () => {});
    socket.on('end', () => socket.end('the end was seen'));
  });
  const client = await dial(pod);
  await openPair(client, pod.port);
  client.data(3, 'question', 1);
  await eventually(() => client.text(3) === 'the end was seen');
});

test('many connections share one client', async () => {
  await using pod = await forwarded(echo);
  const client = await dial(pod);
  const firsts = Array.from({ length: 50 }, (_, index) => 1 + 4 * index);
  for (const first of firsts) await openPair(client, pod.port, first);
  for (const first of firsts) client.data(first + 2, `connection ${first}`, 1);
  for (const first of firsts) await eventually(() => client.text(first + 2) === `connection ${first}`);
  await eventually(() => pod.accepted.every(({ destroyed }) => destroyed));
});

test('a port where nothing listens is told on the error stream, and the others go on', async () => {
  await using pod = await forwarded(echo);
  const client = await dial(pod);
  await openPair(client, 1, 1);
  await client.until('rst-stream', 3);
  assert.equal(
    client.text(1),
    'error forwarding port 1 to pod uid-web, uid : failed to execute portforward in network namespace "host": ' +
      'failed to connect to localhost:1 inside namespace "host", IPv4: dial tcp4 127.0.0.1:1: connect: connection refused',
  );
  await openPair(client, pod.port, 5);
  client.data(7, 'fine', 1);
  await eventually(() => client.text(7) === 'fine');
});

test('a program that breaks a connection off breaks off that one only, without an error', async () => {
  await using pod = await forwarded((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const client = await dial(pod);
  await openPair(client, pod.port);
  client.data(3, 'x');
  await client.until('rst-stream', 3);
  await eventually(() => client.seen('data', 1).some(({ isFinal }) => isFinal));
  assert.deepEqual([client.text(1), client.isClosed], ['', false]);
});

test('when the client resets a connection, or leaves, the program sees it', async () => {
  await using pod = await forwarded(() => {});
  const client = await dial(pod);
  await openPair(client, pod.port, 1);
  await openPair(client, pod.port, 5);
  await eventually(() => pod.accepted.length === 2);
  for (const socket of pod.accepted) socket.resume();
  client.send(Buffer.from('80030003000000080000000300000005', 'hex'));
  await eventually(
    () => pod.accepted.filter(({ readableEnded, destroyed }) => readableEnded || destroyed).length === 1,
  );
  client.transport.destroy();
  await eventually(() => pod.accepted.every(({ readableEnded, destroyed }) => readableEnded || destroyed));
});

test('a pod that was replaced by another of its name is not the one', async () => {
  await using pod = await forwarded(echo);
  const client = await dial(pod);
  pod.endpoint.node.add({ name: 'web', uid: 'another', containers: [{ spec: { name: 'app' } }] });
  await openPair(client, pod.port);
  await client.until('rst-stream', 3);
  assert.match(client.text(1), /pod not found \("web_default"\)$/);
  assert.equal(pod.accepted.length, 0);
});

const unwanted: [name: string, headers: Record<string, string>][] = [
  ['no port', { streamtype: 'data' }],
  ['port 0', { streamtype: 'data', port: '0' }],
  ['a port beyond all', { streamtype: 'data', port: '65536' }],
  ['a port that is none', { streamtype: 'data', port: '0x50' }],
  ['no type', { port: '80' }],
  ['another type', { streamtype: 'stdin', port: '80' }],
];

for (const [name, headers] of unwanted) {
  test(`a stream with ${name} is reset`, async () => {
    await using pod = await forwarded(echo);
    const client = await dial(pod);
    await client.open(1, headers);
    await client.until('rst-stream', 1);
  });
}

test('a second stream of the same type is an error of its request', async () => {
  await using pod = await forwarded(echo);
  const client = await dial(pod);
  const headers = { streamtype: 'error', port: '80', requestid: '0' };
  await client.open(1, headers);
  await client.open(3, headers);
  await client.until('rst-stream', 3);
  assert.equal(client.text(1), 'error processing stream for request 0: error stream already assigned');
});

test('clients that name no request are understood', async () => {
  await using pod = await forwarded(echo);
  const client = await dial(pod);
  await client.open(1, { streamtype: 'error', port: String(pod.port) });
  await client.open(3, { streamtype: 'data', port: String(pod.port) });
  client.data(3, 'hi', 1);
  await eventually(() => client.text(3) === 'hi');
});

const TUNNEL = 'SPDY/3.1+portforward.k8s.io';

test('SPDY goes through a WebSocket, in messages of any size', async () => {
  await using pod = await forwarded(echo);
  const tunnel = await TunnelClient.open(pod.endpoint.node.socketPath, PATH, TUNNEL);
  assert.equal(tunnel.protocol, TUNNEL);
  const client = new SpdyClient(tunnel);
  await openPair(client, pod.port);
  client.data(3, 'byte by byte', 1);
  await eventually(() => client.text(3) === 'byte by byte');
  tunnel.sendText('text is no SPDY');
  await eventually(() => tunnel.closeCode === 1003);
  tunnel.destroy();
  await eventually(() => pod.accepted.every(({ destroyed }) => destroyed));
});

test('a slow client of a tunnel makes the program wait, and gets everything', async () => {
  let written = 0;
  await using pod = await forwarded((socket) => {
    const flood = () => {
      while (written < 50_000_000) {
        written += 1_000_000;
        if (socket.write(Buffer.alloc(1_000_000, 'x'))) continue;
        socket.once('drain', flood);
        return;
      }
      socket.end();
    };
    flood();
  });
  const tunnel = await TunnelClient.open(pod.endpoint.node.socketPath, PATH, TUNNEL);
  const client = new SpdyClient(tunnel);
  await openPair(client, pod.port);
  tunnel.pause();
  await eventually(() => pod.accepted[0]?.writableNeedDrain);
  assert.ok(written < 20_000_000, `${written} bytes went out to nobody`);
  tunnel.resume();
  await eventually(() => client.seen('data', 3).some(({ isFinal }) => isFinal), { timeoutMs: 30_000 });
  assert.equal(client.text(3).length, 50_000_000);
});

for (const protocol of ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io']) {
  test(`${protocol}: a channel per port, and one for its error`, async () => {
    await using pod = await forwarded(echo);
    const url = `${PATH}?port=${pod.port},1`;
    const client = await new ChannelClient(pod.endpoint.node.socketPath, url, [protocol]).opened();
    await eventually(() => client.text(3).includes('connection refused'));
    client.send(0, 'hello');
    await eventually(() => client.text(0).endsWith('hello'));
    const [number] = client.messages.filter(({ channel }) => channel === 0);
    assert.equal(number?.data.readUInt16LE(0), pod.port, 'the first message is the number of the port');
    client.socket.close();
    await eventually(() => pod.accepted.every(({ destroyed }) => destroyed));
  });
}

const refused: [name: string, path: string, headers: Record<string, string>, code: number, text: RegExp][] = [
  ['a pod that is not here', '/portForward/default/none', SPDY_HEADERS, 404, /^pod does not exist$/],
  ['a pod without a network', '/portForward/default/new', SPDY_HEADERS, 500, /^pod not found \("new_default"\)$/],
  ['no protocol', PATH, SPDY_HEADERS, 400, /X-Stream-Protocol-Version is required/],
  ['no upgrade', PATH, {}, 400, /Upgrade request required/],
];

for (const [name, path, headers, code, text] of refused) {
  test(`port-forward refused for ${name}`, async () => {
    await using pod = await forwarded(echo);
    pod.endpoint.node.add({ name: 'new', sandbox: undefined, containers: [] });
    const answer = await request(pod.endpoint.node.socketPath, path, { method: 'POST', headers });
    assert.equal(answer.code, code);
    assert.match(answer.text, text);
  });
}

for (const query of [
  '',
  '?port=',
  '?port=0',
  '?port=80,http',
  `?port=${Array.from({ length: 128 }, () => 80).join(',')}`,
]) {
  test(`channels for ${query.slice(0, 20) || 'no ports'} are refused`, async () => {
    await using pod = await forwarded(echo);
    const { socketPath } = pod.endpoint.node;
    await assert.rejects(new ChannelClient(socketPath, `${PATH}${query}`, ['v4.channel.k8s.io']).opened(), /400/);
  });
}
