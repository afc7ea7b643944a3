import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { Controller, type Outcome, type Source, TerminalError } from '#controller/controller.ts';
import { FakeClock, settle } from '#testing/fake-clock.ts';

interface Fixture extends AsyncDisposable {
  clock: FakeClock;
  enqueue(key: string): void;
  seen: string[];
}

function fixture(reconcile: (key: string) => Promise<Outcome> | Outcome, keys: string[] = []): Fixture {
  const clock = new FakeClock();
  const seen: string[] = [];
  let enqueue: (key: string) => void = () => {};
  const source: Source = {
    start: (sink) => {
      enqueue = sink;
      for (const key of keys) sink(key);
    },
    keys: () => keys,
    [Symbol.dispose]: () => {},
  };
  const controller = new Controller({
    name: 'test',
    clock,
    logger: silentLogger,
    metrics: new MetricRegistry(),
    sources: [source],
    reconcile: async (key) => {
      seen.push(key);
      return reconcile(key);
    },
  });
  controller.start();
  return {
    clock,
    seen,
    enqueue: (key) => enqueue(key),
    [Symbol.asyncDispose]: () => controller[Symbol.asyncDispose](),
  };
}

test('several changes of one key in one turn make one reconcile', async () => {
  await using f = fixture(() => {});
  f.enqueue('a');
  f.enqueue('a');
  f.enqueue('b');
  await settle();
  assert.deepEqual(f.seen, ['a', 'b']);
});

test('a key that changes while it is worked on is worked on again afterwards, never at the same time', async () => {
  const gate = Promise.withResolvers<void>();
  let running = 0;
  await using f = fixture(async () => {
    running += 1;
    assert.equal(running, 1);
    await gate.promise;
    running -= 1;
  });
  f.enqueue('a');
  await settle();
  f.enqueue('a');
  f.enqueue('a');
  await settle();
  assert.deepEqual(f.seen, ['a']);
  gate.resolve();
  await settle();
  assert.deepEqual(f.seen, ['a', 'a']);
});

test('failures back off from 5 ms, doubling, and success starts afresh', async () => {
  let failures = 3;
  await using f = fixture(() => {
    failures -= 1;
    if (failures >= 0) throw new Error('not yet');
  });
  f.enqueue('a');
  await settle();
  assert.equal(f.seen.length, 1);
  await f.clock.advance(4);
  assert.equal(f.seen.length, 1);
  await f.clock.advance(1);
  assert.equal(f.seen.length, 2);
  await f.clock.advance(10);
  assert.equal(f.seen.length, 3);
  await f.clock.advance(20);
  assert.equal(f.seen.length, 4);
});

test('an outcome with a delay brings the key back once', async () => {
  let rounds = 0;
  await using f = fixture(() => {
    rounds += 1;
    return rounds === 1 ? { requeueAfterMs: 1_000 } : undefined;
  });
  f.enqueue('a');
  await f.clock.advance(999);
  assert.equal(f.seen.length, 1);
  await f.clock.advance(10_000);
  assert.equal(f.seen.length, 2);
});

test('a terminal failure rests until the object changes', async () => {
  await using f = fixture(() => {
    throw new TerminalError('never');
  });
  f.enqueue('a');
  await f.clock.advance(60_000);
  assert.equal(f.seen.length, 1);
  f.enqueue('a');
  await settle();
  assert.equal(f.seen.length, 2);
});

test('every key is looked at again on the slow period', async () => {
  await using f = fixture(() => {}, ['a', 'b']);
  await settle();
  await f.clock.advance(10 * 60_000);
  assert.deepEqual(f.seen, ['a', 'b', 'a', 'b']);
});

test('at most eight keys are worked on side by side', async () => {
  let running = 0;
  let most = 0;
  const gate = Promise.withResolvers<void>();
  await using f = fixture(async () => {
    running += 1;
    most = Math.max(most, running);
    await gate.promise;
    running -= 1;
  });
  for (let index = 0; index < 20; index += 1) f.enqueue(`k${index}`);
  await settle();
  assert.equal(most, 8);
  gate.resolve();
  await settle();
  assert.equal(f.seen.length, 20);
});

test('reconciles give way to what comes in meanwhile; urgent ones do not', async () => {
  const order: string[] = [];
  const make = (name: string, isUrgent: boolean) => {
    let enqueue: (key: string) => void = () => {};
    const clock = new FakeClock();
    const controller = new Controller({
      name,
      clock,
      logger: silentLogger,
      metrics: new MetricRegistry(),
      isUrgent,
      sources: [{ start: (sink) => (enqueue = sink), keys: () => [], [Symbol.dispose]: () => {} }],
      reconcile: async (key) => void order.push(`${name} ${key}`),
    });
    controller.start();
    return { controller, enqueue: (key: string) => enqueue(key) };
  };
  const [status, pods] = [make('status', false), make('pods', true)];
  await using _ = status.controller;
  await using __ = pods.controller;
  status.enqueue('a');
  status.enqueue('a');
  pods.enqueue('b');
  setImmediate(() => order.push('message'));
  await Promise.resolve();
  await settle();
  assert.deepEqual(order, ['pods b', 'status a', 'message']);
});
