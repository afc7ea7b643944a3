/** HTTP/2 on either side, with prior knowledge and by ALPN; what gRPC needs of it. */
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { test } from 'node:test';
import { issueCertificate, createAuthority } from '#apiserver/pki/certificate.ts';
import { systemClock } from '#base/clock.ts';
import { eventually } from '#testing/eventually.ts';
import { endpoint, oneApp, revision, route, startTestGateway, target } from '#dataplane/fixtures/harness.ts';
import { answering, rawClient, rawServer } from '#dataplane/fixtures/raw.ts';
import type { TargetEndpoint } from '#protocol/routing.ts';

interface H2App extends AsyncDisposable {
  readonly port: number;
  readonly streams: http2.ServerHttp2Stream[];
}

type OnStream = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

async function h2App(onStream: OnStream): Promise<H2App> {
  const server = http2.createServer();
  const streams: http2.ServerHttp2Stream[] = [];
  const sessions = new Set<http2.Http2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
    streams.push(stream);
    stream.on('error', () => {});
    onStream(stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    streams,
    port: (server.address() as net.AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function h2Table(endpoints: readonly TargetEndpoint[], more = {}) {
  return {
    routes: [route('app')],
    targets: [target('app', endpoints, { protocol: 'h2c', revision: revision('app', more) })],
  };
}

interface Got {
  readonly headers: http2.IncomingHttpHeaders;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: string;
  readonly interims: number[];
}

const AUTHORITY = 'app.example.com';

/** One request over a session of its own. */
async function h2Request(
  port: number,
  headers: http2.OutgoingHttpHeaders,
  body?: string,
  trailers?: http2.OutgoingHttpHeaders,
): Promise<Got> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  try {
    return await onSession(session, headers, { body, trailers });
  } finally {
    session.destroy();
  }
}

function onSession(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  { body, trailers }: { body?: string | undefined; trailers?: http2.OutgoingHttpHeaders | undefined },
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const waitForTrailers = trailers !== undefined;
    const stream = session.request(
      { ':authority': AUTHORITY, ...headers },
      { endStream: body === undefined, waitForTrailers },
    );
    const got = { headers: {}, trailers: {}, body: '', interims: [] as number[] };
    session.on('error', reject);
    stream.on('error', reject);
    stream.on('headers', (interim) => got.interims.push(Number(interim[':status'])));
    stream.on('response', (answer) => (got.headers = answer));
    stream.on('trailers', (answer) => (got.trailers = answer));
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => (got.body += chunk));
    stream.on('end', () => resolve(got));
    if (trailers) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    if (body !== undefined) stream.end(body);
  });
}

test('HTTP/2 with prior knowledge to an application of HTTP/1.1', async () => {
  await using app = await rawServer(
    answering('HTTP/1.1 200 OK\r\nX-App: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 5\r\n\r\nhello'),
  );
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]) });
  const got = await h2Request(gateway.http, { ':path': '/a?b', cookie: ['x=1', 'y=2'], 'x-client': '1' });
  assert.equal(got.headers[':status'], 200);
  assert.equal(got.headers['x-app'], '1');
  assert.deepEqual(got.headers['set-cookie'], ['a', 'b']);
  assert.ok(got.headers['date']);
  assert.equal(got.body, 'hello');
  const head = (app.received[0] ?? '').split('\r\n');
  assert.deepEqual(head.slice(0, 2), ['GET /a?b HTTP/1.1', 'host: app.example.com']);
  assert.ok(head.includes('cookie: x=1; y=2'), head.join('\n'));
  assert.ok(head.includes('Forwarded: for=127.0.0.1;proto=http'));
});

test('bodies both ways, from HTTP/2 to HTTP/1.1 and on to HTTP/2', async () => {
  await using app = await h2App((stream, headers) => {
    stream.respond({ ':status': 201, 'x-te': headers['te'] as string }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine' }));
    stream.pipe(stream);
  });
  await using gateway = await startTestGateway({ table: h2Table([endpoint(app.port)]) });
  const body = 'x'.repeat(300_000);
  const got = await h2Request(gateway.http, { ':method': 'POST', ':path': '/svc/Method', te: 'trailers' }, body);
  assert.equal(got.headers[':status'], 201);
  assert.equal(got.headers['x-te'], 'trailers');
  assert.equal(got.body.length, body.length);
  assert.deepEqual([got.trailers['grpc-status'], got.trailers['grpc-message']], ['0', 'fine']);
});

test('trailers of a request arrive', async () => {
  let arrived: http2.IncomingHttpHeaders | undefined;
  await using app = await h2App((stream) => {
    stream.on('trailers', (trailers) => (arrived = trailers));
    stream.resume();
    stream.on('end', () => {
      stream.respond({ ':status': 200 });
      stream.end();
    });
  });
  await using gateway = await startTestGateway({ table: h2Table([endpoint(app.port)]) });
  await h2Request(gateway.http, { ':method': 'POST', ':path': '/' }, 'x', { 'x-sum': '7' });
  assert.equal(arrived?.['x-sum'], '7');
});

test('an answer of trailers only stays one', async () => {
  await using app = await h2App((stream) =>
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true }),
  );
  await using gateway = await startTestGateway({ table: h2Table([endpoint(app.port)]) });
  const got = await h2Request(gateway.http, { ':method': 'POST', ':path': '/' }, '');
  assert.equal(got.headers['grpc-status'], '12');
  assert.equal(got.headers['content-length'], undefined);
});

test('a client of HTTP/1.1 to an application of HTTP/2: chunks, trailers, interim answers, and none at all', async () => {
  await using app = await h2App((stream, headers) => {
    if (headers[':path'] === '/empty') return stream.respond({ ':status': 200 }, { endStream: true });
    stream.additionalHeaders({ ':status': 103, link: '</x>' });
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-t': '1' }));
    return stream.end('hello');
  });
  await using gateway = await startTestGateway({ table: h2Table([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send('GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n');
  const text = await client.until((sofar) => sofar.endsWith('\r\n0\r\nx-t: 1\r\n\r\n'));
  assert.match(text, /^HTTP\/1\.1 103 \r\nlink: <\/x>\r\n\r\nHTTP\/1\.1 200 \r\n/);
  client.send('GET /empty HTTP/1.1\r\nHost: app.example.com\r\n\r\n');
  await client.until((sofar) => /Content-Length: 0\r\n(.+\r\n)*\r\n$/.test(sofar));
});

test('a two-way stream: each message passes at once', async () => {
  await using app = await h2App((stream) => {
    stream.respond({ ':status': 200 });
    stream.on('data', (chunk: Buffer) => stream.write(`echo ${chunk.toString()}`));
    stream.on('end', () => stream.end());
  });
  await using gateway = await startTestGateway({ table: h2Table([endpoint(app.port)]) });
  const session = http2.connect(`http://127.0.0.1:${gateway.http}`);
  const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': AUTHORITY });
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  for (const word of ['one', 'two', 'three']) {
    stream.write(word);
    await eventually(() => text.endsWith(`echo ${word}`));
  }
  const ended = new Promise((resolve) => stream.once('end', resolve));
  stream.end();
  await ended;
  session.destroy();
});

test('many streams share sessions; a limit holds for each of them', async () => {
  let running = 0;
  let most = 0;
  await using app = await h2App((stream) => {
    running += 1;
    most = Math.max(most, running);
    systemClock.after(5, () => {
      running -= 1;
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
  });
  await using gateway = await startTestGateway({ table: h2Table([endpoint(app.port)], { containerConcurrency: 3 }) });
  const session = http2.connect(`http://127.0.0.1:${gateway.http}`);
  session.setMaxListeners(100);
  const answers = await Promise.all(Array.from({ length: 30 }, () => onSession(session, { ':path': '/' }, {})));
  assert.ok(answers.every(({ body }) => body === 'ok'));
  assert.equal(most, 3);
  session.destroy();
});

test('a client that cancels its stream: the application’s stream is cancelled, the slot is free', async () => {
  await using app = await h2App((stream) => {
    stream.respond({ ':status': 200 });
    stream.write('x');
  });
  await using gateway = await startTestGateway({ table: h2Table([endpoint(app.port)]) });
  const session = http2.connect(`http://127.0.0.1:${gateway.http}`);
  const stream = session.request({ ':path': '/', ':authority': AUTHORITY });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('data', resolve));
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await eventually(() => app.streams[0]?.destroyed && gateway.ledger.inFlight(0) === 0);
  session.destroy();
});

test('an application that resets its stream amid an answer: the client’s stream is reset', async () => {
  await using app = await h2App((stream) => {
    stream.respond({ ':status': 200 });
    stream.write('x', () => stream.destroy(new Error('out of luck')));
  });
  await using gateway = await startTestGateway({ table: h2Table([endpoint(app.port)]) });
  await assert.rejects(h2Request(gateway.http, { ':path': '/' }), /NGHTTP2_INTERNAL_ERROR|aborted/i);
});

test('errors and timeouts are answered on the stream', async () => {
  await using app = await rawServer(() => {});
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)], { timeoutMs: 80 }) });
  const late = await h2Request(gateway.http, { ':path': '/' });
  assert.deepEqual([late.headers[':status'], late.body], [504, 'activator request timeout']);
  const session = http2.connect(`http://127.0.0.1:${gateway.http}`);
  const lost = await onSession(session, { ':authority': 'unknown.example.com', ':path': '/' }, {});
  assert.equal(lost.headers[':status'], 404);
  const connect = session.request({ ':method': 'CONNECT', ':authority': 'x:1' });
  const status = await new Promise((resolve) =>
    connect.once('response', (headers) => resolve(headers[':status'])).on('error', () => resolve('reset')),
  );
  assert.notEqual(status, 200);
  session.destroy();
});

test('a fast client is held back by a slow application, stream by stream', async () => {
  await using app = await h2App((stream) => stream.pause());
  await using gateway = await startTestGateway({ table: h2Table([endpoint(app.port)]) });
  const session = http2.connect(`http://127.0.0.1:${gateway.http}`);
  const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': AUTHORITY });
  stream.on('error', () => {});
  let written = 0;
  const piece = Buffer.alloc(64 * 1024);
  const more = () => {
    while (written < 100 * 1024 * 1024) {
      written += piece.length;
      if (!stream.write(piece)) return void stream.once('drain', more);
    }
    return undefined;
  };
  more();
  let before = -1;
  await eventually(
    () => {
      const stuck = app.streams.length > 0 && written === before;
      before = written;
      return stuck;
    },
    { intervalMs: 100 },
  );
  assert.ok(written < 8 * 1024 * 1024, `${written} bytes in between`);
  session.destroy();
});

// ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function certificateFor(names: readonly string[]) {
  const day = 24 * 60 * 60_000;
  const subject = { commonName: 'test-ca' };
  const authority = createAuthority({ subject, validForMs: day, clock: systemClock });
  const pair = issueCertificate(
    { subject: { commonName: 'gateway' }, usage: 'server', names, validForMs: day, clock: systemClock },
    { ...authority, subject },
  );
  return { ca: authority.certificate, cert: pair.certificate, key: pair.key };
}

const tlsFiles = certificateFor([AUTHORITY, 'localhost']);

test('TLS: HTTP/1.1 and, by ALPN, HTTP/2; the application learns of https', async () => {
  await using app = await rawServer(answering('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]), certificate: tlsFiles });
  const { ca } = tlsFiles;
  const status = await new Promise((resolve, reject) =>
    https
      .get(
        { port: gateway.https, host: '127.0.0.1', servername: AUTHORITY, ca, headers: { host: AUTHORITY } },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      )
      .on('error', reject),
  );
  assert.equal(status, 200);
  assert.match(app.received[0] ?? '', /\r\nX-Forwarded-Proto: https\r\nForwarded: for=127\.0\.0\.1;proto=https\r\n/);
  const session = http2.connect(`https://127.0.0.1:${gateway.https}`, { ca, servername: AUTHORITY });
  const got = await onSession(session, { ':path': '/' }, {});
  assert.equal(got.body, 'hello');
  session.destroy();
});

test('TLS: a new certificate is shown to new connections, and open ones go on', async () => {
  await using app = await rawServer(answering('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'));
  await using gateway = await startTestGateway({ table: oneApp([endpoint(app.port)]), certificate: tlsFiles });
  const old = http2.connect(`https://127.0.0.1:${gateway.https}`, { ca: tlsFiles.ca, servername: AUTHORITY });
  await onSession(old, { ':path': '/' }, {});
  const renewed = certificateFor([AUTHORITY]);
  gateway.worker.receive({ type: 'certificate', certificate: renewed });
  const young = http2.connect(`https://127.0.0.1:${gateway.https}`, { ca: renewed.ca, servername: AUTHORITY });
  assert.equal((await onSession(young, { ':path': '/' }, {})).body, 'hello');
  assert.equal((await onSession(old, { ':path': '/' }, {})).body, 'hello');
  old.destroy();
  young.destroy();
});

test('an upload that its client cuts is no whole upload for the application', async () => {
  const outcomes: string[] = [];
  await using app = await h2App((stream) => {
    stream.resume();
    // Node says `end` of a stream that was reset, too.
    stream.on('end', () => stream.aborted || outcomes.push('whole'));
    stream.on('close', () => outcomes.push(`closed ${stream.rstCode}`));
  });
  await using gateway = await startTestGateway({ table: h2Table([endpoint(app.port)]) });
  using client = await rawClient(gateway.http);
  client.send('POST / HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 100\r\n\r\nhalf');
  await eventually(() => app.streams.length === 1);
  client[Symbol.dispose]();
  await eventually(() => outcomes.length > 0);
  assert.deepEqual(outcomes, [`closed ${http2.constants.NGHTTP2_CANCEL}`]);
});
