import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#testing/fake-clock.ts';
import { Deadline, Deadlines } from '#dataplane/proxy/deadlines.ts';

function setUp() {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const expired: string[] = [];
  const make = (name: string) => new Deadline(() => expired.push(name));
  const set = (deadline: Deadline, ms: number) => deadlines.set(deadline, ms, clock.monotonicMs());
  return { clock, deadlines, expired, make, set };
}

test('deadlines of different lengths expire in order of time', async () => {
  const { clock, expired, make, set } = setUp();
  set(make('slow'), 100);
  set(make('fast'), 10);
  set(make('fast too'), 10);
  await clock.advance(10);
  assert.deepEqual(expired, ['fast', 'fast too']);
  await clock.advance(90);
  assert.deepEqual(expired, ['fast', 'fast too', 'slow']);
});

test('a deadline that is set again expires only after its new period', async () => {
  const { clock, expired, make, set } = setUp();
  const one = make('one');
  set(one, 50);
  for (let i = 0; i < 5; i += 1) {
    await clock.advance(40);
    set(one, 50);
  }
  assert.deepEqual(expired, []);
  await clock.advance(50);
  assert.deepEqual(expired, ['one']);
});

test('a cancelled deadline does not expire, nor disturb its neighbours', async () => {
  const { clock, deadlines, expired, make, set } = setUp();
  const [a, b, c] = [make('a'), make('b'), make('c')];
  for (const one of [a, b, c]) set(one, 20);
  deadlines.cancel(b);
  deadlines.cancel(b);
  await clock.advance(20);
  assert.deepEqual(expired, ['a', 'c']);
});

test('ten thousand deadlines wait on one timer', () => {
  const { clock, make, set } = setUp();
  for (let i = 0; i < 10_000; i += 1) set(make(`${i}`), 1_000 + (i % 3));
  assert.equal(clock.pending, 1);
});

test('one that expires may set another', async () => {
  const { clock, deadlines, expired, make } = setUp();
  const second = make('second');
  const first = new Deadline(() => deadlines.set(second, 5, clock.monotonicMs()));
  deadlines.set(first, 10, clock.monotonicMs());
  await clock.advance(15);
  assert.deepEqual(expired, ['second']);
});
