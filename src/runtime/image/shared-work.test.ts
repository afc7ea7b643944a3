import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedWork } from '#runtime/image/shared-work.ts';
import { settle } from '#testing/fake-clock.ts';

const forever = new AbortController().signal;

test('work under one key is done once, under another key again', async () => {
  const shared = new SharedWork<number>();
  let runs = 0;
  const work = async () => (runs += 1);
  assert.deepEqual(
    await Promise.all(['a', 'a', 'b'].map((key) => shared.run(key, { signal: forever }, work))),
    [1, 1, 2],
  );
  assert.equal(await shared.run('a', { signal: forever }, work), 3);
  assert.equal(shared.size, 0);
});

test('progress is heard by all, a failure too', async () => {
  const shared = new SharedWork<void, number>();
  const heard: string[] = [];
  const work = async ({ onProgress }: { onProgress: (step: number) => void }) => {
    await settle();
    onProgress(1);
    throw new Error('broken');
  };
  const runs = ['x', 'y'].map((who) =>
    shared.run('a', { signal: forever, onProgress: (step) => heard.push(`${who}${step}`) }, work),
  );
  for (const run of runs) await assert.rejects(run, /broken/);
  assert.deepEqual(heard, ['x1', 'y1']);
});

test('the work ends when the last interest does, and who comes then begins anew', async () => {
  const shared = new SharedWork<void>();
  const signals: AbortSignal[] = [];
  const work = ({ signal }: { signal: AbortSignal }) => {
    signals.push(signal);
    return new Promise<void>(() => {});
  };
  const [first, second] = [new AbortController(), new AbortController()];
  const runs = [first, second].map(({ signal }) => shared.run('a', { signal }, work).catch((error: unknown) => error));
  first.abort(new Error('one'));
  assert.match(String(await runs[0]), /one/);
  assert.equal(signals[0]?.aborted, false);
  second.abort(new Error('two'));
  assert.match(String(await runs[1]), /two/);
  assert.equal(signals[0]?.aborted, true);
  void shared.run('a', { signal: forever }, work);
  assert.equal(signals.length, 2);
  await assert.rejects(shared.run('a', { signal: AbortSignal.abort(new Error('late')) }, work), /late/);
});
