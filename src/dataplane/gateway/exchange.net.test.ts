/** A request's life: slots and queues, waiting for pods, timeouts, retries, clients and applications that leave. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { eventually } from '#testing/eventually.ts';
import { endpoint, oneApp, startTestGateway } from '#dataplane/fixtures/harness.ts';
import { answering, exchangeRaw, parseAnswer, rawClient, rawServer } from '#dataplane/fixtures/raw.ts';

const GET = 'GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const waitingFor = (messages: readonly { readonly type: string }[]) =>
  messages.filter(({ type }) => type === 'waiting').length;

async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// ── waiting for a pod ────────────────────────────────────────────────────────────────────────────────────────────

test('a request without a pod asks for one at once, waits, and is served when it is there', async () => {
  await using app = await rawServer(answering(OK));
  await using gateway = await startTestGateway({ table: oneApp([]) });
  using client = await rawClient(gateway.http);
  client.send(GET.replace('\r\n\r\n', '\r\nPinnace-Timing: on\r\n\r\n'));
  await eventually(() => waitingFor(gateway.messages) === 1);
  const seen = systemClock.now();
  const started = { podCreated: seen, assigned: seen, sandboxReady: seen, runtimeStarted: seen, listening: seen };
  gateway.use(oneApp([endpoint(app.port, { started })]));
  const answer = parseAnswer(await client.until((text) => text.endsWith('ok')));
  const timing = answer.fields.find((field) => field.startsWith('Server-Timing: ')) ?? '';
  assert.match(timing, /decide;desc="[^"]+";dur=[\d.]+, .*publish;.*answer;desc="[^"]+";dur=[\d.]+$/);
  const told = gateway.messages.find(({ type }) => type === 'coldstart');
  assert.ok(told?.type === 'coldstart');
  assert.equal(told.pod, `default/pod-${app.port}`);
  assert.ok(told.steps.length >= 3 && told.totalMs > 0);
});

test('a request that was not cold has no timing to tell', async () => {
  await using app = await rawServer(answering(OK));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(GET.replace('\r\n\r\n', '\r\nPinnace-Timing: on\r\n\r\n'));
  assert.doesNotMatch(await client.until((text) => text.endsWith('ok')), /Server-Timing/);
});

test('a body that came ahead waits with its request, within bounds', async () => {
  await using app = await rawServer((socket, sofar) => {
    if (sofar.endsWith('end')) socket.write(OK);
  });
  await using gateway = await startTestGateway({ table: oneApp([]) });
  using client = await rawClient(gateway.http);
  const size = 8 * 1024 * 1024;
  client.send(`POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: ${size + 3}\r\n\r\n`);
  client.send('x'.repeat(size));
  client.send('end');
  await eventually(() => waitingFor(gateway.messages) === 1);
  await eventually(() => client.socket.writableLength > 1024 * 1024, { what: 'the client to be held back' });
  gateway.use(oneApp([endpoint(app.port)]));
  await client.until((text) => text.endsWith('ok'));
  assert.equal((app.received[0] ?? '').split('\r\n\r\n')[1]?.length, size + 3);
});

test('a client that leaves while it waits is forgotten; the application never sees it', async () => {
  await using app = await rawServer(answering(OK));
  await using gateway = await startTestGateway({ table: oneApp([]) });
  const client = await rawClient(gateway.http);
  client.send(GET);
  await eventually(() => gateway.ledger.queued(0) === 1);
  client[Symbol.dispose]();
  await eventually(() => gateway.ledger.queued(0) === 0);
  gateway.use(oneApp([endpoint(app.port)]));
  using other = await rawClient(gateway.http);
  other.send(GET);
  await other.until((text) => text.endsWith('ok'));
  assert.equal(app.received.length, 1);
});

// ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────

test('containerConcurrency 1: one at a time, the others in order, 503 beyond the queue', async () => {
  const order: number[] = [];
  const waiting: net.Socket[] = [];
  await using app = await rawServer((socket, sofar) => {
    order.push(Number(/GET \/(\d+)/.exec(sofar.slice(sofar.lastIndexOf('GET')))?.[1]));
    waiting.push(socket);
  });
  const table = oneApp([endpoint(app.port)], { containerConcurrency: 1, queueLimit: 10 });
  await using gateway = await startTestGateway({ table });
  const clients = [];
  for (let i = 0; i < 15; i += 1) {
    const client = await rawClient(gateway.http);
    client.send(`GET /${i} HTTP/1.1\r\nHost: app.example.com\r\n\r\n`);
    clients.push(client);
    await eventually(() => (i === 0 ? waiting.length === 1 : i > 10 || gateway.ledger.queued(0) === i));
  }
  const refused = await Promise.all(clients.slice(11).map((client) => client.until((text) => text.endsWith('full\n'))));
  assert.match(refused[0] ?? '', /^HTTP\/1\.1 503 Service Unavailable\r\n/);
  assert.match(refused[0] ?? '', /\r\nRetry-After: 1\r\n[^]*\r\n\r\npending request queue full\n$/);
  for (let i = 0; i < 11; i += 1) {
    await eventually(() => waiting.length === i + 1);
    assert.equal(gateway.ledger.inFlight(0), 1);
    waiting[i]?.write(OK);
  }
  await Promise.all(clients.slice(0, 11).map((client) => client.until((text) => text.endsWith('ok'))));
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const client of clients) client[Symbol.dispose]();
});

test('the pod with the fewest requests is chosen', async () => {
  await using one = await rawServer(() => {});
  await using two = await rawServer(() => {});
  await using gateway = await startTestGateway({ table: oneApp([endpoint(one.port), endpoint(two.port)]) });
  const clients = [];
  for (let i = 0; i < 6; i += 1) {
    const client = await rawClient(gateway.http);
    client.send(GET);
    clients.push(client);
    await eventually(() => one.received.length + two.received.length === i + 1);
  }
  assert.deepEqual([one.received.length, two.received.length], [3, 3]);
  for (const client of clients) client[Symbol.dispose]();
});

test('a draining pod gets no new request, and ends the one that it has', async () => {
  await using old = await rawServer(() => {});
  await using young = await rawServer(answering(OK));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(old.port)]) });
  using first = await rawClient(gateway.http);
  first.send(GET);
  await eventually(() => old.received.length === 1);
  gateway.use(oneApp([endpoint(old.port, { state: 'draining' }), endpoint(young.port)]));
  using second = await rawClient(gateway.http);
  second.send(GET);
  await second.until((text) => text.endsWith('ok'));
  old.sockets[0]?.write(OK);
  await first.until((text) => text.endsWith('ok'));
  assert.equal(old.received.length, 1);
});

// ── timeouts ─────────────────────────────────────────────────────────────────────────────────────────────────────

const TIMEOUTS = [
  ['timeoutSeconds', { timeoutMs: 100 }],
  ['responseStartTimeoutSeconds', { timeoutMs: 10_000, responseStartTimeoutMs: 100 }],
  ['idleTimeoutSeconds', { timeoutMs: 10_000, idleTimeoutMs: 100 }],
] as const;

for (const [name, limits] of TIMEOUTS) {
  test(`${name} before the first byte: 504, and the application’s connection is closed`, async () => {
    await using app = await rawServer(() => {});
    await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)], limits) });
    using client = await rawClient(gateway.http);
    const begun = systemClock.monotonicMs();
    client.send(GET);
    const answer = parseAnswer(await client.until((text) => text.endsWith('timeout')));
    const tookMs = systemClock.monotonicMs() - begun;
    assert.ok(tookMs >= 95 && tookMs < 1_000, `after ${tookMs} ms`);
    assert.equal(answer.line, 'HTTP/1.1 504 Gateway Timeout');
    assert.equal(answer.body, 'activator request timeout');
    assert.ok(answer.fields.includes('Content-Type: text/plain; charset=utf-8'));
    assert.ok(!answer.fields.some((field) => field.startsWith('X-Content-Type') || field.startsWith('Connection')));
    await eventually(() => app.sockets[0]?.readableEnded || app.sockets[0]?.destroyed);
  });
}

test('waiting for a pod counts against timeoutSeconds', async () => {
  await using gateway = await startTestGateway({ table: oneApp([], { timeoutMs: 100 }) });
  using client = await rawClient(gateway.http);
  client.send(GET);
  assert.equal(parseAnswer(await client.until((text) => text.endsWith('timeout'))).body, 'activator request timeout');
  assert.equal(gateway.ledger.queued(0), 0);
});

test('timeoutSeconds does nothing once the answer has begun', async () => {
  await using app = await rawServer((socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'));
  const limits = { timeoutMs: 60, responseStartTimeoutMs: 60 };
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)], limits) });
  using client = await rawClient(gateway.http);
  client.send(GET);
  await client.until((text) => text.includes('\r\n\r\n'));
  for (let i = 0; i < 4; i += 1) {
    await systemClock.sleep(40, new AbortController().signal);
    app.sockets[0]?.write('1\r\nx\r\n');
  }
  app.sockets[0]?.write('0\r\n\r\n');
  await client.until((text) => text.endsWith('0\r\n\r\n'));
});

test('idleTimeoutSeconds amid an answer: each write begins the period anew; silence cuts it', async () => {
  await using app = await rawServer((socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)], { idleTimeoutMs: 150 }) });
  using client = await rawClient(gateway.http);
  client.send(GET);
  await client.until((text) => text.includes('\r\n\r\n'));
  for (let i = 0; i < 4; i += 1) {
    await systemClock.sleep(75, new AbortController().signal);
    assert.equal(client.ended(), false);
    app.sockets[0]?.write('1\r\nx\r\n');
  }
  const text = await client.all();
  assert.ok(!text.endsWith('0\r\n\r\n'), 'the client can tell that it is not whole');
  assert.doesNotMatch(text, /timeout/);
});

test('a slow upload hears of the timeout at once, and nothing of it is waited for', async () => {
  await using app = await rawServer(() => {});
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)], { timeoutMs: 100 }) });
  using client = await rawClient(gateway.http);
  client.send('POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 5\r\n\r\na');
  const answer = parseAnswer(await client.all());
  assert.equal(answer.line, 'HTTP/1.1 504 Gateway Timeout');
  assert.ok(answer.fields.includes('Connection: close'));
});

// ── retries ──────────────────────────────────────────────────────────────────────────────────────────────────────

test('a reused connection that closes unanswered: the request is sent again, once, on a new one', async () => {
  let served = 0;
  await using app = await rawServer((socket) => {
    served += 1;
    // The second request on a connection finds it closing.
    if (served === 2) socket.end();
    else socket.write(OK);
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(GET);
  await client.until((text) => text.endsWith('ok'));
  client.send('POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 4\r\n\r\nbody');
  await client.until((text) => text.split('200 OK').length === 3);
  assert.equal(app.received.length, 2);
  assert.ok((app.received[0] ?? '').endsWith('body'));
  assert.ok((app.received[1] ?? '').endsWith('body'), 'with its body');
});

test('a new connection that closes unanswered is no licence: 502, and the request was sent once', async () => {
  await using app = await rawServer((socket) => socket.end());
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  await exchangeRaw(gateway.http, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  assert.equal(app.received.length, 1);
});

test('a reused connection that closes amid its answer is no licence either', async () => {
  let served = 0;
  await using app = await rawServer((socket) => {
    served += 1;
    if (served === 2) socket.end('HTTP/1.1 200 OK\r\nContent-');
    else socket.write(OK);
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(GET);
  await client.until((text) => text.endsWith('ok'));
  client.send(GET);
  await client.until((text) => text.includes('502'));
  assert.equal(app.received.length, 1);
});

test('a pod that refuses: another one serves at once', async () => {
  const closed = await closedPort();
  await using app = await rawServer(answering(OK));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(closed), endpoint(app.port)]) });
  for (let i = 0; i < 4; i += 1) {
    using client = await rawClient(gateway.http);
    client.send(GET);
    await client.until((text) => text.endsWith('ok'));
  }
  assert.equal(gateway.ledger.inFlight(0) + gateway.ledger.inFlight(1), 0);
});

test('a pod that refuses and is gone from the table a moment later: its request waits for the next pod', async () => {
  const closed = await closedPort();
  await using app = await rawServer(answering(OK));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(closed)]) });
  using client = await rawClient(gateway.http);
  client.send(GET);
  await eventually(() => gateway.worker.running === 1);
  gateway.use(oneApp([]));
  await eventually(() => gateway.ledger.queued(0) === 1);
  gateway.use(oneApp([endpoint(app.port)]));
  await client.until((text) => text.endsWith('ok'));
});

test('an application that listens on its loopback only is reached through its namespace', async () => {
  await using gateway = await startTestGateway({
    table: oneApp([endpoint(8080, { loopbackNetns: '/run/netns/x' })]),
    connectInNetns: (netns, port) =>
      Promise.reject(Object.assign(new Error(`${netns}:${port}`), { code: 'ECONNREFUSED' })),
  });
  const text = await exchangeRaw(gateway.http, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  assert.equal(parseAnswer(text).body, 'dial tcp 127.0.0.1:8080: connect: connection refused\n');
});

// ── who leaves ───────────────────────────────────────────────────────────────────────────────────────────────────

test('a client that leaves while it is served: the application’s connection is closed, its slot is free', async () => {
  await using app = await rawServer(() => {});
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)], { containerConcurrency: 1 }) });
  const client = await rawClient(gateway.http);
  client.send(GET);
  await eventually(() => app.received.length === 1);
  client[Symbol.dispose]();
  await eventually(() => app.sockets[0]?.readableEnded || app.sockets[0]?.destroyed);
  await eventually(() => gateway.ledger.inFlight(0) === 0);
});

test('a client that leaves amid its upload, and one amid its download', async () => {
  await using app = await rawServer((socket, sofar) => {
    if (sofar.startsWith('GET')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  const upload = await rawClient(gateway.http);
  upload.send('POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 100\r\n\r\nhalf');
  await eventually(() => app.received[0]?.endsWith('half'));
  upload[Symbol.dispose]();
  const download = await rawClient(gateway.http);
  download.send(GET);
  await download.until((text) => text.endsWith('half'));
  download[Symbol.dispose]();
  await eventually(() => app.sockets.length === 2 && app.sockets.every((one) => one.destroyed || one.readableEnded));
  await eventually(() => gateway.worker.running === 0);
});

test('a client that ends its side after a request that closes is answered', async () => {
  await using app = await rawServer((socket) => systemClock.after(30, () => socket.write(OK)));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  client.socket.end();
  assert.ok((await client.all()).endsWith('ok'));
});

test('an early answer passes while the client still sends, and the connection stays in step', async () => {
  await using app = await rawServer((socket, sofar, index) => {
    if (index === 0 && sofar.endsWith('first')) socket.write(OK);
    if (index === 1) socket.write(OK);
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send('POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 10\r\n\r\nfirst');
  await client.until((text) => text.endsWith('ok'));
  client.send(`after${GET}`);
  await client.until((text) => text.split('200 OK').length === 3);
});

test('Expect: 100-continue: the application’s word passes, the body follows', async () => {
  await using app = await rawServer((socket, sofar) => {
    if (sofar.endsWith('body')) socket.write(OK);
    else if (sofar.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send('POST / HTTP/1.1\r\nHost: app.example.com\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
  assert.equal(await client.until((text) => text.endsWith('\r\n\r\n')), 'HTTP/1.1 100 Continue\r\n\r\n');
  client.send('body');
  await client.until((text) => text.endsWith('ok'));
  assert.match(app.received[0] ?? '', /\r\nExpect: 100-continue\r\n/);
});

test('a chunked upload goes on in chunks, with its trailers', async () => {
  await using app = await rawServer((socket, sofar) => {
    if (sofar.endsWith('X-T: 1\r\n\r\n')) socket.write(OK);
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send('POST / HTTP/1.1\r\nHost: app.example.com\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n');
  client.send('3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\nHost: evil\r\n\r\n');
  await client.until((text) => text.endsWith('ok'));
  const body = (app.received[0] ?? '').split('\r\n\r\n').slice(1).join('\r\n\r\n');
  assert.equal(body, '5\r\nabcde\r\n0\r\nX-T: 1\r\n\r\n');
  assert.match(app.received[0] ?? '', /\r\nTrailer: X-T\r\n/);
});
