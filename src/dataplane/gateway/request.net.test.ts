/** What the application is sent, octet for octet (facts: observed, sections 1, 7 and 9). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoint, oneApp, revision, route, startTestGateway, target } from '#dataplane/fixtures/harness.ts';
import { answering, exchangeRaw, parseAnswer, rawClient, rawServer, withoutDate } from '#dataplane/fixtures/raw.ts';
import type { RouteSet } from '#protocol/routing.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-App: 1\r\n\r\nhello';
const ADDED = [
  'X-Forwarded-For: 127.0.0.1',
  'X-Forwarded-Proto: http',
  'Forwarded: for=127.0.0.1;proto=http',
  'K-Proxy-Request: activator',
];

interface Sent {
  /** Head lines at the application; empty when it was not asked. */
  readonly head: string[];
  readonly answer: ReturnType<typeof parseAnswer>;
}

/** Sends one request and reports both ends. */
async function send(lines: readonly string[], change: (one: RouteSet) => RouteSet = (one) => one): Promise<Sent> {
  await using app = await rawServer(answering(OK));
  const table = oneApp([endpoint(app.port)]);
  await using gateway = await startTestGateway({ table: { ...table, routes: table.routes.map(change) } });
  const text = await exchangeRaw(gateway.http, `${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
  return { head: (app.received[0] ?? '').split('\r\n').slice(0, -2), answer: parseAnswer(text) };
}

const get = (...fields: string[]) => ['GET / HTTP/1.1', 'Host: app.example.com', ...fields];

test('a request reaches the application and its answer the client, over connections that are kept', async () => {
  await using app = await rawServer(answering(OK));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send('GET /path?q HTTP/1.1\r\nHost: app.example.com\r\nX-Client: a\r\n\r\n');
  const answer = parseAnswer(await client.until((text) => text.endsWith('hello')));
  assert.equal(answer.line, 'HTTP/1.1 200 OK');
  assert.deepEqual(withoutDate(answer.fields), ['Content-Length: 5', 'X-App: 1']);
  assert.equal(
    app.received[0],
    ['GET /path?q HTTP/1.1', 'Host: app.example.com', 'X-Client: a', ...ADDED, '\r\n'].join('\r\n'),
  );
  client.send('GET /again HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n');
  await client.all();
  assert.equal(app.received.length, 1, 'the connection behind is used again');
});

const HEADS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['a bare request gets the forwarding fields and no other', [], [...ADDED]],
  [
    'case of names, order and spacing stay',
    ['x-lower:  a', 'X-B3-TraceId: 1', 'ETag:"x"'],
    ['x-lower:  a', 'X-B3-TraceId: 1', 'ETag:"x"', ...ADDED],
  ],
  [
    'trace context passes unchanged',
    ['traceparent: 00-a-b-01', 'tracestate: k=v', 'X-B3-Sampled: 1'],
    ['traceparent: 00-a-b-01', 'tracestate: k=v', 'X-B3-Sampled: 1', ...ADDED],
  ],
  ['two lines of one name stay two', ['Cookie: a=1', 'Cookie: b=2'], ['Cookie: a=1', 'Cookie: b=2', ...ADDED]],
  ['empty and high values pass', ['X-Empty:', 'X-High: \xe9'], ['X-Empty:', 'X-High: \xe9', ...ADDED]],
  [
    'other K- and Knative- fields pass',
    ['K-Passthrough-Lb: 1', 'K-Foo: 1', 'Knative-Foo: 1'],
    ['K-Passthrough-Lb: 1', 'K-Foo: 1', 'Knative-Foo: 1', ...ADDED],
  ],
  [
    'Via, Proxy-Foo and X-Request-Id pass',
    ['Via: 1.1 x', 'Proxy-Foo: 1', 'X-Request-Id: 7'],
    ['Via: 1.1 x', 'Proxy-Foo: 1', 'X-Request-Id: 7', ...ADDED],
  ],
  [
    'internal fields of a client vanish',
    [
      'Knative-Serving-Revision: evil',
      'knative-serving-namespace: evil',
      'K-Original-Host: evil',
      'K-Proxy-Request: evil',
      'K-Network-Hash: evil',
    ],
    [...ADDED],
  ],
  [
    'tag fields vanish while the feature is off',
    ['Knative-Serving-Tag: evil', 'Knative-Serving-Default-Route: true'],
    [...ADDED],
  ],
  [
    'hop-by-hop fields vanish',
    [
      'Keep-Alive: timeout=5',
      'Proxy-Authorization: x',
      'Proxy-Authenticate: x',
      'Proxy-Connection: close',
      'Trailer: x',
      'Upgrade: foo',
      'TE: deflate',
    ],
    [...ADDED],
  ],
  ['TE: trailers passes', ['TE: trailers, deflate'], ['TE: trailers', ...ADDED]],
  [
    'what Connection lists vanishes',
    ['Connection: X-Hop, x-other', 'X-Hop: 1', 'X-Other: 2', 'X-Kept: 3'],
    ['X-Kept: 3', ...ADDED],
  ],
  [
    'Connection cannot take away what frames or addresses',
    ['Connection: Host, Content-Length, X-Forwarded-For', 'Content-Length: 0'],
    ['Content-Length: 0', ...ADDED],
  ],
  [
    'X-Forwarded-For of two lines becomes one, with the client behind',
    ['X-Forwarded-For: 1.1.1.1', 'X-Forwarded-For: 2.2.2.2'],
    [
      'X-Forwarded-For: 1.1.1.1, 2.2.2.2, 127.0.0.1',
      'X-Forwarded-Proto: http',
      'Forwarded: for=1.1.1.1;proto=http, for=2.2.2.2, for=127.0.0.1',
      'K-Proxy-Request: activator',
    ],
  ],
  [
    'X-Forwarded-Proto and -Host pass and enter Forwarded',
    ['X-Forwarded-For: 1.2.3.4, ::1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: f.com'],
    [
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: f.com',
      'X-Forwarded-For: 1.2.3.4, ::1, 127.0.0.1',
      'Forwarded: for=1.2.3.4;host=f.com;proto=https, for="[::1]", for=127.0.0.1',
      'K-Proxy-Request: activator',
    ],
  ],
  [
    'a client’s Forwarded passes untouched',
    ['Forwarded: for=_x'],
    ['Forwarded: for=_x', 'X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Proto: http', 'K-Proxy-Request: activator'],
  ],
  ['the wish for timing stays here', ['Pinnace-Timing: on'], [...ADDED]],
];

for (const [name, fields, expected] of HEADS) {
  test(`fields: ${name}`, async () => {
    const { head } = await send(get(...fields));
    assert.deepEqual(head, ['GET / HTTP/1.1', 'Host: app.example.com', ...expected]);
  });
}

const LINES: readonly (readonly [string, string, string, string])[] = [
  [
    'Host keeps its case and port',
    'GET / HTTP/1.1\nHost: App.Example.COM:8080',
    'GET / HTTP/1.1',
    'Host: App.Example.COM:8080',
  ],
  ['HTTP/1.0 becomes 1.1', 'GET / HTTP/1.0\nHost: app.example.com', 'GET / HTTP/1.1', 'Host: app.example.com'],
  [
    'an absolute target gives path and Host',
    'GET http://app.example.com/x?y HTTP/1.1\nHost: other',
    'GET /x?y HTTP/1.1',
    'Host: app.example.com',
  ],
  [
    'an absolute target without a path',
    'GET http://app.example.com HTTP/1.1\nHost: app.example.com',
    'GET / HTTP/1.1',
    'Host: app.example.com',
  ],
  [
    'an absolute target with a query only',
    'GET http://app.example.com?a HTTP/1.1\nHost: app.example.com',
    'GET /?a HTTP/1.1',
    'Host: app.example.com',
  ],
  [
    'the path stays as it is',
    'GET //a//b/../%2F%00;b=1?b?c HTTP/1.1\nHost: app.example.com',
    'GET //a//b/../%2F%00;b=1?b?c HTTP/1.1',
    'Host: app.example.com',
  ],
  [
    'what no path may hold is escaped',
    'GET /\xe9[1]|^"<>\\?\xe9[] HTTP/1.1\nHost: app.example.com',
    'GET /%E9%5B1%5D%7C%5E%22%3C%3E%5C?\xe9[] HTTP/1.1',
    'Host: app.example.com',
  ],
  [
    'the root’s dot does not matter',
    'GET / HTTP/1.1\nHost: app.example.com.',
    'GET / HTTP/1.1',
    'Host: app.example.com.',
  ],
];

for (const [name, request, line, host] of LINES) {
  test(`target: ${name}`, async () => {
    const { head } = await send(request.split('\n'));
    assert.deepEqual(head.slice(0, 2), [line, host]);
  });
}

test('a route rewrites Host and sets fields, whatever the client sent under their names', async () => {
  const { head } = await send(get('X-Set: client', 'x-also: client'), (one) => ({
    ...one,
    rules: one.rules.map((rule) => ({
      ...rule,
      paths: rule.paths.map((path) => ({
        ...path,
        rewriteHost: 'inner.local',
        appendHeaders: { 'X-Set': 'route', 'X-Also': 'route' },
      })),
    })),
  }));
  assert.deepEqual(head, ['GET / HTTP/1.1', 'Host: inner.local', 'X-Set: route', 'X-Also: route', ...ADDED]);
});

test('what a route sets cannot break out of its line', async () => {
  const { head } = await send(get(), (one) => ({
    ...one,
    rules: one.rules.map((rule) => ({
      ...rule,
      paths: rule.paths.map((path) => ({
        ...path,
        appendHeaders: { 'X-Set': 'a\r\nX-Evil: 1\u010d\u010aX-Worse: é', 'X-Bad name\r\n': '1' },
      })),
    })),
  }));
  assert.deepEqual(head, [
    'GET / HTTP/1.1',
    'Host: app.example.com',
    `X-Set: ${Buffer.from('aX-Evil: 1\u010d\u010aX-Worse: é', 'utf8').toString('latin1')}`,
    ...ADDED,
  ]);
});

test('with tag routing on, tag fields are the route’s', async () => {
  await using app = await rawServer(answering(OK));
  const table = oneApp([endpoint(app.port)]);
  const tagged = { 'Knative-Serving-Tag': 'blue' };
  const routes = table.routes.map((one) => ({
    ...one,
    rules: one.rules.map((rule) => ({
      ...rule,
      paths: rule.paths.map((path) => ({ ...path, appendHeaders: tagged })),
    })),
  }));
  await using gateway = await startTestGateway({ table: { ...table, routes, settings: { tagHeaderRouting: true } } });
  await exchangeRaw(gateway.http, `${get('Knative-Serving-Tag: evil', 'Connection: close').join('\r\n')}\r\n\r\n`);
  assert.match(app.received[0] ?? '', /\r\nKnative-Serving-Tag: blue\r\n/);
  assert.doesNotMatch(app.received[0] ?? '', /evil/);
});

test('a Service over plain pods gets forwarding fields, and nothing of Knative', async () => {
  await using app = await rawServer(answering(OK));
  const plain = { ...target('app', [endpoint(app.port)]), revision: undefined };
  await using gateway = await startTestGateway({ table: { routes: [route('app')], targets: [plain] } });
  await exchangeRaw(gateway.http, `${get('Connection: close').join('\r\n')}\r\n\r\n`);
  const head = (app.received[0] ?? '').split('\r\n').slice(2, -2);
  assert.deepEqual(head, [
    'Knative-Serving-Revision: app',
    'Knative-Serving-Namespace: default',
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Proto: http',
  ]);
});

test('the first path whose prefix and fields match serves', async () => {
  await using one = await rawServer(answering(OK.replace('hello', 'first')));
  await using two = await rawServer(answering(OK.replace('hello', 'other')));
  const base = route('app').rules[0]?.paths[0];
  assert.ok(base);
  const path = (name: string, more: object) => ({
    ...base,
    ...more,
    splits: [{ target: `default/${name}:80`, percent: 100, appendHeaders: {} }],
  });
  const paths = [path('one', { headers: { 'x-tag': 'a' } }), path('one', { prefix: '/api/' }), path('two', {})];
  const routes = [{ ...route('app'), rules: [{ hosts: ['app.example.com'], visibility: 'external' as const, paths }] }];
  const targets = [
    target('one', [endpoint(one.port)], { revision: revision('one') }),
    target('two', [endpoint(two.port)], { revision: revision('two') }),
  ];
  await using gateway = await startTestGateway({ table: { routes, targets } });
  const ask = async (line: string, ...fields: string[]) =>
    parseAnswer(
      await exchangeRaw(
        gateway.http,
        `${[line, 'Host: app.example.com', ...fields, 'Connection: close'].join('\r\n')}\r\n\r\n`,
      ),
    ).body;
  assert.equal(await ask('GET /api/x HTTP/1.1'), 'first');
  assert.equal(await ask('GET /apix HTTP/1.1'), 'other');
  assert.equal(await ask('GET / HTTP/1.1', 'X-Tag: a'), 'first');
  assert.equal(await ask('GET / HTTP/1.1', 'X-Tag: A'), 'other');
});

test('an unknown host is an empty 404', async () => {
  await using gateway = await startTestGateway();
  const answer = parseAnswer(await exchangeRaw(gateway.http, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
  assert.equal(answer.line, 'HTTP/1.1 404 Not Found');
  assert.deepEqual(withoutDate(answer.fields), ['Content-Length: 0', 'Connection: close']);
  assert.equal(answer.body, '');
});

test('a cluster-local host is out of reach from outside, however it is asked for', async () => {
  await using app = await rawServer(answering(OK));
  const table = {
    routes: [route('app', { host: 'app.default.svc.cluster.local', visibility: 'local' })],
    targets: [target('app', [endpoint(app.port)])],
  };
  await using gateway = await startTestGateway({ table });
  const host = 'app.default.svc.cluster.local';
  const tricks = [
    `GET / HTTP/1.1\r\nHost: ${host}`,
    `GET / HTTP/1.1\r\nHost: ${host}:80`,
    `GET / HTTP/1.1\r\nHost: ${host.toUpperCase()}.`,
    `GET http://${host}/ HTTP/1.1\r\nHost: app.example.com`,
    `GET https://${host}:443/ HTTP/1.1\r\nHost: ${host}`,
    `GET / HTTP/1.0\r\nHost: ${host}`,
    `GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Host: ${host}\r\nK-Original-Host: ${host}\r\nForwarded: host=${host}`,
  ];
  for (const trick of tricks) {
    const answer = parseAnswer(await exchangeRaw(gateway.http, `${trick}\r\nConnection: close\r\n\r\n`));
    assert.match(answer.line, / 404 /, trick);
  }
  assert.deepEqual(app.received, []);
  const inside = await exchangeRaw(gateway.local, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  assert.match(parseAnswer(inside).line, / 200 /);
});

test('an external host is served on the local listener too', async () => {
  await using app = await rawServer(answering(OK));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  const text = await exchangeRaw(gateway.local, `${get('Connection: close').join('\r\n')}\r\n\r\n`);
  assert.match(parseAnswer(text).line, / 200 /);
});

test('a redirecting route answers 301 outside, and serves inside', async () => {
  await using app = await rawServer(answering(OK));
  const table = { routes: [route('app', { httpOption: 'redirect' })], targets: [target('app', [endpoint(app.port)])] };
  await using gateway = await startTestGateway({ table, httpsPort: 8443 });
  const request = 'GET /a?b HTTP/1.1\r\nHost: app.example.com:8080\r\nConnection: close\r\n\r\n';
  const answer = parseAnswer(await exchangeRaw(gateway.http, request));
  assert.equal(answer.line, 'HTTP/1.1 301 Moved Permanently');
  assert.ok(answer.fields.includes('Location: https://app.example.com:8443/a?b'), answer.fields.join('\n'));
  assert.match(parseAnswer(await exchangeRaw(gateway.local, request)).line, / 200 /);
});

test('a route that points to a route is followed as cluster-local, under the inner name', async () => {
  await using app = await rawServer(answering(OK));
  const outer = route('domain', { host: 'my.domain', splits: [{ name: 'placeholder', percent: 100 }] });
  const inner = 'app.default.svc.cluster.local';
  const routes = [
    {
      ...outer,
      rules: outer.rules.map((rule) => ({
        ...rule,
        paths: rule.paths.map((path) => ({ ...path, rewriteHost: inner })),
      })),
    },
    route('app', { host: inner, visibility: 'local' }),
  ];
  const placeholder = { ...target('placeholder', []), revision: undefined, reroute: true };
  await using gateway = await startTestGateway({
    table: { routes, targets: [target('app', [endpoint(app.port)]), placeholder] },
  });
  await exchangeRaw(gateway.http, 'GET / HTTP/1.1\r\nHost: my.domain\r\nConnection: close\r\n\r\n');
  assert.deepEqual((app.received[0] ?? '').split('\r\n').slice(0, 2), ['GET / HTTP/1.1', `Host: ${inner}`]);
});
