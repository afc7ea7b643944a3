/** The program of the test images does what its head says: other tests lean on every bit of it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { eventually } from '#testing/eventually.ts';
import { needs } from '#testing/requirements.ts';
import { appBinary } from './build.ts';

const NEEDED = needs('compiler');

interface App {
  readonly child: ChildProcess;
  readonly exit: Promise<{ code: number | null; signal: string | null }>;
  said: string;
}

function start(env: Record<string, string>, args: string[] = []): App {
  const child = spawn(appBinary(), args, { env: { PORT: '0', ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  const app: App = { child, exit, said: '' };
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (app.said += String(chunk)));
  return app;
}

/** The port that the program said it listens on; 0 before. */
function portOf({ said }: App): number {
  return Number(/listening on (\d+)\n/.exec(said)?.[1] ?? 0);
}

async function withApp(env: Record<string, string>, use: (app: App) => Promise<void>): Promise<void> {
  const app = start(env);
  try {
    await eventually(() => portOf(app));
    await use(app);
  } finally {
    app.child.kill('SIGKILL');
    await app.exit;
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, unknown>;
}

function ask(
  app: App,
  path: string,
  options: { method?: string; body?: Iterable<Buffer> | Buffer; port?: number; agent?: Agent } = {},
): Promise<Answer> {
  const { method = 'GET', body, port = portOf(app), agent } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, ...(agent ? { agent } : {}) }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    if (Buffer.isBuffer(body)) outgoing.end(body);
    else {
      for (const chunk of body ?? []) outgoing.write(chunk);
      outgoing.end();
    }
  });
}

test('answers', NEEDED, () =>
  withApp({ TARGET: 'Test', K_REVISION: 'app-00001' }, async (app) => {
    assert.equal((await ask(app, '/')).text, 'Hello Test! revision=app-00001\n');
    assert.equal((await ask(app, '/healthz')).text, 'ok\n');
    assert.match((await ask(app, '/env')).text, /^TARGET=Test$/m);
    assert.match((await ask(app, '/headers?x')).text, /^GET \/headers\?x HTTP\/1\.1\r\n/);
    assert.equal((await ask(app, '/pid')).text, `${app.child.pid}\n`);
    assert.equal((await ask(app, '/alloc?mb=3')).text, '3 MB\n');
    const head = await ask(app, '/', { method: 'HEAD' });
    assert.deepEqual([head.text, head.headers['content-length']], ['', '31']);
    assert.equal((await ask(app, '/upload', { method: 'POST', body: Buffer.alloc(300_000) })).text, '300000 bytes\n');
    const pieces = Array.from({ length: 50 }, () => Buffer.alloc(7_001));
    assert.equal((await ask(app, '/upload', { method: 'POST', body: pieces })).text, `${50 * 7_001} bytes\n`);
  }),
);

test('waiting and streaming, beside each other', NEEDED, () =>
  withApp({}, async (app) => {
    const started = systemClock.monotonicMs();
    const [slow, , stream] = await Promise.all([ask(app, '/?sleep=150'), ask(app, '/'), ask(app, '/stream?n=4&ms=20')]);
    assert.ok(systemClock.monotonicMs() - started >= 150);
    assert.match(slow?.text ?? '', /^Hello/);
    assert.equal(stream?.text, 'chunk 1\nchunk 2\nchunk 3\nchunk 4\n');
    const many = await Promise.all(Array.from({ length: 300 }, () => ask(app, '/?sleep=30')));
    assert.ok(many.every(({ status }) => status === 200));
  }),
);

test('kept connections, requests behind each other, in one piece or byte by byte', NEEDED, () =>
  withApp({}, async (app) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let round = 0; round < 3; round += 1) assert.equal((await ask(app, '/healthz', { agent })).status, 200);
    agent.destroy();
    const requests =
      'POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    for (const step of [requests.length, 1]) {
      const socket = connect(portOf(app), '127.0.0.1');
      let got = '';
      socket.on('data', (chunk) => (got += String(chunk)));
      for (let at = 0; at < requests.length; at += step) {
        socket.write(requests.slice(at, at + step));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await new Promise((resolve) => socket.once('close', resolve));
      assert.deepEqual(
        [...got.matchAll(/\r\n\r\n([^\n]*)\n/g)].map((match) => match[1]),
        ['5 bytes', 'ok'],
      );
    }
  }),
);

test('SIGTERM lets requests finish, and closes the rest', NEEDED, () =>
  withApp({}, async (app) => {
    const idle = connect(portOf(app), '127.0.0.1');
    const closed = new Promise((resolve) => idle.once('close', resolve));
    await new Promise((resolve) => idle.once('connect', resolve));
    const underWay = [ask(app, '/?sleep=200'), ask(app, '/stream?n=5&ms=40')];
    await eventually(async () => (await ask(app, '/healthz')).status === 200);
    app.child.kill('SIGTERM');
    idle.resume();
    await closed;
    for (const answer of await Promise.all(underWay)) assert.equal(answer.status, 200);
    assert.deepEqual(await app.exit, { code: 0, signal: null });
  }),
);

test('ends by request', NEEDED, async () => {
  for (const [path, expected] of [
    ['/exit?code=7', { code: 7, signal: null }],
    ['/crash', { code: null, signal: 'SIGABRT' }],
  ] as const) {
    const app = start({});
    await eventually(() => portOf(app));
    await assert.rejects(ask(app, path));
    assert.deepEqual(await app.exit, expected);
  }
});

const ENDS: readonly [env: Record<string, string>, args: string[], code: number, said: string][] = [
  [{ MODE: 'crash' }, [], 1, 'boom\n'],
  [{ MODE: 'crash', CRASH_CODE: '3' }, [], 3, 'boom\n'],
  [{ MODE: 'exit' }, [], 0, ''],
  [{}, ['say', 'a', 'b'], 0, 'a b\n'],
  [{}, ['fail', '5'], 5, 'failing\n'],
  [{}, ['nonsense'], 2, 'no such command: nonsense\n'],
];

for (const [env, args, code, said] of ENDS) {
  test(`ends at once: ${JSON.stringify(env)} ${args.join(' ')}`, NEEDED, async () => {
    const app = start(env, args);
    assert.deepEqual([(await app.exit).code, app.said], [code, said]);
  });
}

test('modes', NEEDED, async () => {
  await withApp({ MODE: 'unready' }, async (app) => assert.equal((await ask(app, '/healthz')).status, 503));
  await withApp({ MODE: 'otherport', PORT: String(await freePort()) }, async (app) => {
    assert.equal((await ask(app, '/')).status, 200);
    await assert.rejects(ask(app, '/', { port: portOf(app) - 1 }), { code: 'ECONNREFUSED' });
  });
  await withApp({ MODE: 'slowstart', START_DELAY_MS: '50' }, async (app) =>
    assert.equal((await ask(app, '/')).status, 200),
  );
  await withApp({ MODE: 'loopback' }, async (app) => assert.equal((await ask(app, '/')).status, 200));
  await withApp({ MODE: 'ignoreterm' }, async (app) => {
    app.child.kill('SIGTERM');
    assert.equal((await ask(app, '/')).status, 200);
  });
  await withApp({ STYLE: 'oracle' }, async (app) => assert.equal((await ask(app, '/x')).text, 'hello\n'));
  await withApp({ STYLE: 'hello', TARGET: 'T' }, async (app) =>
    assert.match((await ask(app, '/x?y')).text, /^hello from .*: GET \/x\?y T\n$/),
  );
  const deaf = start({ MODE: 'deaf' });
  // From here on it takes SIGTERM by a descriptor, so it runs.
  await eventually(() => readFileSync(`/proc/${deaf.child.pid}/status`, 'utf8').includes('SigBlk:\t0000000000004002'));
  assert.equal(deaf.said, '');
  deaf.child.kill('SIGTERM');
  assert.deepEqual(await deaf.exit, { code: 0, signal: null });
});

/** A port that was free a moment ago, as was the next. */
async function freePort(): Promise<number> {
  return eventually(async () => {
    const servers = [createServer(), createServer()];
    const listen = (server: Server, port: number) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
      });
    try {
      const port = await listen(servers[0]!, 0);
      await listen(servers[1]!, port + 1);
      return port;
    } finally {
      for (const server of servers) server.close();
    }
  });
}

test('what cat and lines do', NEEDED, async () => {
  const cat = start({}, ['cat']);
  cat.child.stdin?.end('through');
  assert.deepEqual([(await cat.exit).code, cat.said], [0, 'through']);
  const lines = start({}, ['lines', '3']);
  await eventually(() => lines.said === 'line 1\nline 2\nline 3\n');
  lines.child.kill('SIGKILL');
  await lines.exit;
});
