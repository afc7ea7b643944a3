import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalQuantity, quantityToNumber } from '#kube/quantity.ts';

const format = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const rows: [string | number, string][] = [
  ['100m', '100m'],
  ['1000m', '1'],
  ['1500m', '1500m'],
  ['0.5', '500m'],
  [1, '1'],
  [' 2 ', '2'],
  ['1000000', '1M'],
  ['1024Mi', '1Gi'],
  ['1536Mi', '1536Mi'],
  ['0.5Gi', '512Mi'],
  ['1000Ki', '1000Ki'],
  ['0.5Ki', '512'],
  ['1.5e3', '1500'],
  ['12e6', '12e6'],
  ['1E', '1E'],
  ['1E3', '1e3'],
  ['-1Mi', '-1Mi'],
  ['-', '0'],
  ['0Gi', '0'],
  ['0.0000000001', '1n'],
  ['99999999999999999999', '9223372036854775807'],
  ['', format],
  ['x', format],
  ['1 Gi', format],
  ['1Gx', format],
  ['1GG', "unable to parse quantity's suffix"],
];

for (const [input, expected] of rows) {
  test(`quantity ${JSON.stringify(input)}`, () => {
    const result = canonicalQuantity(input);
    assert.equal(result instanceof Error ? result.message : result, expected);
  });
}

test('as a number', () => {
  assert.equal(quantityToNumber('250m'), 0.25);
  assert.equal(quantityToNumber('1Mi'), 1048576);
  assert.equal(quantityToNumber(undefined), 0);
});
