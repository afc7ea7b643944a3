import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attribute,
  byteAttribute,
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  macBytes,
  macText,
  nested,
  numberAttribute,
  numberOf,
  textAttribute,
  textOf,
} from '#sys/netlink/message.ts';

test('an attribute is padded to four bytes, its length is not', () => {
  assert.equal(byteAttribute(7, 0xab).toString('hex'), '05000700ab000000');
  assert.equal(textAttribute(3, 'lo').toString('hex'), '070003006c6f0000');
});

test('attributes come back by type, nested ones without their flag', () => {
  const inner = [numberAttribute(1, 0xffff_fffe), textAttribute(2, 'veth')];
  const outer = decodeAttributes(Buffer.concat([nested(18, ...inner), byteAttribute(5, 1)]));
  const decoded = decodeAttributes(outer.get(18) ?? Buffer.alloc(0));
  assert.equal(numberOf(decoded.get(1)), 0xffff_fffe);
  assert.equal(textOf(decoded.get(2)), 'veth');
  assert.equal(numberOf(outer.get(5)), undefined);
});

test('several messages of one datagram are told apart, a cut one is dropped', () => {
  const first = encodeMessage({ type: 16, flags: 5, sequence: 1 }, [Buffer.from('abc')]);
  const second = encodeMessage({ type: 3, flags: 0, sequence: 2 }, []);
  const datagram = Buffer.concat([first, Buffer.alloc(1), second]);
  const messages = decodeMessages(Buffer.concat([datagram, second.subarray(0, 15)]));
  assert.deepEqual(
    messages.map(({ type, sequence, payload }) => [type, sequence, payload.toString()]),
    [
      [16, 1, 'abc'],
      [3, 2, ''],
    ],
  );
  assert.equal(decodeMessages(first.subarray(0, 17)).length, 0);
});

for (const [name, bytes] of [
  ['a length below the header', '0200010000000000'],
  ['a length beyond the end', 'ff00010000000000'],
] as const) {
  test(`attributes with ${name} end there`, () => {
    assert.equal(decodeAttributes(Buffer.from(bytes, 'hex')).size, 0);
  });
}

test('MAC addresses are read and written', () => {
  assert.equal(macText(macBytes('0a:58:0A:00:00:ff')), '0a:58:0a:00:00:ff');
  assert.throws(() => macBytes('0a:58'), /not a MAC address: 0a:58/);
  assert.equal(attribute(1, macBytes('02:00:00:00:00:01')).length, 12);
});
