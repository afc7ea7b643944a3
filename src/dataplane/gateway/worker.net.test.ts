import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoint, oneApp, startTestGateway } from '#dataplane/fixtures/harness.ts';
import { answering, exchangeRaw, parseAnswer, rawClient, rawServer, withoutDate } from '#dataplane/fixtures/raw.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-App: 1\r\n\r\nhello';

test('a request reaches the application and its answer the client', async () => {
  await using app = await rawServer(answering(OK));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send('GET /path?q HTTP/1.1\r\nHost: app.example.com\r\nX-Client: a\r\n\r\n');
  const answer = parseAnswer(await client.until((text) => text.endsWith('hello')));
  assert.equal(answer.line, 'HTTP/1.1 200 OK');
  assert.deepEqual(withoutDate(answer.fields), ['Content-Length: 5', 'X-App: 1']);
  assert.equal(
    app.received[0],
    [
      'GET /path?q HTTP/1.1',
      'Host: app.example.com',
      'X-Client: a',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'Forwarded: for=127.0.0.1;proto=http',
      'K-Proxy-Request: activator',
      '\r\n',
    ].join('\r\n'),
  );
  client.send('GET /again HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n');
  await client.all();
  assert.equal(app.received.length, 1, 'the connection behind is used again');
});

test('an unknown host is an empty 404', async () => {
  await using gateway = await startTestGateway();
  const answer = parseAnswer(await exchangeRaw(gateway.http, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
  assert.equal(answer.line, 'HTTP/1.1 404 Not Found');
  assert.deepEqual(withoutDate(answer.fields), ['Content-Length: 0', 'Connection: close']);
  assert.equal(answer.body, '');
});
