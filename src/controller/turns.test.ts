import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurn } from '#controller/turns.ts';
import { FakeClock, settle } from '#testing/fake-clock.ts';

test('a slice ends when its time is over, and what came in has its turn before the next', async () => {
  let nowMs = 0;
  const clock = { monotonicMs: () => nowMs };
  const order: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    const work = async () => {
      order.push(name);
      // What goes on at once belongs to the slice.
      for (let step = 0; step < 5; step += 1) await Promise.resolve();
      nowMs += 1.5;
      order.push(`${name} done`);
    };
    inTurn(clock, () => void work());
  }
  setImmediate(() => setImmediate(() => order.push('message')));
  await settle();
  assert.deepEqual(order, ['a', 'a done', 'b', 'b done', 'message', 'c', 'c done']);
});

test('a slice is no more than 32 pieces', async () => {
  const clock = new FakeClock();
  let done = 0;
  let seen = 0;
  for (let piece = 0; piece < 40; piece += 1) inTurn(clock, () => (done += 1));
  setImmediate(() => setImmediate(() => (seen = done)));
  await settle();
  assert.deepEqual([seen, done], [32, 40]);
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
