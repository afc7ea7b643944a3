import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PodTokens, type WantedToken } from '#runtime/volumes/pod-tokens.ts';
import { FakeClock } from '#testing/fake-clock.ts';

const HOUR_MS = 3_600_000;
const anHour: WantedToken = { audience: undefined, expirationSeconds: 3_600 };

function tokens() {
  const clock = new FakeClock();
  const asked: WantedToken[] = [];
  let failure: Error | undefined;
  const pod = new PodTokens(clock, async (wanted) => {
    asked.push(wanted);
    if (failure) throw failure;
    return { token: `token-${asked.length}`, expiresAt: clock.now() + wanted.expirationSeconds * 1_000 };
  });
  return { clock, asked, pod, fail: (error: Error | undefined) => (failure = error) };
}

test('a token is asked for once, and again after four fifths of its life, give or take ten seconds', async () => {
  const { clock, pod } = tokens();
  assert.equal(await pod.get(anHour), 'token-1');
  await clock.advance(0.8 * HOUR_MS - 11_000);
  assert.equal(await pod.get(anHour), 'token-1');
  await clock.advance(11_000);
  assert.equal(await pod.get(anHour), 'token-2');
  await clock.advance(0.8 * HOUR_MS - 11_000);
  assert.equal(await pod.get(anHour), 'token-2');
});

test('one that lives for long is asked for anew after a day', async () => {
  const { clock, pod } = tokens();
  const aMonth = { ...anHour, expirationSeconds: 30 * 24 * 3_600 };
  await pod.get(aMonth);
  await clock.advance(24 * HOUR_MS);
  assert.equal(await pod.get(aMonth), 'token-2');
});

test('for each audience and life a token of its own', async () => {
  const { pod, asked } = tokens();
  await pod.get(anHour);
  await pod.get({ ...anHour, audience: 'vault' });
  await pod.get({ ...anHour, expirationSeconds: 600 });
  assert.equal(await pod.get(anHour), 'token-1');
  assert.equal(asked.length, 3);
});

test('what is expected is asked for once, also while the answer is on its way', async () => {
  const { pod, asked, fail } = tokens();
  pod.expect(anHour);
  assert.deepEqual(await Promise.all([pod.get(anHour), pod.get(anHour)]), ['token-1', 'token-1']);
  assert.equal(asked.length, 1);
  fail(new Error('gone'));
  pod.expect({ ...anHour, audience: 'vault' });
  await assert.rejects(pod.get({ ...anHour, audience: 'vault' }), /failed to fetch token: gone/);
});

test('the old one is shown for as long as it is good when there is no new one', async () => {
  const { clock, pod, fail } = tokens();
  await pod.get(anHour);
  await clock.advance(0.9 * HOUR_MS);
  fail(new Error('serviceaccounts "robot" not found'));
  assert.equal(await pod.get(anHour), 'token-1');
  await clock.advance(0.2 * HOUR_MS);
  const message = 'failed to fetch token: serviceaccounts "robot" not found';
  await assert.rejects(pod.get(anHour), { name: 'VolumeError', message });
  fail(undefined);
  assert.match(await pod.get(anHour), /^token-/);
});
