import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cidrAddress,
  cidrContains,
  cidrsOverlap,
  formatCidr,
  formatIp,
  ipv4Number,
  ipv4Text,
  parseCidr,
  parseIp,
} from '#base/ip.ts';

const ADDRESSES = [
  ['0.0.0.0', '0.0.0.0'],
  ['192.168.1.255', '192.168.1.255'],
  ['::', '::'],
  ['::1', '::1'],
  ['fe80::', 'fe80::'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:DB8::00ff', '2001:db8::ff'],
  ['::ffff:10.1.2.3', '::ffff:a01:203'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['10:0:0:1::', '10:0:0:1::'],
] as const;

for (const [text, formatted] of ADDRESSES) {
  test(`${text} is read and written as ${formatted}`, () => {
    const bytes = parseIp(text);
    assert.ok(bytes);
    assert.equal(formatIp(bytes), formatted);
  });
}

for (const text of ['', '1.2.3', '1.2.3.256', 'localhost', 'fe80::1%eth0', ':::']) {
  test(`${JSON.stringify(text)} is no address`, () => assert.equal(parseIp(text), undefined));
}

test('numbers are unsigned', () => {
  assert.equal(ipv4Number('255.255.255.255'), 4_294_967_295);
  assert.equal(ipv4Text(3_232_235_777), '192.168.1.1');
});

test('a range drops host bits and counts from its start', () => {
  const cidr = parseCidr('200.1.2.3/20');
  assert.ok(cidr);
  assert.equal(formatCidr(cidr), '200.1.0.0/20');
  assert.equal(cidrAddress(cidr, 258), '200.1.1.2');
  assert.ok(cidrContains(cidr, '200.1.15.255'));
  assert.ok(!cidrContains(cidr, '200.1.16.0'));
});

for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0/8', '::/8', 'x/8']) {
  test(`${text} is no range`, () => assert.equal(parseCidr(text), undefined));
}

const OVERLAPS = [
  ['10.0.0.0/8', '10.200.0.0/20', true],
  ['10.200.0.0/20', '10.200.15.255/32', true],
  ['10.200.0.0/20', '10.200.16.0/20', false],
  ['0.0.0.0/0', '1.2.3.4/32', true],
] as const;

for (const [left, right, expected] of OVERLAPS) {
  test(`${left} and ${right} ${expected ? 'overlap' : 'are apart'}`, () => {
    const [a, b] = [parseCidr(left), parseCidr(right)];
    assert.ok(a && b);
    assert.equal(cidrsOverlap(a, b), expected);
    assert.equal(cidrsOverlap(b, a), expected);
  });
}
