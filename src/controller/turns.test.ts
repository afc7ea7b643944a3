import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurn } from '#controller/turns.ts';
import { FakeClock, settle } from '#testing/fake-clock.ts';

test('a slice ends when its time is over, and what came in has its turn before the next', async () => {
  const clock = new FakeClock();
  let nowMs = 0;
  const slow = { ...clock, monotonicMs: () => nowMs };
  const order: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    inTurn(slow, () => {
      order.push(name);
      nowMs += 1.5;
    });
  }
  setImmediate(() => order.push('message'));
  await settle();
  assert.deepEqual(order, ['a', 'b', 'message', 'c']);
});

test('work that makes work goes to the end of the line', async () => {
  const clock = new FakeClock();
  const order: string[] = [];
  inTurn(clock, () => {
    order.push('a');
    inTurn(clock, () => order.push('after a'));
  });
  inTurn(clock, () => order.push('b'));
  await settle();
  assert.deepEqual(order, ['a', 'b', 'after a']);
});
