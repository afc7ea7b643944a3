/** Any one write of a Job's life may fail, before or after it was carried out: the end is the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '#client/client.ts';
import { FailingTransport, type FailureMode } from '#workloads/job/fixtures/failing-transport.ts';
import { type JobShape, JobWorld } from '#workloads/job/fixtures/world.ts';

/** Longer than the back-off after two failures. */
const LONG_MS = 30_000;

const LIVES: Readonly<Record<string, { shape: JobShape; live: (world: JobWorld) => Promise<void> }>> = {
  'one of three fails first': {
    shape: { completions: 3, parallelism: 2 },
    async live(w) {
      await w.end('Failed', { count: 1 });
      await w.pass(LONG_MS);
      await w.end('Succeeded');
      await w.pass(LONG_MS);
      await w.end('Succeeded');
      await w.pass(LONG_MS);
    },
  },
  'it fails while others run': {
    shape: { completions: 3, parallelism: 3, backoffLimit: 0 },
    async live(w) {
      await w.end('Failed', { count: 1 });
      await w.pass(LONG_MS);
    },
  },
  'an index is given up': {
    shape: { completionMode: 'Indexed', completions: 3, parallelism: 2, backoffLimitPerIndex: 0 },
    async live(w) {
      await w.end('Failed', { index: 0 });
      await w.pass(LONG_MS);
      await w.end('Succeeded');
      await w.pass(LONG_MS);
      await w.end('Succeeded');
      await w.pass(LONG_MS);
    },
  },
  'suspended and resumed': {
    shape: { completions: 2, parallelism: 2 },
    async live(w) {
      await w.change({ suspend: true });
      await w.pass(LONG_MS);
      await w.change({ suspend: false });
      await w.pass(LONG_MS);
      await w.end('Succeeded');
      await w.pass(LONG_MS);
    },
  },
};

async function run(name: string, mode: FailureMode, failAt: number | undefined) {
  const { shape, live } = LIVES[name] as (typeof LIVES)[string];
  let transport: FailingTransport | undefined;
  await using w = await JobWorld.start((api) => {
    transport = new FailingTransport(api.transport, mode, failAt);
    return new Client(transport);
  });
  await w.create(shape);
  await w.pass(LONG_MS);
  await live(w);
  const { startTime: _, completionTime: __, ...status } = await w.status();
  const pods = (await w.pods()).map(
    ({ metadata, status: own }) => `${own?.phase} ${metadata.finalizers?.join() ?? ''}`,
  );
  const seen = { status: { ...status, conditions: await w.conditions() }, pods: pods.sort() };
  return { writes: transport?.writes ?? [], seen };
}

for (const name of Object.keys(LIVES)) {
  for (const mode of ['refused', 'unacknowledged'] as const) {
    test(`${name}: any write may be ${mode} once`, async () => {
      const { writes, seen } = await run(name, mode, undefined);
      assert.ok(writes.includes('update Job/status'), writes.join('\n'));
      for (let failAt = 1; failAt <= writes.length; failAt += 1) {
        assert.deepEqual((await run(name, mode, failAt)).seen, seen, `write ${failAt}: ${writes[failAt - 1]}`);
      }
    });
  }
}
