import assert from 'node:assert/strict';
import { test } from 'node:test';
import { steadyTime } from '#autoscaler/steady-time.ts';

test('begins with the wall clock and goes on with the monotonic one, whatever the wall clock does', () => {
  let wall = 1_700_000_000_000;
  let monotonic = 5_000;
  const time = steadyTime({ now: () => wall, monotonicMs: () => monotonic });
  assert.equal(time(), 1_700_000_000_000);
  wall -= 3_600_000;
  monotonic += 250;
  assert.equal(time(), 1_700_000_000_250);
});
