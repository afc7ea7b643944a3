import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { frame, SpdyClient, words } from '#runtime/kubelet/fixtures/spdy-client.ts';
import { MAX_STREAMS, SpdyConnection } from '#runtime/kubelet/spdy/connection.ts';
import type { SpdyStream } from '#runtime/kubelet/spdy/stream.ts';
import { eventually } from '#testing/eventually.ts';
import { FakeClock } from '#testing/fake-clock.ts';

function connect(options: { accepts?: boolean } = {}) {
  const [near, far] = duplexPair({ highWaterMark: 64 * 1024 });
  const clock = new FakeClock();
  const streams: SpdyStream[] = [];
  const connection = new SpdyConnection({
    transport: near,
    clock,
    accepts: () => options.accepts ?? true,
    onStream: (stream) => streams.push(stream),
  });
  const ended = connection.run();
  return { connection, client: new SpdyClient(far), clock, streams, ended, near };
}

test('a stream carries bytes both ways and ends in halves', async () => {
  const { client, streams } = connect();
  await client.open(1, { streamtype: 'data', port: '80' });
  await client.until('syn-reply', 1);
  const [stream] = streams as [SpdyStream];
  assert.equal(stream.headers.get('port'), '80');
  client.data(1, 'ping ');
  client.data(1, 'pong', 1);
  let received = '';
  let hasEnded = false;
  stream.on('data', (chunk: Buffer) => (received += chunk.toString()));
  stream.on('end', () => (hasEnded = true));
  await eventually(() => hasEnded);
  assert.equal(received, 'ping pong');
  stream.write('answer');
  stream.end();
  await eventually(() => client.seen('data', 1).some(({ isFinal }) => isFinal));
  assert.equal(client.text(1), 'answer');
  assert.equal(client.seen('rst-stream').length, 0);
});

test('large writes are cut and whole', async () => {
  const { client, streams } = connect();
  await client.open(1, {});
  await client.until('syn-reply', 1);
  const big = Buffer.alloc(1_000_000, 'abc');
  streams[0]?.end(big);
  await eventually(() => client.seen('data', 1).some(({ isFinal }) => isFinal));
  assert.equal(client.text(1), big.toString());
  assert.ok(client.seen('data').every(({ payload }) => payload.length <= 32 * 1024));
});

test('a stream that is not wanted, or one too many, is reset', async () => {
  const refusing = connect({ accepts: false });
  await refusing.client.open(1, { streamtype: 'odd' });
  assert.deepEqual((await refusing.client.until('rst-stream', 1)).payload, words(1, 5));
  const { client, connection } = connect();
  for (let id = 1; id <= 2 * MAX_STREAMS + 1; id += 2) await client.open(id, {});
  assert.deepEqual((await client.until('rst-stream')).payload, words(2 * MAX_STREAMS + 1, 3));
  assert.equal(connection.streamCount, MAX_STREAMS);
});

test('what we abandon is reset, what the client resets is gone', async () => {
  const { client, streams, connection } = connect();
  await client.open(1, {});
  await client.open(3, {});
  await client.until('syn-reply', 3);
  streams[0]?.destroy();
  assert.deepEqual((await client.until('rst-stream', 1)).payload, words(1, 5));
  client.send(frame(3, 0, words(3, 5)));
  await eventually(() => streams[1]?.destroyed);
  assert.equal(connection.streamCount, 0);
  assert.equal(client.seen('rst-stream', 3).length, 0);
  // Sent before the client knew: no reason to end the connection.
  client.data(1, 'late');
  client.send(frame(6, 0, words(1)));
  await client.until('ping', 1);
});

test('pings of the client are answered, answers to ours are not', async () => {
  const { client } = connect();
  client.send(frame(6, 0, words(2)));
  client.send(frame(6, 0, words(5)));
  await client.until('ping', 5);
  assert.equal(client.seen('ping').length, 1);
});

test('a reader that is behind holds up the connection, which pings meanwhile', async () => {
  const { client, streams, clock, near } = connect();
  await client.open(1, {});
  await client.until('syn-reply', 1);
  const [stream] = streams as [SpdyStream];
  const sent = 40 * 64 * 1024;
  for (let count = 0; count < 40; count += 1) client.data(1, Buffer.alloc(64 * 1024));
  await eventually(() => stream.readableLength >= 64 * 1024);
  await clock.advance(5_000);
  await client.until('ping', 2);
  // One frame above its limit in the stream, the transport's own share below, the rest with the client.
  assert.ok(stream.readableLength + near.readableLength < 5 * 64 * 1024, `${stream.readableLength} are kept`);
  let received = 0;
  stream.on('data', (chunk: Buffer) => (received += chunk.length));
  await eventually(() => received === sent);
});

test('a client that does not fetch its answers is not read from', async () => {
  const { client, near } = connect();
  client.transport.pause();
  for (let count = 0; count < 50_000; count += 1) client.send(frame(6, 0, words(1)));
  await eventually(() => near.writableNeedDrain);
  assert.ok(near.writableLength < 1_000_000, `${near.writableLength} wait to be fetched`);
  client.transport.resume();
  await eventually(() => client.seen('ping').length === 50_000);
});

const broken: [name: string, attack: (client: SpdyClient) => Promise<void> | void][] = [
  ['garbage', (client) => client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'.repeat(10)))],
  ['an even stream', (client) => client.open(2, {})],
  [
    'a stream opened twice',
    async (client) => {
      await client.open(1, {});
      await client.open(1, {});
    },
  ],
  [
    'streams in the wrong order',
    async (client) => {
      await client.open(5, {});
      await client.open(3, {});
    },
  ],
  ['data for a stream that was never opened', (client) => client.data(9, 'x')],
  ['headers that are none', (client) => client.send(frame(1, 0, Buffer.alloc(40, 1)))],
];

for (const [name, attack] of broken) {
  test(`${name}: the client is told and cut off`, async () => {
    const { client, ended, streams } = connect();
    await attack(client);
    await ended;
    const { payload } = await client.until('go-away');
    assert.equal(payload.readUInt32BE(4), 1);
    await eventually(() => client.isClosed);
    assert.ok(streams.every(({ destroyed }) => destroyed));
  });
}

test('data behind the end of a stream resets that stream only', async () => {
  const { client, streams } = connect();
  await client.open(1, {}, 1);
  await client.open(3, {});
  client.data(1, 'more');
  assert.deepEqual((await client.until('rst-stream', 1)).payload, words(1, 9));
  assert.deepEqual(
    streams.map(({ destroyed }) => destroyed),
    [true, false],
  );
});

test('when the client goes away every stream goes with it', async () => {
  const { client, streams, ended } = connect();
  await client.open(1, {});
  await client.until('syn-reply', 1);
  client.transport.end();
  await ended;
  assert.ok(streams[0]?.destroyed);
});

test('a client that does not close is cut off', async () => {
  const { client, connection, clock, near } = connect();
  await client.open(1, {});
  await client.until('syn-reply', 1);
  connection.close();
  await client.until('go-away');
  assert.equal(near.destroyed, false);
  await clock.advance(5_000);
  assert.equal(near.destroyed, true);
});
