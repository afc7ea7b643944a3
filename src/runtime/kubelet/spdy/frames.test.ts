import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frame, words } from '#runtime/kubelet/fixtures/spdy-client.ts';
import { SpdyError } from '#runtime/kubelet/spdy/errors.ts';
import {
  encodeData,
  encodeGoAway,
  encodePing,
  encodeRstStream,
  encodeSynReply,
  type Frame,
  FrameParser,
  MAX_CONTROL_BYTES,
} from '#runtime/kubelet/spdy/frames.ts';
import { EmptyHeaderWriter, HeaderReader } from '#runtime/kubelet/spdy/header-block.ts';

/** What kubectl 1.33 sends for `exec -i … -- cat` with "hello" on its input, in its own portions. */
const KUBECTL_EXEC = [
  '80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff',
  '800300010000001700000003000000000000c22e555c92929907000000ffff',
  '800300010000001900000005000000000000c22ac5565c92925f5a02000000ffff',
  '800300010000001500000007000000000000c229975a5404000000ffff',
  '0000000300000006',
  '68656c6c6f0a0000000301000000',
];

/** And for two connections of `port-forward` to port 35175. */
const KUBECTL_FORWARD =
  '800300010000003f0000000100000000000078f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614cb45a024cc6a6c6a680e2a85' +
  '388b20f198094adf8c0600000000ffff0000000101000000800300010000001800000003000000000000c2aa1b54102512a119000000ffff' +
  '800300030000000800000003000000058003000100000014000000050000' +
  '00000000a2c86a4300000000ffff';

function parse(bytes: Buffer, portion = bytes.length): Frame[] {
  const parser = new FrameParser();
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += portion) frames.push(...parser.feed(bytes.subarray(at, at + portion)));
  return frames;
}

/** Frames with pieces of data joined, which may be cut anywhere. */
function joined(frames: readonly Frame[]): unknown[] {
  const result: Record<string, unknown>[] = [];
  for (const one of frames) {
    const last = result.at(-1);
    if (one.type !== 'data')
      result.push({ ...one, ...('headerBlock' in one ? { headerBlock: hex(one.headerBlock) } : {}) });
    else if (last?.['type'] === 'data' && last['streamId'] === one.streamId && last['isFinal'] === false) {
      last['payload'] += hex(one.payload);
      last['isFinal'] = one.isFinal;
    } else result.push({ ...one, payload: hex(one.payload) });
  }
  return result;
}

const hex = (bytes: Buffer) => bytes.toString('hex');

test('what kubectl sends for exec is understood', async () => {
  const frames = parse(Buffer.from(KUBECTL_EXEC.join(''), 'hex'));
  using reader = new HeaderReader();
  const seen: unknown[] = [];
  for (const one of frames) {
    if (one.type === 'syn-stream') seen.push([one.streamId, ...(await reader.read(one.headerBlock)).entries()]);
    else if (one.type === 'data') seen.push([one.streamId, one.payload.toString(), one.isFinal]);
  }
  assert.deepEqual(seen, [
    [1, ['streamtype', 'error']],
    [3, ['streamtype', 'stdin']],
    [5, ['streamtype', 'stdout']],
    [7, ['streamtype', 'stderr']],
    [3, 'hello\n', false],
    [3, '', true],
  ]);
});

test('what kubectl sends for port-forward is understood', async () => {
  using reader = new HeaderReader();
  const seen: unknown[] = [];
  for (const one of parse(Buffer.from(KUBECTL_FORWARD, 'hex'))) {
    if (one.type === 'syn-stream') seen.push([one.streamId, Object.fromEntries(await reader.read(one.headerBlock))]);
    else seen.push([one.type, 'streamId' in one && one.streamId]);
  }
  assert.deepEqual(seen, [
    [1, { streamtype: 'error', port: '35175', requestid: '0' }],
    ['data', 1],
    [3, { streamtype: 'data', port: '35175', requestid: '0' }],
    ['rst-stream', 3],
    [5, { streamtype: 'error', port: '35175', requestid: '1' }],
  ]);
});

test('frames are the same however the bytes are cut', () => {
  const bytes = Buffer.from(KUBECTL_EXEC.join(''), 'hex');
  const whole = joined(parse(bytes));
  for (let portion = 1; portion < bytes.length; portion += 1) {
    assert.deepEqual(joined(parse(bytes, portion)), whole, `in portions of ${portion}`);
  }
});

const hostile: [name: string, bytes: Buffer][] = [
  ['another version', words(0x80020006, 4, 1)],
  ['a control frame longer than the limit', words(0x80030001, MAX_CONTROL_BYTES + 1)],
  ['data for stream 0', words(0, 1)],
  ['data with an unknown flag', words(1, 2 << 24)],
  ['SYN_STREAM without headers', frame(1, 0, words(1, 0).subarray(0, 8))],
  ['SYN_STREAM for stream 0', frame(1, 0, Buffer.alloc(20))],
  ['SYN_STREAM with an unknown flag', frame(1, 4, Buffer.alloc(20, 1))],
  ['RST_STREAM that is too short', frame(3, 0, words(1))],
  ['RST_STREAM with a flag', frame(3, 1, words(1, 5))],
  ['PING that is too long', frame(6, 0, words(1, 2))],
  ['GOAWAY that is too short', frame(7, 0, words(0))],
  ['HEADERS without headers', frame(8, 0, words(1))],
  ['SETTINGS with a count that is a lie', frame(4, 0, words(2, 0, 0))],
  ['WINDOW_UPDATE that is too short', frame(9, 0, words(1))],
];

for (const [name, bytes] of hostile) {
  test(`${name} breaks the rules`, () => {
    assert.throws(() => parse(bytes), SpdyError);
    assert.throws(() => parse(bytes, 1), SpdyError);
  });
}

test('frames that say nothing to a server are passed over', () => {
  const settings = frame(4, 0, words(1, 0x01000004, 100));
  const credential = frame(11, 0, Buffer.alloc(3));
  const ping = encodePing(7);
  assert.deepEqual(parse(Buffer.concat([settings, frame(9, 0, words(1, 5)), credential, ping])), [
    { type: 'ping', id: 7 },
  ]);
});

test('any bytes at all give frames or a SpdyError, and nothing is kept beyond one control frame', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
      const parser = new FrameParser();
      try {
        for (const chunk of chunks) for (const one of parser.feed(Buffer.from(chunk))) assert.ok(one.type);
      } catch (error) {
        assert.ok(error instanceof SpdyError);
      }
    }),
  );
});

test('what we write is what the protocol says', () => {
  assert.equal(hex(encodeData(3, Buffer.from('hi'), { isFinal: false })), '00000003000000026869');
  assert.equal(hex(encodeData(3, Buffer.alloc(0), { isFinal: true })), '0000000301000000');
  assert.equal(hex(encodeRstStream(5, 3)), '80030003000000080000000500000003');
  assert.equal(hex(encodePing(2)), '800300060000000400000002');
  assert.equal(hex(encodeGoAway(9, 1)), '80030007000000080000000900000001');
  assert.equal(hex(encodeSynReply(1, Buffer.from('ab', 'hex'))), '800300020000000500000001ab');
});

test('headers of replies unpack to nothing, as often as they are sent', async () => {
  const writer = new EmptyHeaderWriter();
  using reader = new HeaderReader();
  for (let count = 0; count < 3; count += 1) assert.equal((await reader.read(writer.next())).size, 0);
});
