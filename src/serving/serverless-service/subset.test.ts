import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseSubset } from '#serving/serverless-service/subset.ts';

const addresses = Array.from({ length: 20 }, (_, index) => `10.0.0.${index + 1}`);

test('none or more than there are means all', () => {
  assert.equal(chooseSubset(addresses, 0, 'a').size, 20);
  assert.equal(chooseSubset(addresses, 21, 'a').size, 20);
});

test('exactly as many as asked for, whatever the number', () => {
  for (let count = 1; count < 20; count += 1) assert.equal(chooseSubset(addresses, count, 'a').size, count);
});

test('order of the addresses does not matter, the revision’s name does', () => {
  const chosen = [...chooseSubset(addresses, 5, 'a')].sort();
  assert.deepEqual([...chooseSubset(addresses.toReversed(), 5, 'a')].sort(), chosen);
  const others = ['b', 'c', 'd', 'e'].map((name) => [...chooseSubset(addresses, 5, name)].sort().join());
  assert.ok(others.some((other) => other !== chosen.join()));
});

test('one address that goes moves few of the chosen', () => {
  const chosen = [...chooseSubset(addresses, 10, 'a')];
  for (const gone of addresses) {
    const left = addresses.filter((address) => address !== gone);
    const after = chooseSubset(left, 10, 'a');
    const lost = chosen.filter((address) => address !== gone && !after.has(address));
    assert.ok(lost.length <= 3, `${gone}: ${lost.length}`);
  }
});

test('more addresses than places on the circle all find one', () => {
  const many = Array.from({ length: 1_500 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  assert.equal(chooseSubset(many, 1_499, 'a').size, 1_499);
});
