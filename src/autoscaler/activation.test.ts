import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { activate } from '#autoscaler/fixtures/gateway.ts';
import { podAutoscaler, REVISION_KEY } from '#autoscaler/fixtures/objects.ts';
import { REF, World, type WorldOptions } from '#autoscaler/fixtures/world.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';

/** A revision at zero. */
async function asleep(options: WorldOptions = {}): Promise<World> {
  const world = await World.start({
    config: { 'stable-window': '6s', 'scale-to-zero-grace-period': '2s' },
    ...options,
  });
  await world.podsAsWanted();
  await world.seconds(20);
  await world.podsAsWanted();
  await world.seconds(10);
  assert.equal(await world.replicas(), 0);
  world.transport.writes.length = 0;
  return world;
}

describe('the first request', () => {
  test('asks for a pod in the same turn, before anything else is written', async () => {
    await using world = await asleep();
    world.autoscaler.onActivate(activate(REVISION_KEY, world.api.clock.now()));
    assert.deepEqual(world.transport.writes, ['patch Deployment/scale']);
    await world.settled();
    assert.equal(await world.replicas(), 1);
    assert.equal(await world.condition('Active'), 'Unknown Queued');
    assert.equal((await world.podAutoscaler()).status?.desiredScale, 1);
  });

  test('makes the revision active once the pod is ready', async () => {
    await using world = await asleep();
    await world.activate();
    await world.pods(1);
    assert.equal(await world.condition('Active'), 'True');
    assert.equal(await world.condition('Ready'), 'True');
    await world.seconds(6, { concurrency: 1 });
    assert.equal(await world.replicas(), 1);
  });

  test('brings as many pods as activation-scale says', async () => {
    await using world = await asleep({ annotations: { 'activation-scale': '3' } });
    await world.activate();
    assert.equal(await world.replicas(), 3);
  });

  test('brings no more than max-scale', async () => {
    await using world = await asleep({ annotations: { 'max-scale': '2' }, spec: { containerConcurrency: 1 } });
    await world.activate(40);
    assert.equal(await world.replicas(), 2);
  });

  test('takes less than a millisecond of our time', async () => {
    await using world = await asleep();
    const durations: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const begun = systemClock.monotonicMs();
      world.autoscaler.onActivate(activate(REVISION_KEY, world.api.clock.now(), round + 1));
      durations.push(systemClock.monotonicMs() - begun);
      await world.settled();
    }
    const median = durations.toSorted((a, b) => a - b)[10] ?? 0;
    assert.ok(median < 1, `${median} ms`);
  });

  test('for a revision that nobody knows does nothing', async () => {
    await using world = await asleep();
    world.autoscaler.onActivate(activate('default/other', world.api.clock.now()));
    await world.settled();
    assert.deepEqual(world.transport.writes, []);
  });

  test('counts although nothing but it was ever said, when scaling up at once failed', async () => {
    await using world = await asleep();
    world.transport.failAt = 1;
    await world.activate();
    await world.silence(1_000);
    assert.equal(await world.replicas(), 1);
  });
});

test('a request that came while nobody decided is served by the first decision', async () => {
  await using world = await World.start({
    replicas: 0,
    before: async ({ autoscaler, api }) => autoscaler.onActivate(activate(REVISION_KEY, api.clock.now())),
  });
  assert.equal(await world.replicas(), 1);
});

describe('a surge', () => {
  test('from zero is acted on at once, and not at the next period', async () => {
    await using world = await asleep({ spec: { containerConcurrency: 1 } });
    await world.activate(1);
    assert.equal(await world.replicas(), 2);
    await world.activate(50);
    assert.equal(await world.replicas(), Math.ceil(50 / 0.7));
  });

  test('on running pods is acted on with the report that tells of the queue', async () => {
    await using world = await World.start({ annotations: { target: '10' } });
    await world.podsAsWanted();
    await world.seconds(1, { concurrency: 1 });
    await world.seconds(1, { concurrency: 1 });
    await world.seconds(1, { concurrency: 500, queued: 450 });
    assert.ok((await world.replicas()) >= 20, `${await world.replicas()}`);
  });

  test('that is told again and again is counted once', async () => {
    await using world = await asleep({ spec: { containerConcurrency: 1 } });
    for (let time = 0; time < 5; time += 1) await world.activate(4);
    assert.equal(await world.replicas(), 6);
  });
});

test('a revision that was deleted and is made again at once begins anew', async () => {
  await using world = await asleep();
  const { client } = world.api;
  await client.delete(PodAutoscaler, REF);
  await client.create(PodAutoscaler, podAutoscaler());
  await world.settled();
  assert.equal(world.autoscaler.recommendation(REF)?.desired, -1, 'nothing is decided yet');
});
