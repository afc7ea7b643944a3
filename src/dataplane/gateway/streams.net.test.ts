/** Real clients and servers: node:http, curl, WebSocket, other upgrades, events, and bodies that outgrow every buffer. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import http from 'node:http';
import type net from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '#base/clock.ts';
import { eventually } from '#testing/eventually.ts';
import { needs } from '#testing/requirements.ts';
import { endpoint, oneApp, startTestGateway } from '#dataplane/fixtures/harness.ts';
import { rawClient, rawServer } from '#dataplane/fixtures/raw.ts';

interface HttpApp extends AsyncDisposable {
  readonly port: number;
  readonly server: http.Server;
}

async function httpApp(answer: http.RequestListener): Promise<HttpApp> {
  const server = http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    port: (server.address() as net.AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Got {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
}

function request(port: number, options: http.RequestOptions, body?: string | Buffer): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = http.request({ port, host: '127.0.0.1', ...options }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const { statusCode: status = 0, headers, trailers } = answer;
        resolve({ status, headers, trailers, body: text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const host = 'app.example.com';

test('node:http on both sides: keep-alive, bodies, trailers', async () => {
  await using app = await httpApp((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      answer.setHeader('trailer', 'x-sum');
      answer.write(`${incoming.method} ${incoming.url} `);
      answer.addTrailers({ 'x-sum': `${Buffer.concat(chunks).length}` });
      answer.end(Buffer.concat(chunks).subarray(0, 5));
    });
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const bodies = ['', 'short', 'x'.repeat(100_000), 'y'.repeat(1_000_000)];
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all(
      bodies.map((body, index) =>
        request(gateway.http, { method: 'POST', path: `/${index}`, headers: { host, te: 'trailers' }, agent }, body),
      ),
    );
    answers.forEach((answer, index) => {
      assert.equal(answer.status, 200);
      assert.equal(answer.body, `POST /${index} ${(bodies[index] ?? '').slice(0, 5)}`);
      assert.equal(answer.trailers['x-sum'], `${(bodies[index] ?? '').length}`);
    });
  }
  agent.destroy();
});

test('curl: a GET, a HEAD, and an upload that asks first', needs('curl'), async () => {
  const curl = promisify(execFile);
  await using app = await httpApp((incoming, answer) => {
    let size = 0;
    incoming.on('data', (chunk: Buffer) => (size += chunk.length));
    incoming.on('end', () => answer.end(`${incoming.method} ${size} ${incoming.headers['forwarded']}\n`));
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  const run = async (...args: string[]) =>
    (
      await curl('curl', [
        '-sS',
        '--max-time',
        '10',
        '-H',
        `Host: ${host}`,
        ...args,
        `http://127.0.0.1:${gateway.http}/`,
      ])
    ).stdout;
  assert.equal(await run(), 'GET 0 for=127.0.0.1;proto=http\n');
  assert.match(await run('-I'), /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(await run('-H', 'Expect: 100-continue', '-d', 'x'.repeat(5000)), 'POST 5000 for=127.0.0.1;proto=http\n');
});

test('a WebSocket talks both ways, longer than every timeout before its first byte', async () => {
  await using app = await httpApp((_, answer) => answer.end());
  const sockets = new WebSocketServer({ server: app.server });
  sockets.on('connection', (socket) =>
    socket.on('message', (message: Buffer) => socket.send(`echo ${message.toString()}`)),
  );
  await using gateway = await startTestGateway({
    table: oneApp([endpoint(app.port)], { timeoutMs: 150, responseStartTimeoutMs: 150 }),
  });
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.http}/chat`, { headers: { host } });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  for (let i = 0; i < 5; i += 1) {
    const echoed = new Promise((resolve) => socket.once('message', (message: Buffer) => resolve(message.toString())));
    socket.send(`${i}`);
    assert.equal(await echoed, `echo ${i}`);
    await systemClock.sleep(60, new AbortController().signal);
  }
  assert.equal(gateway.worker.running, 1);
  assert.equal(gateway.ledger.inFlight(0), 1);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.close(1000);
  assert.equal(await closed, 1000);
  await eventually(() => gateway.worker.running === 0 && gateway.ledger.inFlight(0) === 0);
  sockets.close();
});

test('a WebSocket that falls silent is cut at idleTimeoutSeconds, one that speaks is not', async () => {
  await using app = await httpApp((_, answer) => answer.end());
  const sockets = new WebSocketServer({ server: app.server });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)], { idleTimeoutMs: 150 }) });
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.http}/`, { headers: { host } });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  let closed = false;
  socket.on('close', () => (closed = true));
  socket.on('error', () => {});
  for (let i = 0; i < 5; i += 1) {
    await systemClock.sleep(60, new AbortController().signal);
    socket.send('x');
  }
  assert.equal(closed, false);
  await eventually(() => closed);
  sockets.close();
});

const UPGRADE = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: upgrade, x-hop\r\nUpgrade: Foo/2\r\nX-Hop: 1\r\n\r\n`;
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: Foo/2\r\n\r\n';

test('any token is an upgrade; bytes sent ahead on either side arrive', async () => {
  await using app = await rawServer((socket, sofar) => {
    if (sofar.endsWith('\r\n\r\n')) socket.write(`${SWITCHING}from the server`);
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(UPGRADE);
  const text = await client.until((sofar) => sofar.endsWith('from the server'));
  assert.equal(
    text,
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: Foo/2\r\nConnection: Upgrade\r\n\r\nfrom the server',
  );
  client.send('from the client');
  await eventually(() => app.received[0]?.endsWith('from the client'));
  assert.match(app.received[0] ?? '', /\r\nConnection: Upgrade\r\nUpgrade: Foo\/2\r\n/);
  assert.doesNotMatch(app.received[0] ?? '', /X-Hop/);
});

test('each side’s end passes through a tunnel as an end', async () => {
  await using app = await rawServer((socket, sofar) => {
    if (sofar.endsWith('\r\n\r\n')) socket.write(SWITCHING);
    if (sofar.endsWith('bye')) socket.write('answer after the end');
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(UPGRADE);
  await client.until((text) => text.endsWith('\r\n\r\n'));
  client.socket.end('bye');
  assert.ok((await client.all()).endsWith('answer after the end'));
  await eventually(() => gateway.worker.running === 0);
});

test('a refused upgrade is an ordinary answer, and the connection goes on', async () => {
  await using app = await rawServer((socket, sofar) => {
    if (sofar.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno');
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(UPGRADE);
  await client.until((text) => text.endsWith('no'));
  client.send(UPGRADE);
  await client.until((text) => text.split('200 OK').length === 3);
});

test('a 101 that nobody asked for is a bad gateway', async () => {
  await using app = await rawServer((socket) => socket.write(SWITCHING));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  assert.match(await client.until((text) => text.includes('\n')), /^HTTP\/1\.1 502 /);
});

test('events arrive one by one, as they are sent', async () => {
  await using app = await httpApp((_, answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.flushHeaders();
    let count = 0;
    const ticks = systemClock.every(20, () => {
      answer.write(`data: ${count}\n\n`);
      count += 1;
      if (count === 5) {
        ticks.cancel();
        answer.end();
      }
    });
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const pieces = new Set<number>();
  client.socket.on('data', () => pieces.add(client.received().length));
  await client.until((text) => text.endsWith('0\r\n\r\n'));
  assert.ok(pieces.size >= 5, `${pieces.size} pieces`);
});

const MEGABYTE = 1024 * 1024;
/** What kernel buffers on a loopback path may hold, with ours. */
const MOST_IN_BETWEEN = 24 * MEGABYTE;

test('a slow client holds a fast server back: nothing piles up in between', async () => {
  const total = 200 * MEGABYTE;
  let written = 0;
  await using app = await httpApp((_, answer) => {
    answer.writeHead(200, { 'content-length': total });
    const piece = Buffer.alloc(64 * 1024, 'x');
    const more = () => {
      while (written < total) {
        written += piece.length;
        if (!answer.write(piece)) return void answer.once('drain', more);
      }
      return answer.end();
    };
    more();
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.socket.removeAllListeners('data');
  client.socket.pause();
  client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  let before = -1;
  await eventually(
    () => {
      const stuck = written > 0 && written === before;
      before = written;
      return stuck;
    },
    { intervalMs: 100, what: 'the server to be held back' },
  );
  assert.ok(written < MOST_IN_BETWEEN, `${written} bytes in between`);
  let received = 0;
  client.socket.on('data', (chunk: Buffer) => (received += chunk.length));
  client.socket.resume();
  await eventually(() => received > total, { timeoutMs: 30_000 });
});

test('a slow server holds a fast client back', async () => {
  const total = 200 * MEGABYTE;
  let incoming: http.IncomingMessage | undefined;
  await using app = await httpApp((request, answer) => {
    incoming = request;
    request.on('end', () => answer.end('done'));
  });
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${total}\r\n\r\n`);
  const piece = Buffer.alloc(64 * 1024, 'x');
  let written = 0;
  const more = () => {
    while (written < total) {
      written += piece.length;
      if (!client.socket.write(piece)) return void client.socket.once('drain', more);
    }
    return undefined;
  };
  more();
  let before = -1;
  await eventually(
    () => {
      const stuck = incoming !== undefined && written === before;
      before = written;
      return stuck;
    },
    { intervalMs: 100, what: 'the client to be held back' },
  );
  assert.ok(written < MOST_IN_BETWEEN, `${written} bytes in between`);
  incoming?.resume();
  await client.until((text) => text.includes('done'));
});
