import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitSequence, TURNS } from '#dataplane/gateway/split-sequence.ts';

const percents = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 }).map((weights) => {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const shares = weights.map((weight) => Math.floor((weight * TURNS) / sum));
  shares[0] = (shares[0] ?? 0) + TURNS - shares.reduce((total, share) => total + share, 0);
  return shares;
});

test('each backend has exactly its percent of a hundred turns', () => {
  fc.assert(
    fc.property(percents, (shares) => {
      const sequence = [...splitSequence(shares)];
      shares.forEach((share, index) => assert.equal(sequence.filter((one) => one === index).length, share));
    }),
  );
});

test('turns are spread: no stretch strays from the shares by more than one request', () => {
  const sequence = [...splitSequence([80, 20])];
  for (let length = 1; length <= TURNS; length += 1) {
    for (let from = 0; from < TURNS; from += 1) {
      const stretch = Array.from({ length }, (_, i) => sequence[(from + i) % TURNS]);
      const second = stretch.filter((one) => one === 1).length;
      assert.ok(Math.abs(second - length * 0.2) <= 1, `${length} from ${from}: ${second}`);
    }
  }
});

test('one backend takes every turn', () => {
  assert.ok(splitSequence([100]).every((index) => index === 0));
});
