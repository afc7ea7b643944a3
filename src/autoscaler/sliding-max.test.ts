import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptySlidingMax, maximum, type SlidingMax, withValue } from '#autoscaler/sliding-max.ts';

const LENGTH = { lengthMs: 10_000 };

function after(values: readonly (readonly [second: number, value: number])[]): SlidingMax {
  return values.reduce(
    (known, [second, value]) => withValue(known, value, { nowMs: second * 1000, ...LENGTH }),
    emptySlidingMax,
  );
}

const rows = [
  { name: 'nothing', values: [], max: undefined },
  { name: 'one value', values: [[0, 3]], max: 3 },
  {
    name: 'a smaller one later',
    values: [
      [0, 3],
      [2, 1],
    ],
    max: 3,
  },
  {
    name: 'a larger one later',
    values: [
      [0, 3],
      [2, 7],
    ],
    max: 7,
  },
  {
    name: 'kept until the length is over',
    values: [
      [0, 9],
      [2, 1],
      [8, 1],
    ],
    max: 9,
  },
  {
    name: 'gone when the length is over',
    values: [
      [0, 9],
      [2, 4],
      [10, 1],
    ],
    max: 4,
  },
  {
    name: 'falls step by step',
    values: [
      [0, 9],
      [4, 5],
      [10, 1],
      [14, 1],
    ],
    max: 1,
  },
  {
    name: 'the larger of two in one slot',
    values: [
      [0, 9],
      [1.9, 2],
    ],
    max: 9,
  },
  {
    name: 'the larger of two in one slot, the other way round',
    values: [
      [0, 2],
      [1.9, 9],
    ],
    max: 9,
  },
  { name: 'zero is a value', values: [[0, 0]], max: 0 },
] as const;

for (const { name, values, max } of rows) {
  test(name, () => assert.equal(maximum(after(values)), max));
}

test('what can no longer be the maximum is not kept', () => {
  const rising = Array.from({ length: 1_000 }, (_, index) => [index * 2, index] as const);
  assert.equal(after(rising).length, 1);
});

test('a length that is no whole number of slots holds one more', () => {
  const known = withValue(emptySlidingMax, 9, { nowMs: 0, lengthMs: 3_000 });
  assert.equal(maximum(withValue(known, 1, { nowMs: 2_000, lengthMs: 3_000 })), 9);
  assert.equal(maximum(withValue(known, 1, { nowMs: 4_000, lengthMs: 3_000 })), 1);
});

test('slots begin at even seconds', () => {
  const known = withValue(emptySlidingMax, 9, { nowMs: 1_999, lengthMs: 2_000 });
  assert.equal(maximum(withValue(known, 1, { nowMs: 2_000, lengthMs: 2_000 })), 1);
});
