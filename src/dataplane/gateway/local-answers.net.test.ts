/** What the gateway answers by itself: probes, readiness, `OPTIONS *`, revisions that are gone (facts: observed, 7). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoint, oneApp, route, startTestGateway } from '#dataplane/fixtures/harness.ts';
import { answering, exchangeRaw, parseAnswer, rawServer, withoutDate } from '#dataplane/fixtures/raw.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** Sends one request and reports both ends. */
async function send(lines: readonly string[]) {
  await using app = await rawServer(answering(OK));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  const text = await exchangeRaw(gateway.http, `${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
  return { head: (app.received[0] ?? '').split('\r\n').slice(0, -2), answer: parseAnswer(text) };
}

const get = (...fields: string[]) => ['GET / HTTP/1.1', 'Host: app.example.com', ...fields];

const PROBES: readonly (readonly [string, readonly string[], string, string])[] = [
  ['a kubelet probe by its agent', ['User-Agent: kube-probe/1.33'], '200', ''],
  ['a kubelet probe by its field', ['K-Kubelet-Probe: queue', 'K-Network-Probe: queue'], '200', ''],
  ['the activator’s probe', ['K-Network-Probe: activator'], '200', 'activator'],
  ['the prober asks which version is served', ['K-Network-Probe: probe', 'K-Network-Hash: override'], '200', ''],
  ['a probe with a hash of its own', ['K-Network-Probe: probe', 'K-Network-Hash: hh'], '200', ''],
  [
    'a probe without a hash',
    ['K-Network-Probe: probe'],
    '400',
    'a probe request must contain a non-empty "K-Network-Hash" header\n',
  ],
  ['another probe', ['K-Network-Probe: x'], '400', 'unexpected probe header value: "x"\n'],
];

for (const [name, fields, status, body] of PROBES) {
  test(`probe: ${name}`, async () => {
    const { head, answer } = await send(get(...fields));
    assert.deepEqual(head, [], 'the application is not asked');
    assert.equal(answer.line.split(' ')[1], status);
    assert.equal(answer.body, body);
    const hash = answer.fields.find((field) => field.startsWith('K-Network-Hash: '));
    const asked = fields.find((field) => field.startsWith('K-Network-Hash: '))?.slice('K-Network-Hash: '.length);
    assert.equal(
      hash,
      asked === undefined ? undefined : `K-Network-Hash: ${asked === 'override' ? 'hash-app' : asked}`,
    );
  });
}

test('an empty probe field is an ordinary request', async () => {
  const { answer } = await send(get('K-Network-Probe:'));
  assert.equal(answer.body, 'hello');
});

test('OPTIONS * is answered here', async () => {
  const { head, answer } = await send(['OPTIONS * HTTP/1.1', 'Host: app.example.com']);
  assert.deepEqual(head, []);
  assert.equal(answer.line, 'HTTP/1.1 200 OK');
});

test('the gateway says on its inner listener whether it serves', async () => {
  await using gateway = await startTestGateway();
  const ask = async (port: number) =>
    parseAnswer(await exchangeRaw(port, 'GET /ready HTTP/1.1\r\nHost: internalkourier\r\nConnection: close\r\n\r\n'))
      .line;
  assert.match(await ask(gateway.local), / 503 /);
  gateway.use({ routes: [], targets: [] });
  assert.match(await ask(gateway.local), / 200 /);
  assert.match(await ask(gateway.http), / 404 /);
});

test('a revision that the table no longer holds is named in the 404', async () => {
  await using gateway = await startTestGateway({ table: { routes: [route('app')], targets: [] } });
  const answer = parseAnswer(await exchangeRaw(gateway.http, `${get('Connection: close').join('\r\n')}\r\n\r\n`));
  assert.equal(answer.body, 'Error getting active endpoint: revision.serving.knative.dev "app" not found\n');
  assert.deepEqual(withoutDate(answer.fields), [
    'Content-Type: text/plain; charset=utf-8',
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${answer.body.length}`,
    'Connection: close',
  ]);
});
