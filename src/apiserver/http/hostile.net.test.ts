/**
 * Whoever may write to the API may still be a nuisance: bodies without end, without bottom or without hurry, patches
 * that multiply, selectors like novels. Each is refused within moments, and everybody else is served meanwhile.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { systemClock } from '#base/clock.ts';
import { HttpTransport } from '#client/http-transport.ts';
import { type ClusterAccess, loadKubeconfig } from '#client/kubeconfig.ts';
import type { HttpRequest } from '#client/paths.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { startHttpsApi } from '#testing/https-api.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const MEGABYTE = 1024 * 1024;

/** Far beyond what any of this takes when its time grows with its length, on a machine that is busy. */
const MOMENT_MS = 20_000;

/** What slow clients get in these tests. */
const patience = { headersMs: 300, requestMs: 600, periodMs: 50 };

let stack: AsyncDisposableStack;
let transport: HttpTransport;
let access: ClusterAccess;
let url: URL;

before(async () => {
  stack = new AsyncDisposableStack();
  const api = stack.use(await startHttpsApi({ kinds: builtinKinds, http: { patience } }));
  await api.client.create(Namespace, typed(Namespace, { metadata: { name: 'default' } }));
  access = loadKubeconfig(api.kubeconfig);
  transport = stack.use(new HttpTransport({ access, userAgent: 'test' }));
  url = new URL(api.url);
  await send({ method: 'POST', path: configMaps, body: { metadata: { name: 'a' }, data: { x: '1' } } });
});
after(() => stack.disposeAsync());

async function send(request: HttpRequest): Promise<{ status: number; body: string; tookMs: number }> {
  const begun = systemClock.monotonicMs();
  const answer = await transport.send(request);
  return { ...answer, tookMs: systemClock.monotonicMs() - begun };
}

interface Raw {
  /** Everything that came until the server closed, or until there was enough. */
  readonly answer: string;
  readonly tookMs: number;
}

/** Speaks to the server byte by byte; `trickle` goes on and on, a piece every so often. */
function raw(
  head: string,
  { trickle, as = 'admin' }: { trickle?: string; as?: 'admin' | 'nobody' } = {},
): Promise<Raw> {
  const begun = systemClock.monotonicMs();
  const { promise, resolve } = Promise.withResolvers<Raw>();
  const identity = as === 'admin' ? { cert: access.clientCertificate, key: access.clientKey } : {};
  const socket = tls.connect({ host: url.hostname, port: Number(url.port), rejectUnauthorized: false, ...identity });
  let answer = '';
  const timer = systemClock.every(20, () => void (trickle !== undefined && socket.writable && socket.write(trickle)));
  const finish = () => {
    timer.cancel();
    socket.destroy();
    resolve({ answer, tookMs: systemClock.monotonicMs() - begun });
  };
  socket.on('data', (piece: Buffer) => {
    answer += piece.toString('latin1');
    if (trickle === undefined && answer.includes('\r\n\r\n')) finish();
  });
  socket.on('close', finish).on('error', finish);
  socket.write(head);
  return promise;
}

const head = (method: string, path: string, ...fields: string[]) =>
  [`${method} ${path} HTTP/1.1`, 'Host: x', ...fields, '', ''].join('\r\n');

describe('who is asked for', () => {
  const unread = `Content-Length: ${3 * MEGABYTE}`;

  test('a caller that nobody knows is refused before a byte of the body is there', async () => {
    const { answer } = await raw(head('POST', configMaps, unread, 'Authorization: Bearer nonsense'), { as: 'nobody' });
    assert.match(answer, /^HTTP\/1\.1 401 /);
  });

  test('so is one that may not', async () => {
    const { answer } = await raw(head('POST', configMaps, unread), { as: 'nobody' });
    assert.match(answer, /^HTTP\/1\.1 403 /);
  });

  test('so is a request for what is not there', async () => {
    const { answer } = await raw(head('POST', '/apis/none.example.com/v1/things', unread));
    assert.match(answer, /^HTTP\/1\.1 404 /);
  });
});

describe('without hurry', () => {
  test('a head that never ends', async () => {
    const { answer, tookMs } = await raw(`GET ${configMaps} HTTP/1.1\r\nHost: x\r\n`, { trickle: 'X-A: b\r\n' });
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.ok(tookMs < MOMENT_MS);
  });

  test('a body that never ends', async () => {
    const { answer, tookMs } = await raw(head('POST', configMaps, 'Content-Length: 1000000'), { trickle: ' ' });
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.ok(tookMs < MOMENT_MS);
  });
});

/** The connection may be gone before the refusal is read. */
const TOO_LONG_A_HEAD = /^(HTTP\/1\.1 431 |$)/;

describe('heads without end', () => {
  test('a flood of fields', async () => {
    const fields = Array.from({ length: 10_000 }, (_, number) => `X-Field-${number}: ${'v'.repeat(20)}`);
    const { answer } = await raw(head('GET', configMaps, ...fields));
    assert.match(answer, TOO_LONG_A_HEAD);
  });

  test('a selector of 100 kB', async () => {
    const { answer } = await raw(head('GET', `${configMaps}?labelSelector=${'a'.repeat(100_000)}`));
    assert.match(answer, TOO_LONG_A_HEAD);
  });

  const selectors: readonly [name: string, query: string, status: number][] = [
    ['a label selector with one long word', `labelSelector=${'a'.repeat(50_000)}`, 400],
    ['a label selector of thousands of terms', `labelSelector=${'a=b,'.repeat(12_000)}c`, 200],
    ['a label selector of nothing but marks', `labelSelector=${'!'.repeat(50_000)}`, 400],
    ['a label selector with thousands of values', `labelSelector=a%20in%20(${'b,'.repeat(20_000)}c)`, 200],
    ['a field selector of thousands of terms', `fieldSelector=${'metadata.name=a,'.repeat(3_500)}`, 200],
    ['a field selector of backslashes', `fieldSelector=${'%5C'.repeat(20_000)}`, 400],
  ];
  for (const [name, query, status] of selectors) {
    test(name, async () => {
      const answer = await send({ method: 'GET', path: `${configMaps}?${query}` });
      assert.equal(answer.status, status, answer.body.slice(0, 200));
      assert.ok(answer.tookMs < MOMENT_MS);
    });
  }
});

describe('bodies', () => {
  const rows: readonly [name: string, body: () => string, type: string, status: number, says: RegExp][] = [
    ['too long', () => `"${'x'.repeat(3 * MEGABYTE)}"`, 'application/json', 413, /limit is 3145728/],
    [
      'nested JSON',
      () => '{"data":'.repeat(200_000) + '1' + '}'.repeat(200_000),
      'application/json',
      400,
      /levels deep/,
    ],
    [
      'nested JSON that is broken off',
      () => '['.repeat(3 * MEGABYTE - 1),
      'application/json',
      400,
      /exceeded max depth/,
    ],
    [
      'one key a hundred thousand times',
      () => `{${'"a":1,'.repeat(100_000)}"kind":"ConfigMap"}`,
      'application/json',
      422,
      /name/,
    ],
    ['nested YAML', () => '['.repeat(3 * MEGABYTE - 1), 'application/yaml', 400, /levels deep/],
    ['YAML made of dashes', () => '- '.repeat(MEGABYTE), 'application/yaml', 400, /levels deep/],
    ['YAML that multiplies', () => laughs(12), 'application/yaml', 400, /excessive aliasing/],
  ];
  for (const [name, body, type, status, says] of rows) {
    test(name, async () => {
      const text = body();
      const begun = systemClock.monotonicMs();
      const { answer } = await raw(
        head('POST', configMaps, `Content-Type: ${type}`, `Content-Length: ${text.length}`, 'Connection: close') + text,
        { trickle: '' },
      );
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), answer.slice(0, 300));
      assert.match(answer, says);
      assert.ok(systemClock.monotonicMs() - begun < MOMENT_MS);
    });
  }

  test('without a length, chunk by chunk, are counted as well', async () => {
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const all = head('POST', configMaps, 'Transfer-Encoding: chunked') + chunk.repeat(50);
    const { answer } = await raw(`${all}0\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 413 /);
  });
});

/** Every line is the one before it ten times. */
function laughs(lines: number): string {
  const text = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let line = 1; line < lines; line += 1) {
    text.push(
      `a${line}: &a${line} [${Array(10)
        .fill(`*a${line - 1}`)
        .join(', ')}]`,
    );
  }
  return text.join('\n');
}

describe('patches', () => {
  const one = `${configMaps}/a`;
  const patch = (type: string, path: string, body: unknown) =>
    send({ method: 'PATCH', path, body, contentType: `application/${type}` });
  const many = (count: number, operation: (number: number) => object) =>
    Array.from({ length: count }, (_, at) => operation(at));
  const elements = (count: number, prefix: string) => many(count, (number) => ({ name: `${prefix}${number}` }));

  test('ten thousand operations are taken, one more is not', async () => {
    const operation = () => ({ op: 'replace', path: '/data/x', value: '2' });
    const taken = await patch('json-patch+json', one, many(10_000, operation));
    assert.equal(taken.status, 200);
    assert.ok(taken.tookMs < MOMENT_MS);
    assert.equal((await patch('json-patch+json', one, many(10_001, operation))).status, 413);
  });

  test('copies of copies come to an end', async () => {
    const grow = [{ op: 'add', path: '/data/list', value: ['x'.repeat(1_000)] }];
    const copies = many(9_000, () => ({ op: 'copy', from: '/data/list', path: '/data/list/-' }));
    const answer = await patch('json-patch+json', one, [...grow, ...copies]);
    assert.equal(answer.status, 422);
    assert.ok(answer.tookMs < MOMENT_MS);
  });

  test('a long list that is moved aside again and again', async () => {
    const list = [{ op: 'add', path: '/data/list', value: many(400_000, () => ({})) }];
    const shifts = many(9_000, () => ({ op: 'add', path: '/data/list/0', value: 1 }));
    const answer = await patch('json-patch+json', one, [...list, ...shifts]);
    assert.equal(answer.status, 422);
    assert.ok(answer.tookMs < MOMENT_MS);
  });

  test('nested patches of every kind', async () => {
    const deep = JSON.parse('{"data":'.repeat(5_000) + '1' + '}'.repeat(5_000)) as object;
    const depths = ['merge-patch+json', 'strategic-merge-patch+json', 'apply-patch+yaml'];
    for (const type of depths) {
      const { status } = await patch(type, `${one}?fieldManager=m`, deep);
      assert.equal(status, 400, type);
    }
  });

  const template = (env: object[], more: object = {}) => {
    const containers = [{ name: 'c', image: 'i', env, ...more }];
    return { metadata: { labels: { a: 'b' } }, spec: { containers } };
  };
  const create = (name: string, env: object[]) => {
    const spec = { selector: { matchLabels: { a: 'b' } }, template: template(env) };
    return send({ method: 'POST', path: deployments, body: { metadata: { name }, spec } });
  };

  test('a strategic merge of long lists', async () => {
    assert.equal((await create('long', elements(20_000, 'old'))).status, 201);
    const added = elements(60_000, 'new');
    const merge = { spec: { template: template(added, { '$setElementOrder/env': added }) } };
    const merged = await patch('strategic-merge-patch+json', `${deployments}/long`, merge);
    assert.equal(merged.status, 500, 'it would become too large');
    assert.ok(merged.tookMs < MOMENT_MS, `${merged.tookMs}`);
    const gone = elements(20_000, 'old').map((element) => ({ ...element, $patch: 'delete' }));
    const rest = { spec: { template: template(gone) } };
    const removed = await patch('strategic-merge-patch+json', `${deployments}/long`, rest);
    assert.equal(removed.status, 200, removed.body.slice(0, 300));
    assert.ok(removed.tookMs < MOMENT_MS, `${removed.tookMs}`);
  });

  test('an object cannot be patched larger and larger', async () => {
    assert.equal((await create('small', [])).status, 201);
    const grow = async (number: number) => {
      const variable = { name: `n${number}`, value: 'x'.repeat(2 * MEGABYTE) };
      return patch('strategic-merge-patch+json', `${deployments}/small`, { spec: { template: template([variable]) } });
    };
    assert.equal((await grow(1)).status, 200);
    const { status, body } = await grow(2);
    assert.equal(status, 500);
    assert.match(body, /etcdserver: request is too large/);
  });
});

test('everybody else is served all the while', async () => {
  const { status } = await send({ method: 'GET', path: `${configMaps}/a` });
  assert.equal(status, 200);
});
