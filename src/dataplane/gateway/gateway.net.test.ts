/** The whole gateway, with real threads: tables and acknowledgements, reports, exact limits and splits, deaths. */
import assert from 'node:assert/strict';
import http from 'node:http';
import type net from 'node:net';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { eventually } from '#testing/eventually.ts';
import { endpoint, oneApp, revision, route, target } from '#dataplane/fixtures/harness.ts';
import { answering, exchangeRaw, parseAnswer, rawClient, rawServer } from '#dataplane/fixtures/raw.ts';
import { startThreaded } from '#dataplane/fixtures/threaded-gateway.ts';

const HOST = 'app.example.com';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
const GET_CLOSE = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`;

function get(port: number, agent: http.Agent | false, path = '/'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path, agent, headers: { host: HOST } }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    request.on('error', reject);
  });
}

/** An application that counts how many requests it has at once. */
async function countingApp(holdMs: number) {
  const state = { running: 0, most: 0, served: 0 };
  const server = http.createServer((_, answer) => {
    state.running += 1;
    state.most = Math.max(state.most, state.running);
    systemClock.after(holdMs, () => {
      state.running -= 1;
      state.served += 1;
      answer.end('ok');
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    state,
    port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a table is served by all workers before it is acknowledged', async () => {
  await using app = await rawServer(answering(OK));
  await using threaded = await startThreaded();
  const { control } = threaded;
  await eventually(() => control.of('hello').length === 1);
  assert.deepEqual(control.of('hello')[0], { type: 'hello', pid: process.pid, epoch: '', version: 0 });
  control.use(oneApp([endpoint(app.port)]));
  await eventually(() => control.acknowledged === 1);
  for (let i = 0; i < 10; i += 1) assert.match(await exchangeRaw(threaded.http, GET_CLOSE), /ok$/);
  control.use({ routes: [], targets: [] });
  await eventually(() => control.acknowledged === 2);
  for (let i = 0; i < 10; i += 1) assert.match(await exchangeRaw(threaded.http, GET_CLOSE), / 404 /);
});

test('an update changes what it names; one that does not follow is answered by asking for the whole', async () => {
  await using app = await rawServer(answering(OK));
  await using threaded = await startThreaded();
  const { control } = threaded;
  control.use(oneApp([]));
  await eventually(() => control.acknowledged === 1);
  const update = {
    epoch: 'first',
    fromVersion: 1,
    version: 2,
    routes: [],
    deletedRoutes: [],
    targets: oneApp([endpoint(app.port)]).targets,
    deletedTargets: [],
  };
  control.say({ type: 'update', update });
  await eventually(() => control.acknowledged === 2);
  assert.match(await exchangeRaw(threaded.http, GET_CLOSE), /ok$/);
  const { routes, targets } = oneApp([]);
  control.table = { ...control.table, version: 9, routes, targets };
  control.say({ type: 'update', update: { ...update, fromVersion: 7, version: 8 } });
  await eventually(() => control.acknowledged === 9);
  assert.equal(control.of('hello').length, 2);
  assert.deepEqual(control.of('hello')[1], { type: 'hello', pid: process.pid, epoch: 'first', version: 2 });
});

test('containerConcurrency holds exactly, over threads and pods, under load', async () => {
  await using one = await countingApp(3);
  await using two = await countingApp(3);
  await using threaded = await startThreaded();
  threaded.control.use(oneApp([endpoint(one.port), endpoint(two.port)], { containerConcurrency: 3 }));
  await eventually(() => threaded.control.acknowledged === 1);
  const agents = Array.from({ length: 40 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  const answers = await Promise.all(
    agents.flatMap((agent) => Array.from({ length: 25 }, () => get(threaded.http, agent))),
  );
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(one.state.served + two.state.served, 1000);
  assert.deepEqual([one.state.most, two.state.most], [3, 3]);
  for (const agent of agents) agent.destroy();
});

test('a split is exact over any hundred requests, whichever thread takes them', async () => {
  const names = ['a', 'b', 'c'];
  const servers = await Promise.all(
    names.map((name) => rawServer(answering(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${name}`))),
  );
  await using threaded = await startThreaded();
  const splits = [
    { name: 'a', percent: 70 },
    { name: 'b', percent: 27 },
    { name: 'c', percent: 3 },
  ];
  const targets = names.map((name, index) =>
    target(name, [endpoint(servers[index]?.port ?? 0)], { revision: revision(name) }),
  );
  threaded.control.use({ routes: [route('app', { splits })], targets });
  await eventually(() => threaded.control.acknowledged === 1);
  const agents = Array.from({ length: 10 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  const order: string[] = [];
  for (let i = 0; i < 400; i += 1) order.push((await get(threaded.http, agents[i % agents.length] ?? false)).body);
  for (let from = 0; from + 100 <= order.length; from += 7) {
    const hundred = order.slice(from, from + 100);
    const counts = names.map((name) => hundred.filter((one) => one === name).length);
    assert.deepEqual(counts, [70, 27, 3], `from ${from}`);
  }
  for (const agent of agents) agent.destroy();
  for (const server of servers) await server[Symbol.asyncDispose]();
});

test('control hears at once that somebody waits, again each second, and of the load', async () => {
  await using app = await rawServer(answering(OK));
  await using threaded = await startThreaded();
  const { control } = threaded;
  control.use(oneApp([]));
  await eventually(() => control.acknowledged === 1);
  using client = await rawClient(threaded.http);
  const begun = systemClock.monotonicMs();
  client.send(GET);
  await eventually(() => control.of('activate').length === 1, { intervalMs: 1 });
  assert.ok(systemClock.monotonicMs() - begun < 200);
  const { namespace, name, queued } = control.of('activate')[0] ?? {};
  assert.deepEqual({ namespace, name, queued }, { namespace: 'default', name: 'app', queued: 1 });
  await eventually(() => control.of('activate').length >= 3);
  const full = await eventually(() =>
    control.of('report').find(({ revisions }) => (revisions[0]?.concurrency ?? 0) > 0.95),
  );
  const [load] = full.revisions;
  assert.deepEqual([load?.queued, load?.active], [1, 0]);
  assert.ok(Math.abs((load?.concurrency ?? 0) - 1) < 0.05, `${load?.concurrency}`);
  control.use(oneApp([endpoint(app.port)]));
  await client.until((text) => text.endsWith('ok'));
  await eventually(() => control.of('report').at(-1)?.revisions.length === 0);
  const requests = control
    .of('report')
    .flatMap(({ revisions }) => revisions)
    .reduce((sum, one) => sum + one.requests, 0);
  assert.equal(requests, 1);
  assert.equal(control.of('coldstart').length, 1);
  assert.match(
    threaded.gateway.renderMetrics(),
    /pinnace_gateway_requests_total\{namespace="default",revision="app",code="200"\} 1\n/,
  );
  assert.match(
    threaded.gateway.renderMetrics(),
    /pinnace_gateway_cold_starts_total\{namespace="default",revision="app"\} 1\n/,
  );
});

test('twice as many who wait are news at once', async () => {
  await using threaded = await startThreaded();
  const { control } = threaded;
  control.use(oneApp([]));
  await eventually(() => control.acknowledged === 1);
  const clients = [];
  for (let i = 0; i < 16; i += 1) {
    const client = await rawClient(threaded.http);
    client.send(GET);
    clients.push(client);
  }
  await eventually(() => (control.of('activate').at(-1)?.queued ?? 0) >= 8, { timeoutMs: 700 });
  for (const client of clients) client[Symbol.dispose]();
});

test('a pod that drains is named when its last request is done, or at once', async () => {
  await using busy = await rawServer(() => {});
  await using threaded = await startThreaded();
  const { control } = threaded;
  control.use(oneApp([endpoint(busy.port), endpoint(1, { id: 'idle' })], { containerConcurrency: 1 }));
  await eventually(() => control.acknowledged === 1);
  using client = await rawClient(threaded.http);
  client.send(GET);
  await eventually(() => busy.received.length === 1);
  control.use(oneApp([endpoint(busy.port, { state: 'draining' }), endpoint(1, { id: 'idle', state: 'draining' })]));
  await eventually(() => control.of('drained').length === 1);
  assert.deepEqual(control.of('drained')[0]?.endpoints, ['idle']);
  busy.sockets[0]?.write(OK);
  await eventually(() => control.of('drained').length === 2);
  assert.deepEqual(control.of('drained')[1]?.endpoints, [`pod-${busy.port}`]);
});

test('a worker that dies under load is replaced; what it held is free; nobody is refused', async () => {
  await using app = await countingApp(2);
  await using threaded = await startThreaded();
  threaded.control.use(oneApp([endpoint(app.port)], { containerConcurrency: 4 }));
  await eventually(() => threaded.control.acknowledged === 1);
  const stop = new AbortController();
  const outcomes = { ok: 0, cut: 0, refused: 0 };
  const client = async () => {
    while (!stop.signal.aborted) {
      try {
        const { status } = await get(threaded.http, false);
        if (status === 200) outcomes.ok += 1;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') outcomes.refused += 1;
        else outcomes.cut += 1;
      }
    }
  };
  const clients = Array.from({ length: 20 }, () => client());
  for (let death = 0; death < 3; death += 1) {
    const before = outcomes.ok;
    await eventually(() => outcomes.ok > before + 50);
    await threaded.threads[death % 2]?.terminate();
    await eventually(() => threaded.gateway.deaths === death + 1 && threaded.gateway.listening === 2);
  }
  const before = outcomes.ok;
  await eventually(() => outcomes.ok > before + 100, { what: 'requests to go on' });
  stop.abort();
  await Promise.all(clients);
  assert.equal(outcomes.refused, 0);
  assert.ok(app.state.most <= 4 + 4, `${app.state.most} at once`);
  await eventually(() => app.state.running === 0);
  await eventually(() => threaded.control.of('report').at(-1)?.revisions.length === 0, {
    what: 'nothing to be held any more',
  });
});

test('while control is away the gateway serves and buffers; it comes back with what it has', async () => {
  await using app = await rawServer(answering(OK));
  await using threaded = await startThreaded();
  const { control } = threaded;
  control.use(oneApp([endpoint(app.port)]));
  await eventually(() => control.acknowledged === 1);
  await control[Symbol.asyncDispose]();
  assert.match(await exchangeRaw(threaded.http, GET_CLOSE), /ok$/);
  const { TestControl } = await import('#dataplane/fixtures/control.ts');
  await using next = await new TestControl(`${threaded.stateDir}/link.sock`).start();
  await eventually(() => next.of('hello').length === 1);
  assert.deepEqual([next.of('hello')[0]?.epoch, next.of('hello')[0]?.version], ['first', 1]);
});

test('a gateway that starts without control serves the last table', async () => {
  await using app = await rawServer(answering(OK));
  await using threaded = await startThreaded();
  threaded.control.use(oneApp([endpoint(app.port)]));
  await eventually(() => threaded.control.acknowledged === 1);
  await threaded.control[Symbol.asyncDispose]();
  await threaded.restart('in order');
  assert.match(await exchangeRaw(threaded.http, GET_CLOSE), /ok$/);
});

test('after a crash a pod with a limit counts as full until it is seen idle', async () => {
  await using app = await rawServer(answering(OK));
  let connections = 1;
  await using threaded = await startThreaded({ connections: () => connections });
  threaded.control.use(oneApp([endpoint(app.port)], { containerConcurrency: 2 }));
  await eventually(() => threaded.control.acknowledged === 1);
  // Time for the table to reach the disk.
  await systemClock.sleep(400, new AbortController().signal);
  await threaded.restart('crash');
  using client = await rawClient(threaded.http);
  client.send(GET);
  await systemClock.sleep(300, new AbortController().signal);
  assert.equal(client.received(), '');
  connections = 0;
  assert.equal(parseAnswer(await client.until((text) => text.endsWith('ok'))).body, 'ok');
});

test('a drain lets running requests and tunnels finish, and takes no new connection', async () => {
  await using app = await rawServer((socket, sofar) => {
    if (sofar.includes('Upgrade: ')) socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n');
  });
  await using threaded = await startThreaded();
  threaded.control.use(oneApp([endpoint(app.port)]));
  await eventually(() => threaded.control.acknowledged === 1);
  using running = await rawClient(threaded.http);
  using tunnel = await rawClient(threaded.http);
  using idle = await rawClient(threaded.http);
  running.send(GET);
  tunnel.send(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`);
  await tunnel.until((text) => text.includes('101'));
  await eventually(() => app.received.length === 2);
  let drained = false;
  const draining = threaded.gateway.drain(5_000).then(() => (drained = true));
  await idle.all();
  assert.equal(drained, false);
  app.sockets[app.received.findIndex((text) => !text.includes('Upgrade'))]?.write(OK);
  assert.match(await running.all(), /\r\nConnection: close\r\n[^]*ok$/);
  assert.equal(drained, false);
  tunnel.socket.end();
  await draining;
});

test('the request log has a line per request, by its template', async () => {
  await using app = await rawServer(answering(OK));
  await using threaded = await startThreaded();
  const requestLogTemplate =
    '{"m":"{{.Request.Method}}","u":"{{js .Request.RequestURI}}","s":{{.Response.Code}},"n":{{.Response.Size}},"r":"{{.Revision.Name}}","p":"{{.Revision.PodIP}}","t":"{{.TraceID}}","a":"{{js .Request.UserAgent}}"}';
  threaded.control.use({ ...oneApp([endpoint(app.port)]), settings: { requestLogTemplate } });
  await eventually(() => threaded.control.acknowledged === 1);
  const fields = 'User-Agent: a"b\r\ntraceparent: 00-abc-def-01\r\nConnection: close';
  await exchangeRaw(threaded.http, `GET /x?y HTTP/1.1\r\nHost: ${HOST}\r\n${fields}\r\n\r\n`);
  await eventually(() => threaded.logged.length === 1);
  assert.deepEqual(JSON.parse(threaded.logged[0] ?? ''), {
    m: 'GET',
    u: '/x?y',
    s: 200,
    n: 2,
    r: 'app',
    p: '127.0.0.1',
    t: 'abc',
    a: 'a"b',
  });
});
