import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { World, type WorldOptions } from '#autoscaler/fixtures/world.ts';

/** A revision with one ready pod, active since now. */
async function active(options: WorldOptions = {}): Promise<World> {
  const world = await World.start(options);
  await world.podsAsWanted();
  return world;
}

/** Seconds until the Deployment asks for so many pods, `limit` at most. */
async function secondsUntil(world: World, replicas: number, limit: number): Promise<number> {
  for (let second = 0; second < limit; second += 1) {
    if ((await world.replicas()) === replicas) return second;
    await world.seconds(1);
  }
  throw new Error(`still ${await world.replicas()} replicas after ${limit} s`);
}

describe('to zero', () => {
  test('after the stable window and, proxied all along, at once', async () => {
    await using world = await active();
    await world.seconds(59);
    assert.equal(await world.condition('Active'), 'True');
    const seconds = 59 + (await secondsUntil(world, 0, 100));
    assert.ok(seconds >= 60 && seconds <= 62, `${seconds}`);
    await world.podsAsWanted();
    await world.seconds(4);
    const { status } = await world.podAutoscaler();
    assert.equal(await world.condition('Active'), 'False NoTraffic');
    assert.equal(await world.condition('Ready'), 'False NoTraffic');
    assert.equal(await world.condition('SKSReady'), 'Unknown NotReady');
    assert.equal(await world.condition('ScaleTargetInitialized'), 'True');
    assert.equal(status?.desiredScale, 0);
    assert.equal(status?.actualScale, 0);
    const { spec } = await world.services();
    assert.equal(spec?.mode, 'Proxy');
    assert.equal(spec?.numActivators, 3);
  });

  test('after the stable window and the grace period, served straight until then', async () => {
    await using world = await active({ annotations: { 'target-burst-capacity': '10' } });
    await world.seconds(58);
    assert.equal((await world.services()).spec?.mode, 'Serve');
    const seconds = 58 + (await secondsUntil(world, 0, 100));
    assert.ok(seconds >= 90 && seconds <= 92, `${seconds}`);
  });

  test('traffic is counted from its end', async () => {
    await using world = await active();
    await world.seconds(100, { concurrency: 1 });
    const seconds = await secondsUntil(world, 0, 200);
    assert.ok(seconds >= 59 && seconds <= 63, `${seconds}`);
  });

  test('a window and a grace period of its own', async () => {
    const config = { 'stable-window': '6s', 'scale-to-zero-grace-period': '4s' };
    await using world = await active({ config, annotations: { 'target-burst-capacity': '0' } });
    const seconds = await secondsUntil(world, 0, 60);
    assert.ok(seconds >= 10 && seconds <= 12, `${seconds}`);
  });

  test('the last pod stays for the retention period', async () => {
    await using world = await active({ annotations: { 'scale-to-zero-pod-retention-period': '2m' } });
    const seconds = await secondsUntil(world, 0, 300);
    assert.ok(seconds >= 180 && seconds <= 182, `${seconds}`);
    assert.equal(await world.condition('Active'), 'False NoTraffic');
  });

  test('not before requests go by way of the activator', async () => {
    await using world = await active({ annotations: { 'target-burst-capacity': '0' } });
    world.isBackedByActivator = false;
    await world.seconds(300);
    assert.equal(await world.replicas(), 1);
    world.isBackedByActivator = true;
    await world.seconds(2);
    assert.equal(await world.replicas(), 0);
  });

  test('burst capacity -1: they do all the time, and nobody has to be asked', async () => {
    await using world = await active({ annotations: { 'target-burst-capacity': '-1' } });
    world.isBackedByActivator = false;
    const seconds = await secondsUntil(world, 0, 100);
    assert.ok(seconds >= 60 && seconds <= 62, `${seconds}`);
  });

  test('several pods: down to one while it is still active', async () => {
    await using world = await active();
    await world.seconds(5, { concurrency: 250 });
    await world.podsAsWanted();
    assert.ok((await world.replicas()) >= 4);
    const seen = new Set<number>();
    for (let round = 0; round < 15; round += 1) {
      await world.seconds(10);
      await world.podsAsWanted();
      seen.add(await world.replicas());
    }
    assert.deepEqual([...seen].slice(-2), [1, 0]);
  });
});

describe('not to zero', () => {
  test('with a minimum', async () => {
    await using world = await active({ annotations: { 'min-scale': '2' } });
    await world.podsAsWanted();
    await world.seconds(200);
    assert.equal(await world.replicas(), 2);
    assert.equal(await world.condition('Active'), 'True');
  });

  test('but an unreachable revision with a minimum goes, without retention', async () => {
    const annotations = { 'min-scale': '2', 'scale-to-zero-pod-retention-period': '10m' };
    await using world = await active({ annotations, spec: { reachability: 'Unreachable' }, replicas: 2 });
    const seconds = await secondsUntil(world, 0, 100);
    assert.ok(seconds <= 62, `${seconds}`);
  });

  test('where it is switched off, and what sleeps comes back', async () => {
    await using world = await active();
    await world.seconds(70);
    await world.podsAsWanted();
    assert.equal(await world.replicas(), 0);
    await world.configure('config-autoscaler', { 'enable-scale-to-zero': 'false' });
    assert.equal(await world.replicas(), 1);
    await world.podsAsWanted();
    await world.seconds(200);
    assert.equal(await world.replicas(), 1);
    assert.equal(await world.condition('Active'), 'True');
  });

  test('on a bad value, which changes nothing', async () => {
    await using world = await active({ config: { 'enable-scale-to-zero': 'false' } });
    await world.configure('config-autoscaler', { 'enable-scale-to-zero': 'perhaps' });
    await world.seconds(200);
    assert.equal(await world.replicas(), 1);
  });
});

describe('a revision that never comes up', () => {
  test('is given up half a minute after its deadline', async () => {
    await using world = await World.start({ annotations: { 'serving.knative.dev/progress-deadline': '5s' } });
    await world.pods(0, 1);
    const active = world.watchActive();
    await world.seconds(34);
    assert.equal(await world.replicas(), 1);
    assert.deepEqual(active, ['Queued']);
    await world.seconds(3);
    assert.equal(await world.replicas(), 0);
    // The second tells that it failed, and is as short-lived as Knative's.
    assert.deepEqual(active, ['Queued', 'TimedOut', 'NoTraffic']);
    assert.equal(await world.condition('ScaleTargetInitialized'), 'Unknown');
  });

  test('by the deadline of config-deployment', async () => {
    await using world = await World.start();
    const data = { 'queue-sidecar-image': 'dev.local/queue:1', 'progress-deadline': '10s' };
    await world.configure('config-deployment', data);
    await world.pods(0, 1);
    await world.seconds(39);
    assert.equal(await world.replicas(), 1);
    await world.seconds(3);
    assert.equal(await world.replicas(), 0);
  });
});
