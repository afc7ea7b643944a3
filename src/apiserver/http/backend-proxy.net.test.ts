/** HTTP through the API server's proxy to a program, by real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { asStatusError } from '#apiserver/failures.ts';
import { passToBackend, upgradeToBackend } from '#apiserver/http/backend-proxy.ts';
import { Exchange } from '#apiserver/http/exchange.ts';
import { sendStatus } from '#apiserver/http/reply.ts';
import { eventually } from '#testing/eventually.ts';

const ROOT = '/api/v1/namespaces/n/services/web/proxy';

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

interface World extends AsyncDisposable {
  readonly port: number;
  readonly backend: http.Server;
  ask(path: string, options?: http.RequestOptions, body?: string | Buffer): Promise<Answer>;
}

interface Answer {
  readonly code: number;
  readonly text: string;
  readonly headers: http.IncomingHttpHeaders;
}

async function start(serve: Serve | 'nobody'): Promise<World> {
  const backend = http.createServer(serve === 'nobody' ? undefined : serve).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const location = { scheme: 'http', address: '127.0.0.1', port: (backend.address() as AddressInfo).port } as const;
  if (serve === 'nobody') backend.close();
  const front = http.createServer();
  const tell = async (exchange: Exchange, error: unknown) => sendStatus(exchange, asStatusError(error, silentLogger));
  front.on('request', (request, response) => {
    const exchange = new Exchange(request, response);
    passToBackend({ location, exchange, clock: systemClock }).catch((error) => tell(exchange, error));
  });
  front.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const exchange = new Exchange(request, new http.ServerResponse(request));
    upgradeToBackend({ location, exchange, clock: systemClock }, { socket, head }).catch((error: Error) =>
      socket.end(`HTTP/1.1 500 x\r\nConnection: close\r\n\r\n${error.message}`),
    );
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const { port } = front.address() as AddressInfo;
  return {
    port,
    backend,
    async ask(path, options = {}, body) {
      const sent = http.request({ host: '127.0.0.1', port, path, agent: false, ...options });
      sent.end(body);
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      const pieces: Buffer[] = [];
      for await (const piece of answer as AsyncIterable<Buffer>) pieces.push(piece);
      return { code: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString(), headers: answer.headers };
    },
    async [Symbol.asyncDispose]() {
      for (const server of [front, backend]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

const tellRequest: Serve = (request, response) => {
  response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers }));
};

test('path, query, method and fields arrive; credentials and what is of the connection do not', async () => {
  await using world = await start(tellRequest);
  const headers = {
    Host: 'api.example',
    Authorization: 'Bearer secret',
    'Impersonate-User': 'root',
    'X-Remote-User': 'root',
    'Proxy-Authorization': 'x',
    Connection: 'close, X-Hop',
    'X-Hop': '1',
    'X-Own': 'kept',
    'X-Forwarded-For': '192.0.2.1',
  };
  const { text } = await world.ask(`${ROOT}/a%20b//c/?q=%2F`, { method: 'DELETE', headers });
  const seen = JSON.parse(text) as { method: string; url: string; headers: Record<string, string> };
  assert.equal(seen.method, 'DELETE');
  assert.equal(seen.url, '/a%20b//c/?q=%2F');
  const { connection: _, ...fields } = seen.headers;
  assert.deepEqual(fields, {
    host: 'api.example',
    'x-own': 'kept',
    'x-forwarded-uri': `${ROOT}/a%20b//c/`,
    'x-forwarded-for': '192.0.2.1, 127.0.0.1',
  });
});

test('the program’s root without a slash is led to the one with it', async () => {
  await using world = await start(tellRequest);
  const { code, headers } = await world.ask(`${ROOT}?q=1`);
  assert.deepEqual([code, headers.location], [301, `${ROOT}/?q=1`]);
  const posted = await world.ask(ROOT, { method: 'POST' }, 'x');
  assert.equal((JSON.parse(posted.text) as { url: string }).url, '/');
});

test('bodies go through in both directions, however large', async () => {
  await using world = await start((request, response) => request.pipe(response));
  const body = Buffer.alloc(5_000_000, 'x');
  const { text } = await world.ask(`${ROOT}/echo`, { method: 'PUT' }, body);
  assert.equal(text.length, body.length);
});

test('pieces of an answer go out as they come, and its fields but for those that are not its to say', async () => {
  let end = () => {};
  await using world = await start((_request, response) => {
    const fields = { 'Access-Control-Allow-Origin': '*', 'Keep-Alive': 'timeout=1', 'X-Own': ['a', 'b'] };
    response.writeHead(418, { ...fields, 'Set-Cookie': ['c=1', 'd=2'] });
    response.write('first');
    end = () => response.end('last');
  });
  const sent = http.request({ host: '127.0.0.1', port: world.port, path: `${ROOT}/`, agent: false }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await eventually(() => text === 'first');
  end();
  await once(answer, 'end');
  assert.equal(text, 'firstlast');
  assert.equal(answer.statusCode, 418);
  assert.deepEqual(answer.headers['set-cookie'], ['c=1', 'd=2']);
  assert.equal(answer.headers['x-own'], 'a, b');
  assert.equal(answer.headers['access-control-allow-origin'], undefined);
});

for (const [what, from, to] of [
  ['within the program', '/login?next=%2F', `${ROOT}/login?next=%2F`],
  ['that leads through the API already', `${ROOT}/x`, `${ROOT}/x`],
  ['relative to the page', 'next', 'next'],
  ['to somebody else', 'https://example.com/x', 'https://example.com/x'],
  ['to the host that was asked', 'http://api.example/x', `${ROOT}/x`],
] as const) {
  test(`a redirection ${what}`, async () => {
    await using world = await start((_request, response) => response.writeHead(302, { Location: from }).end());
    const { headers } = await world.ask(`${ROOT}/`, { headers: { Host: 'api.example' } });
    assert.equal(headers.location, to);
  });
}

test('a program that does not listen is a 503, also for who is sending much', async () => {
  await using world = await start('nobody');
  for (const body of ['', Buffer.alloc(3_000_000)]) {
    const { code, text } = await world.ask(`${ROOT}/`, { method: 'POST' }, body);
    assert.equal(code, 503);
    const { message } = JSON.parse(text) as { message: string };
    assert.match(message, /^error trying to reach service: dial tcp 127\.0\.0\.1:\d+: connect: connection refused$/);
  }
});

for (const [what, answer] of [
  ['nothing', ''],
  ['no HTTP', 'SSH-2.0-hello\r\n'],
  ['a status that is none', 'HTTP/1.1 99 x\r\nContent-Length: 0\r\n\r\n'],
  ['endless fields', `HTTP/1.1 200 OK\r\n${'X-Many: more\r\n'.repeat(20_000)}\r\n`],
] as const) {
  test(`a program that answers with ${what} is an error of its own`, async () => {
    const backend = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    });
    await using world = await start((_request, response) => response.end());
    world.backend.removeAllListeners('connection');
    world.backend.on('connection', (socket) => backend.emit('connection', socket));
    const { code } = await world.ask(`${ROOT}/`);
    assert.ok(code >= 500, `status ${code}`);
  });
}

test('an upgrade is carried through, bytes and all', async () => {
  await using world = await start(tellRequest);
  world.backend.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n${request.url} `);
    socket.pipe(socket);
  });
  const headers = { Connection: 'Upgrade', Upgrade: 'echo' };
  const sent = http.request({ host: '127.0.0.1', port: world.port, path: `${ROOT}/ws?x=1`, headers, agent: false });
  sent.end();
  const [answer, socket, head] = (await once(sent, 'upgrade')) as [IncomingMessage, net.Socket, Buffer];
  assert.equal(answer.headers.upgrade, 'echo');
  let text = head.toString();
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.write('over');
  await eventually(() => text === '/ws?x=1 over');
  socket.end();
});

test('an upgrade that the program refuses is answered in its words', async () => {
  await using world = await start(tellRequest);
  world.backend.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
  });
  const { code, text } = await world.ask(`${ROOT}/ws`, { headers: { Connection: 'Upgrade', Upgrade: 'echo' } });
  assert.deepEqual([code, text], [403, 'no']);
});
