import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '#autoscaler/fixtures/world.ts';
import { REF } from '#autoscaler/fixtures/world.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';

const LABELS = 'kn_service_name="a",kn_configuration_name="a",kn_revision_name="a-00001",k8s_namespace_name="default"';

function figure(world: World, name: string): number | undefined {
  const line = world.api.metrics
    .render()
    .split('\n')
    .find((text) => text.startsWith(`${name}{${LABELS}}`));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

test('figures per revision under Knative’s names, which go with it', async () => {
  await using world = await World.start();
  await world.pods(1, 2);
  await world.seconds(6, { concurrency: 35 });
  assert.equal(figure(world, 'kn_revision_pods_desired'), 1);
  assert.equal(figure(world, 'kn_revision_pods_requested'), 1);
  assert.equal(figure(world, 'kn_revision_pods_count'), 1);
  assert.equal(figure(world, 'kn_revision_pods_not_ready_count'), 2);
  assert.equal(figure(world, 'kn_revision_pods_pending_count'), 0);
  assert.equal(figure(world, 'kn_revision_pods_terminating_count'), 0);
  assert.equal(figure(world, 'kn_revision_concurrency_stable'), 35);
  assert.equal(figure(world, 'kn_revision_concurrency_panic'), 35);
  assert.equal(figure(world, 'kn_revision_concurrency_target'), 70);
  assert.equal(figure(world, 'kn_revision_capacity_excess'), 100 - 211 - 35);
  assert.equal(figure(world, 'kn_revision_panic_mode'), 0);
  assert.equal(figure(world, 'kn_revision_rps_stable'), undefined);
  await world.seconds(4, { concurrency: 700 });
  assert.equal(figure(world, 'kn_revision_panic_mode'), 1);
  await world.api.client.delete(PodAutoscaler, REF);
  await world.settled();
  assert.equal(figure(world, 'kn_revision_pods_desired'), undefined);
});

test('requests a second have names of their own', async () => {
  await using world = await World.start({ annotations: { metric: 'rps' } });
  await world.pods(1);
  await world.seconds(4, { concurrency: 1, requests: 70 });
  assert.equal(figure(world, 'kn_revision_rps_stable'), 70);
  assert.equal(figure(world, 'kn_revision_rps_target'), 140);
  assert.equal(figure(world, 'kn_revision_concurrency_stable'), undefined);
});
