import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import type { KubeObject } from '#kube/object.ts';
import { RevisionCompacted, RevisionConflict, StoreUnavailable } from '#store/errors.ts';
import type { StoreEvent } from '#store/history.ts';
import { MemoryLog } from '#store/memory-log.ts';
import { type Durability, Store } from '#store/store.ts';
import { FakeClock } from '#testing/fake-clock.ts';

const RESOURCE = 'configmaps';

function configMap(name: string, data: string): KubeObject & { data: Record<string, string> } {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'a' }, data: { x: data } };
}

interface Fixture extends AsyncDisposable {
  store: Store;
  log: MemoryLog;
  clock: FakeClock;
  put(name: string, data: string, expected: number, durability?: Durability): Promise<KubeObject>;
  remove(name: string, expected: number, durability?: Durability): Promise<KubeObject>;
}

async function fixture(options: { log?: MemoryLog; historyLimit?: number } = {}): Promise<Fixture> {
  const log = options.log ?? new MemoryLog();
  const clock = new FakeClock();
  const limit = options.historyLimit === undefined ? {} : { historyLimit: options.historyLimit };
  const store = await Store.open({ log, clock, logger: silentLogger, ...limit });
  const write = (name: string, data: string, expected: number, durability: Durability, remove: boolean) =>
    store.write({
      resource: RESOURCE,
      ref: { namespace: 'a', name },
      object: configMap(name, data),
      expected,
      durability,
      remove,
    });
  return {
    store,
    log,
    clock,
    put: (name, data, expected, durability = 'durable') => write(name, data, expected, durability, false),
    remove: (name, expected, durability = 'durable') => write(name, '', expected, durability, true),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

const revisionOf = (object: KubeObject) => Number(object.metadata.resourceVersion);

test('a write stamps the revision, freezes the object and is listed in key order', async () => {
  await using f = await fixture();
  await f.put('b', '1', 0);
  const a = await f.put('a', '1', 0);
  assert.equal(revisionOf(a), f.store.revision);
  assert.ok(Object.isFrozen(a.metadata));
  assert.deepEqual(
    f.store.list(RESOURCE).objects.map((o) => o.metadata.name),
    ['a', 'b'],
  );
});

test('a write at another revision than expected is refused with the actual one', async () => {
  await using f = await fixture();
  const first = await f.put('a', '1', 0);
  await assert.rejects(
    f.put('a', '2', 0),
    (error) => error instanceof RevisionConflict && error.actual === revisionOf(first),
  );
  await assert.rejects(f.put('b', '2', 7), (error) => error instanceof RevisionConflict && error.actual === undefined);
  await assert.rejects(f.remove('b', 3), RevisionConflict);
});

test('of two writers at the same revision exactly one wins, though both were queued', async () => {
  await using f = await fixture();
  const base = revisionOf(await f.put('a', '0', 0));
  const results = await Promise.allSettled([
    f.put('a', '1', base),
    f.put('a', '2', base),
    f.put('a', '3', base, 'derived'),
  ]);
  assert.deepEqual(
    results.map((r) => r.status),
    ['fulfilled', 'rejected', 'rejected'],
  );
});

test('a durable write is invisible until it is on disk; a derived one beside it does not wait', async () => {
  await using f = await fixture();
  const gate = Promise.withResolvers<void>();
  f.log.gate = gate.promise;
  const seen: string[] = [];
  using _ = f.store.watch(RESOURCE, f.store.revision, (event) => seen.push(event.object.metadata.name ?? ''));
  const durable = f.put('durable', '1', 0);
  await new Promise((resolve) => setImmediate(resolve));
  const derived = await f.put('derived', '1', 0, 'derived');
  assert.deepEqual(seen, ['derived']);
  assert.equal(f.store.get(RESOURCE, { namespace: 'a', name: 'durable' }), undefined);
  gate.resolve();
  assert.ok(revisionOf(await durable) > revisionOf(derived));
  assert.deepEqual(seen, ['derived', 'durable']);
});

test('events come in the order of revisions whatever the mix of writes', async () => {
  await using f = await fixture();
  const events: StoreEvent[] = [];
  using _ = f.store.watch(RESOURCE, f.store.revision, (event) => events.push(event));
  const writes = Array.from({ length: 3_000 }, (_, index) =>
    f.put(`o${index}`, 'x', 0, index % 3 ? 'derived' : 'durable'),
  );
  await Promise.all(writes);
  assert.equal(events.length, 3_000);
  for (let index = 1; index < events.length; index += 1) {
    assert.ok(events[index]!.revision > events[index - 1]!.revision);
  }
});

test('a derived write that finds the gap used up waits for the batch, and loses nothing', async () => {
  await using f = await fixture();
  const gate = Promise.withResolvers<void>();
  f.log.gate = gate.promise;
  const durable = f.put('durable', '1', 0);
  await new Promise((resolve) => setImmediate(resolve));
  const derived = Array.from({ length: 1_500 }, (_, index) => f.put(`d${index}`, 'x', 0, 'derived'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(f.store.count(RESOURCE) <= 1_000);
  gate.resolve();
  await Promise.all([durable, ...derived]);
  assert.equal(f.store.count(RESOURCE), 1_501);
});

test('a watch replays what came after its revision, then follows; deletions carry their own revision', async () => {
  await using f = await fixture();
  const first = revisionOf(await f.put('a', '1', 0));
  const second = revisionOf(await f.put('a', '2', first));
  const seen: [string, number][] = [];
  using _ = f.store.watch(RESOURCE, first, (event) => seen.push([event.type, event.revision]));
  const gone = revisionOf(await f.remove('a', second));
  assert.deepEqual(seen, [
    ['updated', second],
    ['deleted', gone],
  ]);
  assert.equal(f.store.get(RESOURCE, { namespace: 'a', name: 'a' }), undefined);
});

test('an earlier revision can still be listed, and an older one than history says so', async () => {
  await using f = await fixture({ historyLimit: 4 });
  const first = revisionOf(await f.put('a', '1', 0));
  await f.put('b', '1', 0);
  await f.put('a', '2', first);
  const then = f.store.list(RESOURCE, { revision: first });
  assert.deepEqual(
    then.objects.map((o) => [o.metadata.name, (o as ReturnType<typeof configMap>).data['x']]),
    [['a', '1']],
  );
  for (let index = 0; index < 10; index += 1) await f.put(`n${index}`, 'x', 0);
  assert.throws(() => f.store.list(RESOURCE, { revision: first }), RevisionCompacted);
  assert.throws(() => f.store.watch(RESOURCE, first, () => {}), RevisionCompacted);
});

test('history is forgotten after five minutes', async () => {
  await using f = await fixture();
  const first = revisionOf(await f.put('a', '1', 0));
  await f.put('b', '1', 0);
  await f.clock.advance(6 * 60_000);
  assert.throws(() => f.store.watch(RESOURCE, first, () => {}), RevisionCompacted);
  f.store.watch(RESOURCE, f.store.revision, () => {}).close();
});

test('a full disk refuses the write, nothing of it shows, and the next one after the cure succeeds', async () => {
  await using f = await fixture();
  f.log.failure = new StoreUnavailable('the disk is full', { diskFull: true });
  await assert.rejects(f.put('a', '1', 0), (error) => error instanceof StoreUnavailable && error.diskFull);
  assert.equal(f.store.count(RESOURCE), 0);
  f.log.failure = undefined;
  await f.put('a', '1', 0);
  assert.equal(f.store.count(RESOURCE), 1);
});

test('while the disk is full, derived state is tried once a second', async () => {
  const log = new MemoryLog();
  const f = await fixture({ log });
  log.failure = new StoreUnavailable('the disk is full', { diskFull: true });
  const commit = log.commit.bind(log);
  let tries = 0;
  log.commit = (...batch) => {
    tries += 1;
    return commit(...batch);
  };
  await f.put('a', '1', 0, 'derived');
  for (let second = 0; second < 5; second += 1) await f.clock.advance(1_000);
  assert.ok(tries >= 3 && tries <= 6, `${tries} tries`);
  log.failure = undefined;
  await f.clock.advance(1_000);
  assert.equal((await log.load()).rows.length, 1);
  await f[Symbol.asyncDispose]();
});

test('derived state reaches the disk lazily, only its last version, also after a failed flush', async () => {
  const log = new MemoryLog();
  const f = await fixture({ log });
  const first = revisionOf(await f.put('a', '1', 0, 'derived'));
  const second = await f.put('a', '2', first, 'derived');
  assert.equal((await log.load()).rows.length, 0);
  log.failure = new Error('once');
  await f.clock.advance(150);
  log.failure = undefined;
  await f.clock.advance(1_000);
  const { rows } = await log.load();
  assert.deepEqual(
    rows.map((row) => [row.key, row.revision]),
    [['configmaps/a/a', revisionOf(second)]],
  );
  await f[Symbol.asyncDispose]();
});

test('after a restart everything durable is there at its revision, and revisions go on above all that was given out', async () => {
  const log = new MemoryLog();
  const f = await fixture({ log });
  const kept = await f.put('kept', '1', 0);
  await f.put('gone', '1', 0).then((object) => f.remove('gone', revisionOf(object)));
  const derived = await f.put('derived', '1', 0, 'derived');
  // No orderly end: the second store opens what a crash would have left.
  await using again = await fixture({ log });
  assert.equal(again.store.get(RESOURCE, { namespace: 'a', name: 'kept' })?.revision, revisionOf(kept));
  assert.equal(again.store.get(RESOURCE, { namespace: 'a', name: 'gone' }), undefined);
  assert.ok(again.store.revision > revisionOf(derived));
  assert.throws(() => again.store.watch(RESOURCE, revisionOf(kept), () => {}), RevisionCompacted);
  await f[Symbol.asyncDispose]();
});
