/** A list of exceptions must not outlive its reasons. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ignoredIn, type LeftOut, testOptions, wholeCase } from '#testing/http-replay/left-out.ts';
import { idleEntries } from '#testing/http-replay/replay.ts';

const reason = 'why';
const everywhere: LeftOut = { case: '*', ignore: ['/text'], reason };
const whole: LeftOut = { case: 'a', reason };
const step: LeftOut = { case: 'b', step: 1, reason };
const part: LeftOut = { case: 'b', step: 2, ignore: ['/code'], reason };

test('a whole case is expected to fail, or left to another test', () => {
  assert.equal(wholeCase([everywhere, step, whole], 'a'), whole);
  assert.equal(wholeCase([everywhere, step, part], 'b'), undefined);
  assert.deepEqual(testOptions(undefined), {});
  assert.deepEqual(testOptions(whole), { expectFailure: reason });
  assert.deepEqual(testOptions({ ...whole, isForPlatform: true }), { skip: reason });
});

test('what of a step does not count', () => {
  const all = [everywhere, step, part];
  assert.deepEqual(ignoredIn(all, 'b', 0), ['/text']);
  assert.equal(ignoredIn(all, 'b', 1), undefined);
  assert.deepEqual(ignoredIn(all, 'b', 2), ['/text', '/code']);
});

const rows: readonly { name: string; entry: LeftOut; differing: readonly string[]; idle: boolean }[] = [
  { name: 'hides a difference', entry: part, differing: ['/code'], idle: false },
  { name: 'hides nothing, as there is none', entry: part, differing: [], idle: true },
  { name: 'hides nothing, as others do', entry: part, differing: ['/text'], idle: true },
  { name: 'hides something now and then', entry: { ...part, isSometimes: true }, differing: [], idle: false },
  { name: 'hides a whole step', entry: { ...step, step: 2 }, differing: ['/status'], idle: false },
  { name: 'hides a whole step that is as recorded', entry: { ...step, step: 2 }, differing: [], idle: true },
];
for (const { name, entry, differing, idle } of rows) {
  test(`an entry that ${name}`, () => {
    const compare = (entries: readonly LeftOut[]) => {
      const ignored = ignoredIn(entries, 'b', 2);
      return ignored ? differing.filter((pointer) => !ignored.includes(pointer)) : [];
    };
    const found = idleEntries({ exceptions: [everywhere, entry], recorded: { name: 'b' }, position: 2 }, compare);
    assert.deepEqual(found, idle ? ['left out in vain: why'] : []);
  });
}
