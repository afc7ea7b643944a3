import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { pairs, SpdyClient, words } from '#runtime/kubelet/fixtures/spdy-client.ts';
import { HEADER_DICTIONARY, HEADER_DICTIONARY_ID } from '#runtime/kubelet/spdy/dictionary.ts';
import { SpdyError } from '#runtime/kubelet/spdy/errors.ts';
import { HeaderReader, MAX_HEADER_BYTES, MAX_HEADERS } from '#runtime/kubelet/spdy/header-block.ts';

/** Reads blocks that were packed one after the other. */
async function read(...blocks: readonly Buffer[]): Promise<Record<string, string>[]> {
  const client = new SpdyClient(new PassThrough());
  using reader = new HeaderReader();
  const seen: Record<string, string>[] = [];
  for (const block of blocks) seen.push(Object.fromEntries(await reader.read(await client.pack(block))));
  return seen;
}

test('the dictionary is the one that its sum names', () => {
  let [low, high] = [1, 0];
  for (const byte of HEADER_DICTIONARY) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  assert.equal(((high * 65_536 + low) >>> 0).toString(16), HEADER_DICTIONARY_ID.toString(16));
});

test('names and values come out in order, block after block of one compression', async () => {
  const first = { streamtype: 'data', port: '8080', requestid: '0' };
  const second = { streamtype: 'data', port: '8080', requestid: '1' };
  assert.deepEqual(await read(pairs(Object.entries(first)), pairs(Object.entries(second))), [first, second]);
  assert.deepEqual(await read(pairs([])), [{}]);
});

const hostile: [name: string, block: Buffer][] = [
  ['no count', Buffer.alloc(2)],
  ['a count that is a lie', pairs([], 2)],
  ['too many names', pairs([], MAX_HEADERS + 1)],
  ['a name in upper case', pairs([['Port', '80']])],
  ['an empty name', pairs([['', '80']])],
  [
    'a name twice',
    pairs([
      ['port', '80'],
      ['port', '81'],
    ]),
  ],
  ['a length beyond the end', Buffer.concat([words(1, 0x7fffffff), Buffer.from('port')])],
  ['bytes behind the last value', Buffer.concat([pairs([['port', '80']]), Buffer.alloc(1)])],
  ['more than the limit', pairs([['port', 'x'.repeat(MAX_HEADER_BYTES)]])],
  ['a bomb', pairs([['port', 'x'.repeat(64 * 1024 * 1024)]])],
];

for (const [name, block] of hostile) {
  test(`${name} is refused`, async () => {
    await assert.rejects(read(block), SpdyError);
  });
}

test('what is no zlib is refused', async () => {
  using reader = new HeaderReader();
  await assert.rejects(reader.read(Buffer.from('certainly not compressed')), SpdyError);
  using other = new HeaderReader();
  // zlib, but from another dictionary.
  await assert.rejects(other.read(Buffer.from('78bb00000001000400fbff00000000', 'hex')), SpdyError);
});
