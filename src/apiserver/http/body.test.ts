import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseObjectBody } from '#apiserver/http/body.ts';

const lease = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', isCustom: false };

function field(number: number, bytes: Buffer): Buffer {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
  return Buffer.concat([
    Buffer.from([...(number < 16 ? [(number << 3) | 2] : [((number << 3) & 127) | 130, 1]), ...length]),
    bytes,
  ]);
}

/** A Lease whose managedFields hold that text. */
function leaseWith(fieldsV1: string): Buffer {
  const entry = field(7, field(1, Buffer.from(fieldsV1)));
  return Buffer.concat([Buffer.from('k8s\0'), field(2, field(1, field(17, entry)))]);
}

test('what is embedded in protobuf may be no deeper than a body of JSON', () => {
  const nested = (levels: number) => `${'{"a":'.repeat(levels)}{}${'}'.repeat(levels)}`;
  const { value } = parseObjectBody(leaseWith(nested(10)), 'protobuf', lease);
  assert.match(JSON.stringify(value), /"fieldsV1":\{"a":/);
  assert.throws(() => parseObjectBody(leaseWith(nested(600)), 'protobuf', lease), {
    message: /more than 500 levels deep/,
  });
});
