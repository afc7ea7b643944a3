/** The corpus of requests, over a socket: what is refused never reaches an application, and closes the connection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoint, route, revision, startTestGateway, target } from '#dataplane/fixtures/harness.ts';
import { answering, exchangeRaw, parseAnswer, rawClient, rawServer } from '#dataplane/fixtures/raw.ts';
import { REQUESTS } from '#dataplane/fixtures/requests.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';

function table(port: number) {
  const app = target('app', [endpoint(port)], { revision: revision('app') });
  return { routes: [route('app', { host: 'a.example' })], targets: [app] };
}

for (const one of REQUESTS.filter(({ refuse }) => refuse)) {
  test(`refused: ${one.name} (${one.source})`, async () => {
    await using app = await rawServer(answering(OK));
    await using gateway = await startTestGateway({ table: table(app.port) });
    const text = await exchangeRaw(gateway.http, one.raw + SMUGGLED);
    const answer = parseAnswer(text);
    assert.match(answer.line, new RegExp(`^HTTP/1.1 ${one.refuse?.status} `));
    assert.ok(answer.fields.includes('Connection: close'));
    assert.equal(text.split('HTTP/1.1 ').length, 2, 'one answer, and the end');
    assert.deepEqual(app.received, []);
    gateway.worker.receive({ type: 'collect', round: 1 });
    const stats = gateway.messages.find(({ type }) => type === 'stats');
    assert.deepEqual(stats?.type === 'stats' && stats.refused, { [one.refuse?.cause ?? '']: 1 });
  });
}

test('the text of a refusal is that of Go’s server', async () => {
  await using gateway = await startTestGateway();
  const text = 'Bad Request: missing required Host header';
  assert.equal(
    await exchangeRaw(gateway.http, 'GET / HTTP/1.1\r\n\r\n'),
    `HTTP/1.1 400 ${text}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 ${text}`,
  );
  assert.equal(
    await exchangeRaw(gateway.http, 'GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n'),
    'HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
  );
});

/** Both readers of these agree, because the second message is where the first one ends for every reader. */
const PIPELINES: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'a length and what follows it',
    'POST /1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nbodyGET /2 HTTP/1.1\r\nHost: a.example\r\n\r\n',
    ['/1', '/2'],
  ],
  [
    'chunks and what follows them',
    'POST /1 HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.example\r\n\r\n',
    ['/1', '/2'],
  ],
  [
    'a GET with a body',
    'GET /1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nbodyGET /2 HTTP/1.1\r\nHost: a.example\r\n\r\n',
    ['/1', '/2'],
  ],
  [
    'a body that looks like a request',
    'POST /1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 45\r\n\r\nGET /evil HTTP/1.1\r\nHost: a.example\r\nX: y\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.example\r\n\r\n',
    ['/1', '/2'],
  ],
  [
    'an upgrade with a body is none',
    'POST /1 HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\nbodyGET /2 HTTP/1.1\r\nHost: a.example\r\n\r\n',
    ['/1', '/2'],
  ],
  [
    'an upgrade to h2c is none',
    'GET /1 HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.example\r\n\r\n',
    ['/1', '/2'],
  ],
];

for (const [name, bytes, paths] of PIPELINES) {
  test(`in step: ${name}`, async () => {
    const seen: string[] = [];
    await using app = await rawServer((socket, sofar) => {
      // A reader by the book: heads end at the empty line, bodies by their length or last chunk.
      const messages = splitMessages(sofar);
      for (const path of messages.slice(seen.length)) {
        seen.push(path);
        socket.write(OK);
      }
    });
    await using gateway = await startTestGateway({ table: table(app.port) });
    using client = await rawClient(gateway.http);
    client.send(bytes);
    await client.until((text) => text.split('200 OK').length === paths.length + 1);
    assert.deepEqual(seen, paths);
    assert.doesNotMatch(app.received.join(''), /\r\nUpgrade:/);
  });
}

function splitMessages(text: string): string[] {
  const paths: string[] = [];
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return paths;
    const head = text.slice(at, end);
    at = end + 4;
    const length = /content-length: (\d+)/i.exec(head)?.[1];
    if (/transfer-encoding: chunked/i.test(head)) at = text.indexOf('0\r\n\r\n', at) + 5;
    else if (length !== undefined) at += Number(length);
    if (at > text.length || at < 5) return paths;
    paths.push(head.split(' ')[1] ?? '');
  }
}
