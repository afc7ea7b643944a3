/** Wherever the network cuts a message, the same comes out: both engines, cut at every octet and at random ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '#testing/fake-clock.ts';
import { ClientConnection } from '#dataplane/proxy/client-connection.ts';
import { Deadlines } from '#dataplane/proxy/deadlines.ts';
import type { Downstream, RequestReceiver, ResponseReceiver } from '#dataplane/proxy/exchange.ts';
import { FieldNames } from '#dataplane/proxy/fields.ts';
import { LINGER_MS, SLOW_HEAD_TIMEOUT_MS } from '#dataplane/proxy/limits.ts';
import { DateLine } from '#dataplane/proxy/local-answer.ts';
import { RequestHead } from '#dataplane/proxy/request-head.ts';
import { ResponseHead } from '#dataplane/proxy/response-head.ts';
import { UpstreamConnection } from '#dataplane/proxy/upstream-connection.ts';
import { cutAt, memoryWire } from '#dataplane/fixtures/memory-wire.ts';
import { REQUESTS } from '#dataplane/fixtures/requests.ts';
import { RESPONSES } from '#dataplane/fixtures/responses.ts';

const names = new FieldNames();

/** A client connection whose service writes down what it is shown, and answers each request when it is complete. */
function clientSide(answers: 'at once' | 'later' = 'at once') {
  const clock = new FakeClock();
  const { socket, wire } = memoryWire();
  const seen: string[] = [];
  const open: Downstream[] = [];
  const service = {
    onRequest(downstream: Downstream, head: RequestHead): RequestReceiver {
      let body = '';
      seen.push(`${head.method} ${head.path} ${head.host} ${head.fields.count}`);
      const done = (trailers: Buffer | undefined) => {
        seen.push(`body ${body} ${trailers?.toString('latin1') ?? ''}`);
        if (answers === 'at once') downstream.sendLocal({ status: 200, body: `${seen.length}` });
        else open.push(downstream);
      };
      downstream.readBody();
      if (head.framing === 'none') done(undefined);
      return {
        onBody: (buf, start, end) => (body += buf.toString('latin1', start, end)),
        onBodyEnd: done,
        onBodyFlush: () => {},
        onClientGone: () => seen.push('gone'),
        onClientDrain: () => {},
      };
    },
  };
  const connection = new ClientConnection(
    wire,
    { address: '1.2.3.4', port: 1, listener: 'http', protocol: 'HTTP/1.1' },
    {
      clock,
      deadlines: new Deadlines(clock),
      date: new DateLine(clock),
      head: new RequestHead(names),
      service,
      onClosed: () => seen.push('closed'),
      onRefused: ({ cause }) => seen.push(`refused ${cause}`),
      onPreface: () => seen.push('preface'),
      isDraining: () => false,
    },
  );
  return { clock, socket, seen, open, connection };
}

function feedClient(pieces: readonly Buffer[]) {
  const { socket, seen, connection } = clientSide();
  for (const piece of pieces) connection.onBytes(piece, 0, piece.length);
  return { seen, text: socket.text };
}

const bytesOf = (text: string) => Array.from({ length: text.length }, (_, index) => index);

test('each request of the corpus means the same in one piece and octet by octet', () => {
  for (const one of REQUESTS) {
    // An endless head is refused as soon as it is too long, which is sooner in pieces.
    if (one.refuse?.cause === 'head too large') continue;
    const rest = one.take?.framing === 'length' ? 'hello' : one.refuse ? '\r\n\r\n' : '';
    const raw = `${one.raw}${rest}`;
    assert.deepEqual(feedClient(cutAt(raw, bytesOf(raw))), feedClient(cutAt(raw, [])), one.name);
  }
});

const PIPELINE = [
  'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /b HTTP/1.1\r\nHost: b\r\nContent-Length: 11\r\n\r\nhello world',
  '\r\nPOST /c HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n',
  'PUT /d HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n',
  'GET /e HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'GET /f HTTP/1.1\r\nHost: f\r\nConnection: close\r\n\r\n',
].join('');

test('a pipeline of requests means the same wherever it is cut', () => {
  const whole = feedClient(cutAt(PIPELINE, []));
  const joined = (seen: readonly string[]) => seen.join('\n');
  assert.equal(whole.seen.filter((line) => line.startsWith('body')).length, 6);
  assert.equal(whole.text.split('HTTP/1.1 200').length, 7);
  fc.assert(
    fc.property(fc.array(fc.nat(PIPELINE.length), { maxLength: 60 }), (points) => {
      const cut = feedClient(cutAt(PIPELINE, points));
      assert.equal(joined(cut.seen), joined(whole.seen));
      assert.equal(cut.text, whole.text);
    }),
    { numRuns: 500 },
  );
});

test('any octets whatsoever are taken or refused, and nothing throws', () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    fc
      .array(
        fc.constantFrom(
          'GET',
          ' ',
          '/',
          'HTTP/1.1',
          '\r',
          '\n',
          '\r\n',
          'Host: a',
          ':',
          'Content-Length: 3',
          'Transfer-Encoding: chunked',
          '0',
          '5',
          'x',
          ';',
          '\t',
          '\0',
          '\xff',
        ),
        { maxLength: 40 },
      )
      .map((parts) => parts.join('')),
    fc
      .tuple(fc.nat(PIPELINE.length), fc.nat(255))
      .map(([at, octet]) => PIPELINE.slice(0, at) + String.fromCharCode(octet) + PIPELINE.slice(at + 1)),
  );
  fc.assert(
    fc.property(octets, fc.array(fc.nat(400), { maxLength: 10 }), (octets, points) => {
      const text = `${octets}\r\n\r\n`;
      const whole = feedClient(cutAt(text, []));
      const cut = feedClient(cutAt(text, points));
      assert.equal(cut.text, whole.text);
      assert.deepEqual(cut.seen, whole.seen);
    }),
    { numRuns: 2000 },
  );
});

// ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────

function feedServer(pieces: readonly Buffer[], end: boolean, toHead = false) {
  const { wire } = memoryWire();
  const seen: string[] = [];
  let body = '';
  const home = {
    head: new ResponseHead(names),
    onFree: () => seen.push('free'),
    onGone: () => {},
  };
  const connection = new UpstreamConnection(wire, home);
  const receiver: ResponseReceiver = {
    onInterim: (head) => seen.push(`interim ${head.status}`),
    onHead: (head) => seen.push(`head ${head.status} ${head.framing} ${head.fields.count}`),
    onResponseBody: (buf, start, end) => (body += buf.toString('latin1', start, end)),
    onResponseEnd: (trailers) => seen.push(`end ${trailers?.toString('latin1') ?? ''}`),
    onResponseFlush: () => {},
    onSwitch: (head, _wire, unread) => seen.push(`switch ${head.status} ${unread.toString('latin1')}`),
    onUpstreamDrain: () => {},
    onUpstreamFailure: ({ kind, detail }) => seen.push(`failed ${kind} ${detail}`),
  };
  connection.begin({ head: Buffer.from('GET'), isHead: toHead, body: 'none', wantsUpgrade: false }, receiver);
  for (const piece of pieces) connection.onBytes(piece, 0, piece.length);
  if (end) connection.onEnd();
  return { seen, body };
}

test('each answer of the corpus means the same in one piece and octet by octet', () => {
  for (const one of RESPONSES) {
    const toHead = one.take?.toHead ?? false;
    const whole = feedServer(cutAt(one.raw, []), true, toHead);
    const cut = feedServer(cutAt(one.raw, bytesOf(one.raw)), true, toHead);
    // What a broken line is called may depend on how much of it was there.
    const kinds = ({ seen, body }: typeof whole) => ({
      seen: seen.map((line) => (line.startsWith('failed') ? line.split(' ').slice(0, 2) : line)),
      body,
    });
    assert.deepEqual(kinds(cut), kinds(whole), one.name);
  }
});

const ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world',
  'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\nhello until the end',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX',
];

for (const answer of ANSWERS) {
  test(`an answer means the same wherever it is cut: ${JSON.stringify(answer.slice(0, 60))}`, () => {
    const whole = feedServer(cutAt(answer, []), true);
    fc.assert(
      fc.property(fc.array(fc.nat(answer.length), { maxLength: 30 }), (points) => {
        const cut = feedServer(cutAt(answer, points), true);
        assert.equal(cut.body, whole.body);
        const withoutFree = (seen: readonly string[]) => seen.filter((line) => line !== 'free');
        assert.deepEqual(withoutFree(cut.seen), withoutFree(whole.seen));
      }),
      { numRuns: 300 },
    );
  });
}

// ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test('a head that does not end is dropped, without a word, however it drips', async () => {
  const { clock, socket, connection } = clientSide();
  const head = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n');
  for (let i = 0; i < head.length; i += 1) {
    connection.onBytes(head, i, i + 1);
    await clock.advance(SLOW_HEAD_TIMEOUT_MS / (head.length + 1));
  }
  assert.equal(socket.destroyed, false);
  await clock.advance(SLOW_HEAD_TIMEOUT_MS);
  assert.equal(socket.destroyed, true);
  assert.equal(socket.text, '');
});

test('a connection that says nothing is dropped as soon', async () => {
  const { clock, socket } = clientSide();
  await clock.advance(SLOW_HEAD_TIMEOUT_MS + 1);
  assert.equal(socket.destroyed, true);
});

test('a request that runs has no limit here; the connection behind a refusal lingers, then goes', async () => {
  const running = clientSide('later');
  running.connection.onBytes(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), 0, 27);
  await running.clock.advance(24 * 60 * 60_000);
  assert.equal(running.socket.destroyed, false);
  const refused = clientSide();
  refused.connection.onBytes(Buffer.from('G@T / HTTP/1.1\r\n'), 0, 16);
  await refused.clock.advance(LINGER_MS - 1);
  assert.equal(refused.socket.destroyed, false);
  await refused.clock.advance(2);
  assert.equal(refused.socket.destroyed, true);
});

test('HTTP/2’s preface is handed over, whole, wherever it is cut', () => {
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
  for (let at = 0; at <= preface.length; at += 1) {
    assert.deepEqual(feedClient(cutAt(preface, [at])).seen, ['closed', 'preface'], `cut at ${at}`);
  }
  assert.match(feedClient(cutAt('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', [])).text, /^HTTP\/1\.1 400 /);
});
