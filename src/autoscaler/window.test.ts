import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Aggregation, TimedWindow } from '#autoscaler/window.ts';

/** An instant whose second is no multiple of any window used here. */
const T0 = 1_700_000_003_000;
const at = (seconds: number) => T0 + seconds * 1000;

type Write = readonly [second: number, value: number];

function written(aggregation: Aggregation, windowSeconds: number, writes: readonly Write[]): TimedWindow {
  const window = new TimedWindow(aggregation, windowSeconds * 1000);
  for (const [second, value] of writes) window.record(at(second), value);
  return window;
}

const ONE_TO_FIVE: readonly Write[] = [
  [0, 1],
  [1, 2],
  [2, 3],
  [3, 4],
  [4, 5],
];

describe('linear average', () => {
  const rows: { name: string; window: number; writes: readonly Write[]; now: number; average: number }[] = [
    { name: 'nothing written', window: 5, writes: [], now: 0, average: 0 },
    { name: 'a full window', window: 5, writes: ONE_TO_FIVE, now: 4, average: 3 },
    { name: 'seconds that scrolled out are left out', window: 5, writes: ONE_TO_FIVE, now: 6, average: 4 },
    { name: 'only the last second is left', window: 5, writes: ONE_TO_FIVE, now: 8, average: 5 },
    { name: 'silent for a window', window: 5, writes: ONE_TO_FIVE, now: 9, average: 0 },
    { name: 'silent for longer', window: 5, writes: ONE_TO_FIVE, now: 10, average: 0 },
    { name: 'a write after a short pause', window: 5, writes: [...ONE_TO_FIVE, [6, 91]], now: 6, average: 20.6 },
    {
      name: 'a young window averages over its own age',
      window: 60,
      writes: [
        [0, 10],
        [1, 20],
      ],
      now: 1,
      average: 15,
    },
    { name: 'silence after the last write does not dilute', window: 60, writes: [[0, 10]], now: 30, average: 10 },
    {
      name: 'seconds between two writes count as zero',
      window: 60,
      writes: [
        [0, 10],
        [4, 10],
      ],
      now: 4,
      average: 4,
    },
    {
      name: 'values of one second add up',
      window: 5,
      writes: [
        [0, 1],
        [0.25, 2],
        [0.999, 4],
      ],
      now: 0.5,
      average: 7,
    },
    { name: 'a late value inside the window counts', window: 5, writes: [...ONE_TO_FIVE, [1, 10]], now: 4, average: 5 },
    {
      name: 'a late value moves the first second back',
      window: 5,
      writes: [
        [4, 8],
        [1, 4],
      ],
      now: 4,
      average: 3,
    },
    {
      name: 'a late value outside the window is dropped',
      window: 5,
      writes: [
        [5, 8],
        [0, 4],
      ],
      now: 5,
      average: 8,
    },
    {
      name: 'a late value into the oldest second',
      window: 5,
      writes: [
        [5, 8],
        [1, 2],
      ],
      now: 5,
      average: 2,
    },
    { name: 'a pause of a window forgets', window: 5, writes: [...ONE_TO_FIVE, [9, 7]], now: 9, average: 7 },
    { name: 'a pause just shorter remembers', window: 5, writes: [...ONE_TO_FIVE, [8, 7]], now: 8, average: 2.4 },
    { name: 'a now before the last write', window: 5, writes: ONE_TO_FIVE, now: 2, average: 3 },
    {
      name: 'six decimals',
      window: 3,
      writes: [
        [0, 1],
        [1, 0],
        [2, 0],
      ],
      now: 2,
      average: 0.333333,
    },
    {
      name: 'a window of part of a second more has a bucket more',
      window: 1.5,
      writes: [
        [0, 2],
        [1, 4],
      ],
      now: 1,
      average: 3,
    },
  ];
  for (const { name, window, writes, now, average } of rows) {
    test(name, () => assert.equal(written('linear', window, writes).average(at(now)), average));
  }

  test('what adds up to nothing is zero and not minus zero', () => {
    const window = written('linear', 5, [
      [0, 0.1],
      [1, 0.2],
      [2, 0.3],
    ]);
    for (let second = 3; second < 20; second += 1) window.record(at(second), 0);
    assert.ok(Object.is(window.average(at(19)), 0));
  });
});

describe('weighted exponential average', () => {
  const coefficients = [
    { seconds: 100, smoothing: 0.2 },
    { seconds: 60, smoothing: 0.2 },
    { seconds: 40, smoothing: 0.20567 },
    { seconds: 6, smoothing: 0.78456 },
  ];
  for (const { seconds, smoothing } of coefficients) {
    test(`the newest of ${seconds} seconds weighs ${smoothing}`, () => {
      const average = written('weighted-exponential', seconds, [[0, 1]]).average(at(0));
      assert.equal(Number(average.toFixed(5)), smoothing);
    });
  }

  const c = 0.2;
  const rows: { name: string; writes: readonly Write[]; now: number; average: number }[] = [
    {
      name: 'older seconds weigh less',
      writes: [
        [0, 10],
        [1, 20],
      ],
      now: 1,
      average: 20 * c + 10 * c * (1 - c),
    },
    { name: 'silent seconds weigh, too', writes: [[0, 10]], now: 3, average: 10 * c * (1 - c) ** 3 },
    { name: 'silent for a window', writes: [[0, 10]], now: 60, average: 0 },
    { name: 'silent for longer', writes: [[0, 10]], now: 61, average: 0 },
    { name: 'not rounded', writes: [[0, 1e-7]], now: 0, average: 1e-7 * c },
  ];
  for (const { name, writes, now, average } of rows) {
    test(name, () => {
      assert.ok(Math.abs(written('weighted-exponential', 60, writes).average(at(now)) - average) < 1e-12);
    });
  }

  test('the weights are not normalised: a constant load is underrated', () => {
    const window = new TimedWindow('weighted-exponential', 60_000);
    for (let second = 0; second < 60; second += 1) window.record(at(second), 100);
    assert.equal(window.average(at(59)).toFixed(6), (100 * (1 - 0.8 ** 60)).toFixed(6));
  });
});

describe('empty', () => {
  const rows = [
    { name: 'never written', writes: [], now: 0, empty: true },
    { name: 'just written', writes: [[0, 1]] as Write[], now: 0, empty: false },
    { name: 'written a window ago', writes: [[0, 1]] as Write[], now: 5, empty: false },
    { name: 'within the second after that', writes: [[0, 1]] as Write[], now: 5.999, empty: false },
    { name: 'written longer ago', writes: [[0, 1]] as Write[], now: 6, empty: true },
    { name: 'a zero was written', writes: [[0, 0]] as Write[], now: 1, empty: false },
  ];
  for (const { name, writes, now, empty } of rows) {
    test(name, () => assert.equal(written('linear', 5, writes).isEmpty(at(now)), empty));
  }
});

describe('resize', () => {
  const rows: { name: string; from: number; to: number; writes: readonly Write[]; now: number; average: number }[] = [
    { name: 'the same length', from: 5, to: 5, writes: ONE_TO_FIVE, now: 4, average: 3 },
    { name: 'shorter keeps the newest', from: 5, to: 3, writes: ONE_TO_FIVE, now: 4, average: 4 },
    { name: 'longer keeps all', from: 5, to: 10, writes: ONE_TO_FIVE, now: 4, average: 3 },
    { name: 'longer does not dilute what had scrolled out', from: 3, to: 60, writes: ONE_TO_FIVE, now: 4, average: 4 },
    {
      name: 'longer does not dilute a young window',
      from: 60,
      to: 120,
      writes: [
        [0, 9],
        [1, 9],
      ],
      now: 1,
      average: 9,
    },
    { name: 'an outdated window is cleared', from: 5, to: 60, writes: ONE_TO_FIVE, now: 10, average: 0 },
  ];
  for (const { name, from, to, writes, now, average } of rows) {
    for (const offset of [0, 1, 2, 3, 4]) {
      test(`${name}, ring offset ${offset}`, () => {
        const shifted = writes.map(([second, value]): Write => [second + offset, value]);
        const window = written('linear', from, shifted);
        window.resize(to * 1000, at(now + offset));
        assert.equal(window.average(at(now + offset)), average);
        assert.equal(window.windowMs, to * 1000);
      });
    }
  }

  test('the window goes on after it', () => {
    const window = written('linear', 5, ONE_TO_FIVE);
    window.resize(3_000, at(4));
    window.record(at(5), 6);
    assert.equal(window.average(at(5)), 5);
    window.resize(6_000, at(5));
    window.record(at(6), 9);
    assert.equal(window.average(at(6)), 6);
  });

  test('a cleared window begins with the next write', () => {
    const window = written('linear', 5, ONE_TO_FIVE);
    window.resize(60_000, at(10));
    assert.equal(window.average(at(10)), 0);
    window.record(at(11), 8);
    assert.equal(window.average(at(11)), 8);
  });

  test('the weights follow the new length', () => {
    const window = written('weighted-exponential', 60, [[0, 1]]);
    window.resize(6_000, at(0));
    assert.equal(Number(window.average(at(0)).toFixed(5)), 0.78456);
  });
});
