/** What the client is sent of an answer, and of failures (facts: observed, sections 2, 3 and 9). */
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { eventually } from '#testing/eventually.ts';
import { endpoint, oneApp, startTestGateway } from '#dataplane/fixtures/harness.ts';
import {
  answering,
  exchangeRaw,
  type OnRequest,
  parseAnswer,
  rawClient,
  rawServer,
  withoutDate,
} from '#dataplane/fixtures/raw.ts';
import { RESPONSES } from '#dataplane/fixtures/responses.ts';

const GET = 'GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n';
const GET_CLOSE = 'GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n';
const HEAD = 'HEAD / HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n';

/** The answer to one request on a connection that closes behind it. */
async function answerOf(app: OnRequest, request = GET_CLOSE) {
  await using server = await rawServer(app);
  await using gateway = await startTestGateway({ table: oneApp([endpoint(server.port)]) });
  return parseAnswer(await exchangeRaw(gateway.http, request));
}

const closing =
  (answer: string): OnRequest =>
  (socket, sofar) => {
    if (sofar.includes('\r\n\r\n')) socket.end(answer, 'latin1');
  };

const FIELDS: readonly (readonly [string, string, readonly string[], string])[] = [
  [
    'Date is added, nothing else',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    ['Content-Length: 2', 'Connection: close'],
    'ok',
  ],
  [
    'Server, Via, K- and Knative- fields pass',
    'HTTP/1.1 200 OK\r\nServer: x\r\nVia: y\r\nK-A: 1\r\nKnative-B: 2\r\nContent-Length: 0\r\n\r\n',
    ['Server: x', 'Via: y', 'K-A: 1', 'Knative-B: 2', 'Content-Length: 0', 'Connection: close'],
    '',
  ],
  [
    'hop-by-hop fields and what Connection lists vanish',
    'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Authenticate: x\r\nTE: x\r\nUpgrade: y\r\nTrailer: z\r\nContent-Length: 0\r\n\r\n',
    ['Content-Length: 0', 'Connection: close'],
    '',
  ],
  ['204 loses its length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', ['Connection: close'], ''],
  [
    '304 loses its length',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n',
    ['ETag: "x"', 'Connection: close'],
    '',
  ],
];

for (const [name, answer, fields, body] of FIELDS) {
  test(`answer: ${name}`, async () => {
    const got = await answerOf(answering(answer));
    assert.deepEqual(withoutDate(got.fields), fields);
    assert.equal(got.fields.filter((field) => field.startsWith('Date: ')).length, 1);
    assert.equal(got.body, body);
  });
}

test('an application’s own Date stays as it is', async () => {
  const got = await answerOf(answering('HTTP/1.1 200 OK\r\ndate: Mon\r\nContent-Length: 0\r\n\r\n'));
  assert.deepEqual(got.fields, ['date: Mon', 'Content-Length: 0', 'Connection: close']);
});

test('reason and unregistered status pass as they came', async () => {
  assert.equal(
    (await answerOf(answering('HTTP/1.1 299 So So\r\nContent-Length: 0\r\n\r\n'))).line,
    'HTTP/1.1 299 So So',
  );
  assert.equal((await answerOf(answering('HTTP/1.1 999 \r\nContent-Length: 0\r\n\r\n'))).line, 'HTTP/1.1 999 ');
});

test('a body until close becomes chunks', async () => {
  const got = await answerOf(closing('HTTP/1.1 200 OK\r\n\r\nhello'));
  assert.ok(got.fields.includes('Transfer-Encoding: chunked'));
  assert.equal(got.body, '5\r\nhello\r\n0\r\n\r\n');
});

test('chunks are made anew, without extensions, with trailers', async () => {
  const answer =
    'HTTP/1.1 200 OK\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\nContent-Length: 9\r\n\r\n';
  const got = await answerOf(answering(answer));
  assert.deepEqual(withoutDate(got.fields), ['Trailer: X-T', 'Transfer-Encoding: chunked', 'Connection: close']);
  assert.equal(got.body, '5\r\nabcde\r\n0\r\nX-T: 1\r\n\r\n');
});

test('HEAD keeps the length and has no body', async () => {
  const got = await answerOf(answering('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'), HEAD);
  assert.ok(got.fields.includes('Content-Length: 5'));
  assert.equal(got.body, '');
});

test('more than the length is cut there', async () => {
  const got = await answerOf(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n'));
  assert.equal(got.body, 'ok');
});

test('interim answers pass at once, the final one follows', async () => {
  await using app = await rawServer((socket) => socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(GET);
  assert.equal(
    await client.until((text) => text.includes('\r\n\r\n')),
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
  );
  app.sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  await client.until((text) => text.endsWith('ok'));
});

test('a client of HTTP/1.0 gets HTTP/1.0: no interim answers, no chunks, and its connection closed', async () => {
  const answer =
    'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
  const got = await answerOf(answering(answer), 'GET / HTTP/1.0\r\nHost: app.example.com\r\n\r\n');
  assert.equal(got.line, 'HTTP/1.0 200 OK');
  assert.deepEqual(withoutDate(got.fields), ['Connection: close']);
  assert.equal(got.body, 'hello');
});

test('a client of HTTP/1.0 may keep its connection', async () => {
  await using app = await rawServer(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  const request = 'GET / HTTP/1.0\r\nHost: app.example.com\r\nConnection: keep-alive\r\n\r\n';
  client.send(request);
  const first = parseAnswer(await client.until((text) => text.endsWith('ok')));
  assert.ok(first.fields.includes('Connection: keep-alive'));
  client.send(request);
  await client.until((text) => text.split('HTTP/1.0 200').length === 3);
});

test('Connection: close of the application does not close the client’s connection', async () => {
  await using app = await rawServer(closing('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(GET);
  await client.until((text) => text.endsWith('ok'));
  client.send(GET);
  const text = await client.until((text) => text.split('HTTP/1.1 200').length === 3);
  assert.doesNotMatch(text, /Connection/);
  assert.equal(app.received.length, 2);
});

test('pipelined requests are answered in order', async () => {
  await using app = await rawServer(
    answering((request) => `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${request.split(' ')[1]}`),
  );
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: app.example.com\r\n\r\n`).join(''));
  const text = await client.until((text) => text.includes('/3'));
  assert.deepEqual(text.match(/(?<=\r\n\r\n)\/\d/g), ['/1', '/2', '/3']);
});

// ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────

function assertBadGateway(got: ReturnType<typeof parseAnswer>, body: string | RegExp): void {
  assert.equal(got.line, 'HTTP/1.1 502 Bad Gateway');
  assert.ok(got.fields.includes('Content-Type: text/plain; charset=utf-8'));
  assert.ok(got.fields.includes('X-Content-Type-Options: nosniff'));
  if (typeof body === 'string') assert.equal(got.body, body);
  else assert.match(got.body, body);
}

test('an application that closes without an answer', async () => {
  assertBadGateway(await answerOf((socket) => socket.end()), 'EOF\n');
});

test('an application that resets', async () => {
  const got = await answerOf((socket) => socket.resetAndDestroy());
  assertBadGateway(got, /^read tcp 127\.0\.0\.1:\d+->127\.0\.0\.1:\d+: read: connection reset by peer\n$/);
});

test('an application that talks garbage', async () => {
  assertBadGateway(
    await answerOf(answering('hello world\r\n\r\n')),
    'net/http: HTTP/1.x transport connection broken: malformed HTTP status code "world"\n',
  );
});

test('an application that does not listen', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(port)]) });
  const got = parseAnswer(await exchangeRaw(gateway.http, GET_CLOSE));
  assertBadGateway(got, `dial tcp 127.0.0.1:${port}: connect: connection refused\n`);
});

test('an error leaves the client’s connection open', async () => {
  await using app = await rawServer((socket) => socket.end());
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(GET + GET);
  const text = await client.until((text) => text.split('EOF').length === 3);
  assert.doesNotMatch(text, /Connection/);
});

test('an application that dies amid its chunks: the client sees the answer break off', async () => {
  const got = await answerOf(closing('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nab'));
  assert.equal(got.line, 'HTTP/1.1 200 OK');
  assert.doesNotMatch(got.body, /\r\n0\r\n/);
});

test('an application that dies amid its length: the client gets less than was said', async () => {
  const got = await answerOf(closing('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello'));
  assert.equal(got.body, 'hello');
});

for (const one of RESPONSES.filter(({ refuse, take }) => refuse !== undefined && take?.toHead !== true)) {
  test(`broken answer: ${one.name} (${one.source})`, async () => {
    await using app = await rawServer((socket) => socket.write(one.raw, 'latin1'));
    await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
    const got = parseAnswer(await exchangeRaw(gateway.http, GET_CLOSE));
    assertBadGateway(got, /./);
    assert.ok(got.body.includes(one.refuse ?? ''), got.body);
    await eventually(() => app.sockets.every((socket) => socket.destroyed || socket.readableEnded));
  });
}

const BROKEN_CHUNKS: readonly (readonly [string, string])[] = [
  ['size of letters', 'xyz\r\nabc\r\n0\r\n\r\n'],
  ['empty size', '\r\nabc\r\n0\r\n\r\n'],
  ['negative size', '-3\r\nabc\r\n0\r\n\r\n'],
  ['size with 0x', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['size with an underscore', '1_0\r\nabc\r\n0\r\n\r\n'],
  ['size beyond 2^48', 'fffffffffffff\r\nabc\r\n0\r\n\r\n'],
  ['size and a stray space', '3 \r\nabc\r\n0\r\n\r\n'],
  ['bare LF behind the size', '3\nabc\r\n0\r\n\r\n'],
  ['bare CR behind the size', '3\rabc\r\n0\r\n\r\n'],
  ['data longer than its size', '3\r\nabcd\r\n0\r\n\r\n'],
  ['data without its line end', '3\r\nabc0\r\n\r\n'],
  ['bare LF behind the data', '3\r\nabc\n0\r\n\r\n'],
  ['control character in an extension', '3;a=\x00\r\nabc\r\n0\r\n\r\n'],
  ['endless extension', `3;${'a'.repeat(2000)}\r\nabc\r\n0\r\n\r\n`],
  ['malformed trailer', '3\r\nabc\r\n0\r\nX T: 1\r\n\r\n'],
  ['folded trailer', '3\r\nabc\r\n0\r\nX-T: 1\r\n 2\r\n\r\n'],
  ['oversized trailer', `3\r\nabc\r\n0\r\nX-T: ${'a'.repeat(20_000)}\r\n\r\n`],
];

for (const [name, chunks] of BROKEN_CHUNKS) {
  test(`broken chunks of an answer: ${name} (RFC 9112 7.1)`, async () => {
    const got = await answerOf(answering(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`));
    assert.equal(got.line, 'HTTP/1.1 200 OK');
    assert.ok(!got.body.endsWith('0\r\n\r\n'), 'the answer is not completed');
  });

  test(`broken chunks of a request: ${name} (RFC 9112 7.1)`, async () => {
    await using app = await rawServer(() => {});
    await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
    using client = await rawClient(gateway.http);
    client.send(`POST / HTTP/1.1\r\nHost: app.example.com\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
    const got = parseAnswer(await client.all());
    assert.match(got.line, /^HTTP\/1\.1 4(00|31) /);
    await eventually(() => app.sockets.every((socket) => socket.destroyed || socket.readableEnded));
    assert.ok(!(app.received[0] ?? '').endsWith('0\r\n\r\n'), 'the application sees no complete body');
  });
}
