import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { StartTurns } from '#runtime/pod/start-turns.ts';
import { FakeClock, settle } from '#testing/fake-clock.ts';

const forever = new AbortController().signal;
const WIDTH = 2 * availableParallelism();

function line(turns: StartTurns, count: number) {
  const taken: Disposable[] = [];
  for (let number = 0; number < count; number += 1) void turns.take(forever).then((turn) => taken.push(turn));
  return taken;
}

test('two starts a processor at once; the next begins when one ends', async () => {
  const taken = line(new StartTurns(new FakeClock()), WIDTH + 2);
  await settle();
  assert.equal(taken.length, WIDTH);
  taken[0]?.[Symbol.dispose]();
  await settle();
  assert.equal(taken.length, WIDTH + 1);
});

test('a start that is stuck holds nobody else up', async () => {
  const clock = new FakeClock();
  const taken = line(new StartTurns(clock), WIDTH + 1);
  await clock.advance(9_999);
  assert.equal(taken.length, WIDTH);
  await clock.advance(1);
  assert.equal(taken.length, WIDTH + 1);
  taken[0]?.[Symbol.dispose]();
  assert.equal(clock.pending, 1, 'the last one’s limit');
});
