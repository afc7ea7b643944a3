/** When digests are looked up, how long, how often, and what is not looked up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DigestResolver, ImageCredentials } from '#serving/environment.ts';
import { type DigestAnswer, Digests, registryOf } from '#serving/revision/digests.ts';
import { FakeClock } from '#testing/fake-clock.ts';

const HASH = `sha256:${'0'.repeat(64)}`;
const credentials: ImageCredentials = { namespace: 'default', serviceAccount: '', imagePullSecrets: ['s'] };

class Registry implements DigestResolver {
  readonly asked: string[] = [];
  readonly credentials: ImageCredentials[] = [];
  readonly #answer: (image: string, signal: AbortSignal) => Promise<string>;

  constructor(answer: (image: string, signal: AbortSignal) => Promise<string> = async (image) => `${image}@${HASH}`) {
    this.#answer = answer;
  }

  async resolve(image: string, given: ImageCredentials, signal: AbortSignal): Promise<string> {
    this.asked.push(image);
    this.credentials.push(given);
    return this.#answer(image, signal);
  }
}

function start(resolver: Registry, skipped: string[] = []) {
  const clock = new FakeClock();
  const settled: string[] = [];
  const digests = new Digests({
    resolver,
    clock,
    settings: () => ({ timeoutMs: 10_000, skipped: new Set(skipped) }),
    onSettled: (key) => settled.push(key),
  });
  const ask = (images: string[], { key = 'default/a', uid = 'u' } = {}): DigestAnswer =>
    digests.ask({ key, uid, images, credentials });
  return { clock, settled, digests, ask };
}

/** Lets everything run that is ready to. */
async function rest(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

const hang = (signal: AbortSignal) =>
  new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

test('asked twice, resolved once, answered once', async () => {
  const registry = new Registry();
  const { ask, settled } = start(registry);
  assert.deepEqual(ask(['a', 'b', 'a']), { state: 'pending' });
  assert.deepEqual(ask(['a', 'b', 'a']), { state: 'pending' });
  await rest();
  assert.deepEqual(registry.asked, ['a', 'b']);
  assert.deepEqual(registry.credentials[0], credentials);
  assert.deepEqual(settled, ['default/a']);
  const digests = new Map([
    ['a', `a@${HASH}`],
    ['b', `b@${HASH}`],
  ]);
  assert.deepEqual(ask(['a', 'b', 'a']), { state: 'resolved', digests });
});

test('digests and skipped registries are answered at once, without a question', () => {
  const registry = new Registry();
  const { ask } = start(registry, ['dev.local']);
  const fixed = `x.org/a@${HASH}`;
  const digests = new Map([
    [fixed, fixed],
    ['dev.local/a:1', ''],
  ]);
  assert.deepEqual(ask([fixed, 'dev.local/a:1']), { state: 'resolved', digests });
  assert.deepEqual(registry.asked, []);
});

for (const [image, registry] of [
  ['a', 'index.docker.io'],
  ['a/b:1', 'index.docker.io'],
  ['docker.io/a/b', 'index.docker.io'],
  ['dev.local/a', 'dev.local'],
  ['localhost/a', 'localhost'],
  ['host:5000/a/b:1', 'host:5000'],
] as const) {
  test(`registry of ${image}`, () => assert.equal(registryOf(image), registry));
}

test('a failure is told once, and tried again later and later', async () => {
  const registry = new Registry(async () => {
    throw new Error('no');
  });
  const { ask, clock, settled } = start(registry);
  const message = 'Unable to fetch image "a": failed to resolve image to digest: no';
  for (const waitMs of [0, 1_000, 2_000, 4_000]) {
    assert.equal(ask(['a']).state, 'pending');
    await rest();
    await clock.advance(Math.max(0, waitMs - 1));
    if (waitMs > 0) assert.equal(ask(['a']).state, 'pending', `early, before ${waitMs} ms`);
    await clock.advance(1);
    assert.deepEqual(ask(['a']), { state: 'failed', message });
  }
  assert.equal(registry.asked.length, 4);
  assert.equal(settled.length, 4);
});

test('success ends the waiting: the next look-up starts at once', async () => {
  let isUp = false;
  const registry = new Registry(async (image) => {
    if (!isUp) throw new Error('no');
    return `${image}@${HASH}`;
  });
  const { ask, clock } = start(registry);
  ask(['a']);
  await rest();
  assert.equal(ask(['a']).state, 'failed');
  isUp = true;
  ask(['a']);
  await clock.advance(1_000);
  assert.equal(ask(['a']).state, 'resolved');
  isUp = false;
  ask(['a']);
  await rest();
  assert.equal(ask(['a']).state, 'failed');
});

test('a registry that does not answer is given up after the time set', async () => {
  const { ask, clock } = start(new Registry((_, signal) => hang(signal)));
  ask(['a']);
  await rest();
  await clock.advance(9_999);
  assert.equal(ask(['a']).state, 'pending');
  await clock.advance(1);
  const message = 'Unable to fetch image "a": failed to resolve image to digest: context deadline exceeded';
  assert.deepEqual(ask(['a']), { state: 'failed', message });
});

test('one failure ends the look-ups beside it', async () => {
  const stopped: string[] = [];
  const registry = new Registry(async (image, signal) => {
    if (image === 'bad') throw new Error('no');
    signal.addEventListener('abort', () => stopped.push(image));
    return hang(signal);
  });
  const { ask, settled } = start(registry);
  ask(['good', 'bad']);
  await rest();
  assert.deepEqual(stopped, ['good']);
  assert.deepEqual(settled, ['default/a']);
});

test('a Revision that is gone, or another of its name, starts anew', async () => {
  const registry = new Registry((_, signal) => hang(signal));
  const { ask, digests, settled } = start(registry);
  ask(['a']);
  await rest();
  ask(['a'], { uid: 'other' });
  await rest();
  digests.forget('default/a');
  await rest();
  assert.equal(registry.asked.length, 2);
  assert.deepEqual(settled, []);
});

test('no more than a hundred side by side; those that wait are not forgotten', async () => {
  const open: (() => void)[] = [];
  const registry = new Registry((image) => new Promise((resolve) => open.push(() => resolve(`${image}@${HASH}`))));
  const { ask, settled, digests } = start(registry);
  for (let index = 0; index < 150; index += 1) ask(['a'], { key: `default/${index}` });
  await rest();
  assert.equal(registry.asked.length, 100);
  for (const answer of open.splice(0)) answer();
  await rest();
  assert.equal(registry.asked.length, 150);
  for (const answer of open.splice(0)) answer();
  await rest();
  assert.equal(settled.length, 150);
  digests[Symbol.dispose]();
});
