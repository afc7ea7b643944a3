import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldNames } from '#dataplane/proxy/fields.ts';
import { RequestHead } from '#dataplane/proxy/request-head.ts';
import { ResponseHead } from '#dataplane/proxy/response-head.ts';
import { type RequestCase, REQUESTS } from '#dataplane/fixtures/requests.ts';
import { RESPONSES } from '#dataplane/fixtures/responses.ts';

const names = new FieldNames();

test('the corpus is what it is said to be', () => {
  assert.ok(REQUESTS.length >= 80, `${REQUESTS.length} requests`);
  assert.ok(RESPONSES.length >= 40, `${RESPONSES.length} responses`);
  assert.equal(new Set(REQUESTS.map(({ name }) => name)).size, REQUESTS.length);
  assert.equal(new Set(RESPONSES.map(({ name }) => name)).size, RESPONSES.length);
});

/** What the connection does before a head is parsed. */
function parse(one: RequestCase): { head: RequestHead; result: ReturnType<RequestHead['parse']> } {
  const head = new RequestHead(names);
  const raw = Buffer.from(one.raw, 'latin1');
  const start = one.raw.startsWith('\r\n') ? 2 : 0;
  return { head, result: head.parse(raw, start, raw.length) };
}

for (const one of REQUESTS.filter(({ take }) => take)) {
  test(`request taken: ${one.name} (${one.source})`, () => {
    const { head, result } = parse(one);
    assert.equal(result, 'complete');
    const want = one.take ?? {};
    const got = {
      method: head.method,
      path: head.path,
      host: head.host,
      framing: head.framing,
      length: head.contentLength,
      keepAlive: head.keepAlive,
      expectsContinue: head.expectsContinue,
      wantsUpgrade: head.wantsUpgrade,
      acceptsTrailers: head.acceptsTrailers,
      fields: head.fields.count,
    };
    assert.deepEqual({ ...got, ...want }, got);
    assert.equal(head.end, one.raw.length);
  });
}

for (const one of REQUESTS.filter(({ refuse }) => refuse && refuse.cause !== 'head too large')) {
  test(`request refused: ${one.name} (${one.source})`, () => {
    const { result } = parse(one);
    assert.ok(typeof result === 'object', `was ${JSON.stringify(result)}`);
    assert.deepEqual({ status: result.status, cause: result.cause }, one.refuse);
    assert.match(result.answer.toString('latin1'), new RegExp(`^HTTP/1.1 ${result.status} `));
    assert.match(result.answer.toString('latin1'), /\r\nConnection: close\r\n/);
  });
}

for (const one of RESPONSES) {
  test(`answer ${one.take ? 'taken' : 'refused'}: ${one.name} (${one.source})`, () => {
    const head = new ResponseHead(names);
    const raw = Buffer.from(one.raw, 'latin1');
    const result = head.parse(raw, { start: 0, end: raw.length }, one.take?.toHead ? 'head' : 'other');
    if (one.refuse !== undefined) {
      assert.ok(typeof result === 'object', `was ${JSON.stringify(result)}`);
      return assert.ok(result.malformed.includes(one.refuse), result.malformed);
    }
    assert.equal(result, 'complete');
    const got = {
      status: head.status,
      framing: head.framing,
      length: head.contentLength,
      keepAlive: head.keepAlive,
      fields: head.fields.count,
      toHead: one.take?.toHead,
    };
    return assert.deepEqual({ ...got, ...one.take }, got);
  });
}

test('a head is incomplete at every octet but its last, and never refused on the way', () => {
  for (const one of REQUESTS.filter(({ take }) => take)) {
    const head = new RequestHead(names);
    const raw = Buffer.from(one.raw, 'latin1');
    const start = one.raw.startsWith('\r\n') ? 2 : 0;
    for (let end = start; end < raw.length; end += 1) {
      assert.equal(head.parse(raw.subarray(0, end), start, end), 'incomplete', `${one.name}, ${end} octets`);
    }
  }
  for (const one of RESPONSES.filter(({ take }) => take)) {
    const head = new ResponseHead(names);
    const raw = Buffer.from(one.raw, 'latin1');
    for (let end = 0; end < raw.length; end += 1) {
      assert.equal(head.parse(raw.subarray(0, end), { start: 0, end }, 'other'), 'incomplete', `${one.name}, ${end}`);
    }
  }
});
