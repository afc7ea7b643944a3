import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPercent, scaledValue } from '#kube/int-or-string.ts';

test('a share of a total, rounded as asked', () => {
  assert.equal(scaledValue(3, 10, 'up'), 3);
  assert.equal(scaledValue('25%', 10, 'up'), 3);
  assert.equal(scaledValue('25%', 10, 'down'), 2);
  assert.equal(scaledValue('0%', 10, 'up'), 0);
  assert.equal(scaledValue('http', 10, 'up'), undefined);
  assert.deepEqual(['1%', '%', 'x%', '-1%'].map(isPercent), [true, false, false, false]);
});
