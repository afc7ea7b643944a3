/** Jobs whose pods end at random: whatever happens, the numbers add up. A failure prints its seed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { indexLabel, type JobShape, JobWorld } from '#workloads/job/fixtures/world.ts';

const RUNS = 25;
const LONG_MS = 11 * 60_000;

type Step = 'succeed' | 'fail' | 'wait' | 'delete' | 'suspend' | 'resume';

const steps = fc.array(fc.constantFrom<Step>('succeed', 'succeed', 'fail', 'wait', 'delete', 'suspend', 'resume'), {
  maxLength: 25,
});

const shapes = fc.record({
  completionMode: fc.constantFrom('Indexed' as const, 'NonIndexed' as const),
  completions: fc.integer({ min: 1, max: 5 }),
  parallelism: fc.integer({ min: 1, max: 4 }),
  backoffLimit: fc.integer({ min: 0, max: 4 }),
});

async function take(w: JobWorld, step: Step): Promise<void> {
  switch (step) {
    case 'succeed':
      return w.end('Succeeded', { count: 1 });
    case 'fail':
      return w.end('Failed', { count: 1 });
    case 'wait':
      return w.pass(LONG_MS);
    case 'suspend':
      return w.change({ suspend: true });
    case 'resume':
      return w.change({ suspend: false });
    case 'delete': {
      const [pod] = await w.active();
      if (pod) await w.deletePod(pod);
    }
  }
}

class Ledger {
  readonly succeeded = new Set<string>();
  readonly failed = new Set<string>();

  see(pods: readonly Pod[]): void {
    for (const { metadata, status } of pods) {
      if (status?.phase === 'Succeeded') this.succeeded.add(metadata.uid ?? '');
      if (status?.phase === 'Failed') this.failed.add(metadata.uid ?? '');
    }
  }
}

async function check(shape: JobShape, taken: readonly Step[]): Promise<void> {
  await using w = await JobWorld.start();
  const ledger = new Ledger();
  const { completions = 1, parallelism = 1, backoffLimit = 0 } = shape;
  let deleted = 0;
  await w.create(shape);
  const look = async () => {
    ledger.see(await w.pods());
    const active = await w.active();
    assert.ok(active.length <= Math.min(parallelism, completions), `${active.length} are active`);
    const indexes = active.map(indexLabel).filter((index) => index !== undefined);
    assert.equal(new Set(indexes).size, indexes.length, 'two pods with one index');
    const status = await w.status();
    assert.equal(status.active ?? 0, active.length);
    assert.ok((status.succeeded ?? 0) <= completions);
    return status;
  };
  for (const step of taken) {
    if (step === 'delete') deleted += (await w.active()).length > 0 ? 1 : 0;
    await take(w, step);
    await look();
  }
  await w.change({ suspend: false }).catch(() => undefined);
  for (let left = 0; left < completions + backoffLimit + 2; left += 1) {
    await w.pass(LONG_MS);
    await look();
    await w.end('Succeeded');
  }
  const status = await look();
  const isComplete = (await w.conditions()).some((text) => text.startsWith('Complete=True'));
  assert.equal(status.succeeded ?? 0, ledger.succeeded.size);
  if (isComplete) assert.equal(status.failed ?? 0, ledger.failed.size + deleted);
  assert.equal(isComplete, status.succeeded === completions);
  assert.equal(isComplete, (status.failed ?? 0) <= backoffLimit);
  assert.deepEqual(status.uncountedTerminatedPods, {});
  assert.deepEqual(
    (await w.pods()).flatMap(({ metadata }) => metadata.finalizers ?? []),
    [],
  );
}

test('a Job with random pods ends with the right counts and never has too many pods', async () => {
  await fc.assert(fc.asyncProperty(shapes, steps, check), { numRuns: RUNS });
});
