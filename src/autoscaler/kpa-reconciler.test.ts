import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clone } from '#base/json.ts';
import { Metric } from '#knative/kinds/metric.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { ServerlessService } from '#knative/kinds/serverless-service.ts';
import { podAutoscaler } from '#autoscaler/fixtures/objects.ts';
import { serverlessServiceFor } from '#autoscaler/children.ts';
import { REF, World, type WorldOptions } from '#autoscaler/fixtures/world.ts';

/** Conditions by type, without times. */
async function conditions(world: World): Promise<Record<string, string>> {
  const types = ['Active', 'Ready', 'SKSReady', 'ScaleTargetInitialized'];
  return Object.fromEntries(await Promise.all(types.map(async (type) => [type, await world.condition(type)])));
}

const ALL_TRUE = { Active: 'True', Ready: 'True', SKSReady: 'True', ScaleTargetInitialized: 'True' };

describe('a new revision', () => {
  test('waits for its Services, and asks for them', async () => {
    await using world = await World.start({ withoutServices: true });
    const { status } = await world.podAutoscaler();
    assert.equal(status?.desiredScale, -1);
    assert.equal(status?.actualScale, 0);
    assert.equal(status?.serviceName, '');
    assert.equal(status?.metricsServiceName, '');
    assert.deepEqual(await conditions(world), {
      Active: 'Unknown Queued',
      Ready: 'Unknown Queued',
      SKSReady: 'Unknown NotReady',
      ScaleTargetInitialized: 'Unknown',
    });
    const { spec, metadata } = await world.services();
    assert.deepEqual(spec, {
      mode: 'Proxy',
      numActivators: 2,
      objectRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a-00001-deployment' },
      protocolType: 'http1',
    });
    assert.deepEqual(metadata.annotations, {
      'autoscaling.knative.dev/class': 'kpa.autoscaling.knative.dev',
      'serving.knative.dev/creator': 'someone',
    });
    assert.deepEqual(metadata.labels, (await world.podAutoscaler()).metadata.labels);
  });

  test('has a Metric once its Services are there', async () => {
    await using world = await World.start();
    const metric = await world.api.client.get(Metric, REF);
    assert.deepEqual(metric.spec, { panicWindow: 6e9, stableWindow: 60e9, scrapeTarget: 'a-00001-private' });
    assert.equal(metric.metadata.ownerReferences?.[0]?.kind, 'PodAutoscaler');
    assert.equal(metric.status?.conditions?.[0]?.status, 'True');
    assert.equal((await world.podAutoscaler()).status?.metricsServiceName, 'a-00001-private');
    assert.equal((await world.podAutoscaler()).status?.serviceName, 'a-00001');
  });

  test('is active with its first ready pod', async () => {
    await using world = await World.start();
    assert.equal(await world.condition('Active'), 'Unknown Queued');
    await world.pods(0, 1);
    assert.equal(await world.condition('Active'), 'Unknown Queued');
    await world.pods(1);
    assert.deepEqual(await conditions(world), ALL_TRUE);
    await world.seconds(4);
    const { status } = await world.podAutoscaler();
    assert.equal(status?.desiredScale, 1);
    assert.equal(status?.actualScale, 1);
    assert.equal(status?.observedGeneration, 1);
    // As recorded: behind the activator, since one pod cannot take the burst, and four of those.
    const { spec } = await world.services();
    assert.equal(spec?.mode, 'Proxy');
    assert.equal(spec?.numActivators, 4);
  });

  test('with initial-scale 3 is active with three', async () => {
    const annotations = { 'initial-scale': '3', 'min-scale': '3' };
    await using world = await World.start({ annotations, replicas: 3 });
    await world.pods(2, 1);
    assert.equal(await world.condition('ScaleTargetInitialized'), 'Unknown');
    assert.equal(await world.condition('Active'), 'Unknown Queued');
    await world.pods(3);
    assert.deepEqual(await conditions(world), ALL_TRUE);
    assert.equal((await world.podAutoscaler()).status?.desiredScale, 3);
  });

  test('keeps its initial scale until it was reached, and no longer', async () => {
    await using world = await World.start({ annotations: { 'initial-scale': '3' }, replicas: 1 });
    assert.equal(await world.replicas(), 3);
    await world.pods(3);
    await world.seconds(4);
    assert.equal(await world.replicas(), 1);
  });

  test('with initial-scale 0 is ready without a pod', async () => {
    const config = { 'allow-zero-initial-scale': 'true' };
    await using world = await World.start({ annotations: { 'initial-scale': '0' }, replicas: 0, config });
    assert.deepEqual(await conditions(world), {
      Active: 'False NoTraffic',
      Ready: 'False NoTraffic',
      SKSReady: 'Unknown NotReady',
      ScaleTargetInitialized: 'True',
    });
    const { status } = await world.podAutoscaler();
    assert.equal(status?.desiredScale, -1);
    assert.equal((await world.services()).spec?.numActivators, 3);
  });

  test('that is nobody’s Configuration’s is refused a decider', async () => {
    await using world = await World.start({
      edit: ({ metadata }) => delete metadata.labels?.['serving.knative.dev/configuration'],
    });
    const { status } = await world.podAutoscaler();
    assert.equal(status?.metricsServiceName, 'a-00001-private');
    assert.equal(status?.serviceName, '');
    assert.equal(status?.desiredScale, -1);
    assert.equal(await world.condition('SKSReady'), 'Unknown NotReady');
    assert.equal(await world.condition('Active'), 'Unknown Queued');
    assert.deepEqual(await world.events(), [
      'Warning InternalError error reconciling Decider: error creating Decider: ' +
        'label "serving.knative.dev/configuration" not found or empty in Decider a-00001',
    ]);
  });
});

describe('the mode of the Services', () => {
  test('straight to the pods when there is capacity for the burst', async () => {
    await using world = await World.start({ annotations: { 'target-burst-capacity': '10' } });
    await world.pods(1);
    await world.seconds(4, { concurrency: 5 });
    assert.equal((await world.services()).spec?.mode, 'Serve');
    await world.seconds(60, { concurrency: 95 });
    assert.equal((await world.services()).spec?.mode, 'Proxy');
  });

  test('always straight with burst capacity 0, but not at zero', async () => {
    await using world = await World.start({ annotations: { 'target-burst-capacity': '0' } });
    await world.pods(1);
    await world.seconds(4, { concurrency: 500 });
    assert.equal((await world.services()).spec?.mode, 'Serve');
    assert.equal((await world.services()).spec?.numActivators, 2);
    await world.seconds(130);
    assert.equal((await world.services()).spec?.mode, 'Proxy');
  });

  test('always by way of the activator with burst capacity -1, whose pods nobody asks', async () => {
    await using world = await World.start({ annotations: { 'target-burst-capacity': '-1' } });
    await world.pods(1);
    await world.seconds(4, { concurrency: 1 });
    assert.equal((await world.services()).spec?.mode, 'Proxy');
    assert.equal((await world.api.client.get(Metric, REF)).spec.scrapeTarget, '');
  });
});

describe('load', () => {
  test('350 requests a second of half a second each take three pods', async () => {
    await using world = await World.start();
    await world.pods(1);
    await world.seconds(70, { concurrency: 175, requests: 350 });
    assert.equal(await world.replicas(), 3);
    await world.podsAsWanted();
    await world.seconds(70, { concurrency: 175, requests: 350 });
    assert.equal(await world.replicas(), 3);
    assert.equal((await world.podAutoscaler()).status?.desiredScale, 3);
  });

  test('and two when each is used in full', async () => {
    await using world = await World.start({ annotations: { 'target-utilization-percentage': '100' } });
    await world.pods(1);
    await world.seconds(70, { concurrency: 175, requests: 350 });
    assert.equal(await world.replicas(), 2);
  });

  test('requests per second', async () => {
    await using world = await World.start({ annotations: { metric: 'rps', target: '100' } });
    await world.pods(1);
    await world.seconds(10, { concurrency: 1, requests: 350 });
    assert.equal(await world.replicas(), 5);
  });

  test('max-scale is the end of it', async () => {
    await using world = await World.start({ annotations: { 'max-scale': '2' } });
    await world.pods(1);
    await world.seconds(10, { concurrency: 900 });
    assert.equal(await world.replicas(), 2);
  });

  test('a change of config-autoscaler counts from the next decision on and drops no window', async () => {
    await using world = await World.start();
    await world.pods(1);
    await world.seconds(20, { concurrency: 175 });
    assert.equal(await world.replicas(), 3);
    await world.configure('config-autoscaler', {
      'container-concurrency-target-percentage': '100',
      'stable-window': '30s',
    });
    assert.equal((await world.api.client.get(Metric, REF)).spec.stableWindow, 30e9);
    await world.podsAsWanted();
    await world.seconds(34, { concurrency: 175 });
    assert.equal(await world.replicas(), 2);
  });

  test('a gateway that fell silent takes no pod away', async () => {
    await using world = await World.start();
    await world.pods(1);
    await world.seconds(70, { concurrency: 200 });
    await world.podsAsWanted();
    const replicas = await world.replicas();
    await world.silence(600_000);
    assert.equal(await world.replicas(), replicas);
    assert.equal(await world.condition('Active'), 'True');
  });

  test('an autoscaler that starts while several pods are ready takes none away before it knows the load', async () => {
    await using world = await World.start({ replicas: 4, before: (world) => world.placePods(4) });
    await world.seconds(50, { concurrency: 1 });
    assert.equal(await world.replicas(), 4);
    await world.seconds(16, { concurrency: 1 });
    assert.ok((await world.replicas()) < 4);
  });
});

describe('ownership', () => {
  test('Services that are somebody else’s are left alone and told of', async () => {
    const foreign = serverlessServiceFor(podAutoscaler(), { mode: 'Serve', activators: 7 });
    delete foreign.metadata.ownerReferences;
    const before = async ({ api }: World) => void (await api.client.create(ServerlessService, foreign));
    await using world = await World.start({ withoutServices: true, before });
    assert.equal((await world.services()).spec?.numActivators, 7);
    assert.equal(await world.condition('Active'), 'False NotOwned');
    const text = 'error reconciling SKS: PA: a-00001 does not own SKS: a-00001';
    assert.ok((await world.events()).includes(`Warning InternalError ${text}`), (await world.events()).join('\n'));
    const active = (await world.podAutoscaler()).status?.conditions?.find(({ type }) => type === 'Active');
    assert.equal(active?.message, 'There is an existing ServerlessService "a-00001" that we do not own.');
  });

  test('a deleted PodAutoscaler is forgotten', async () => {
    await using world = await World.start();
    await world.pods(1);
    assert.notEqual(world.autoscaler.recommendation(REF), undefined);
    await world.api.client.delete(PodAutoscaler, REF);
    await world.settled();
    assert.equal(world.autoscaler.recommendation(REF), undefined);
  });

  test('a class that is neither kpa nor hpa is left alone', async () => {
    await using world = await World.start({ annotations: { class: 'mine.example.com' } });
    assert.equal((await world.podAutoscaler()).status, undefined);
    assert.deepEqual(world.transport.writes, []);
  });
});

describe('the disk is waited for', () => {
  test('when something is made, and when the initial pods were there, and never again', async () => {
    const config = { 'stable-window': '6s', 'scale-to-zero-grace-period': '2s' };
    await using world = await World.start({ config });
    await world.pods(1);
    await world.seconds(5, { concurrency: 150 });
    await world.podsAsWanted();
    for (let round = 0; round < 8; round += 1) {
      await world.seconds(5);
      await world.podsAsWanted();
    }
    await world.activate();
    await world.podsAsWanted();
    assert.deepEqual(world.transport.durable, [
      'create ServerlessService',
      'create Metric',
      'update PodAutoscaler/status',
    ]);
    assert.ok(world.transport.writes.length > 20);
  });
});

describe('convergence', () => {
  test('reconciling again writes nothing', async () => {
    await using world = await World.start();
    await world.pods(1);
    await world.seconds(10, { concurrency: 150 });
    await world.podsAsWanted();
    await world.seconds(6, { concurrency: 150 });
    const before = world.transport.writes.length;
    for (let round = 0; round < 3; round += 1) {
      world.autoscaler.recheck(REF);
      await world.settled();
    }
    assert.deepEqual(world.transport.writes.slice(before), []);
  });

  interface Outcome {
    readonly writes: readonly string[];
    readonly seen: unknown;
  }

  /** From nothing to load and back to rest, with one of the writes failing. */
  async function live(failAt: number | undefined): Promise<Outcome> {
    const options: WorldOptions = { config: { 'stable-window': '6s', 'scale-to-zero-grace-period': '2s' } };
    await using world = await World.start({ ...options, withoutServices: false });
    world.transport.failAt = failAt;
    await world.pods(1);
    await world.seconds(4, { concurrency: 150 });
    await world.podsAsWanted();
    await world.seconds(4, { concurrency: 150 });
    await world.seconds(30);
    await world.podsAsWanted();
    await world.seconds(20);
    const { spec } = await world.services();
    const { status } = await world.podAutoscaler();
    const seen = clone({
      spec,
      scales: [status?.actualScale, status?.desiredScale, await world.replicas()],
      conditions: await conditions(world),
    });
    return { writes: world.transport.writes, seen };
  }

  test('any write may fail once: the end is the same', async () => {
    const { writes, seen } = await live(undefined);
    assert.ok(writes.length > 8, writes.join('\n'));
    for (let failAt = 1; failAt <= writes.length; failAt += 1) {
      assert.deepEqual((await live(failAt)).seen, seen, `write ${failAt}: ${writes[failAt - 1]}`);
    }
  });
});
