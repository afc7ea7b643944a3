/** What the main thread tells control, and when: activation, draining, reports, the table’s versions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#testing/fake-clock.ts';
import { Activation } from '#dataplane/gateway/activation.ts';
import { EpochClock } from '#dataplane/gateway/cold-start.ts';
import { DrainingPods } from '#dataplane/gateway/draining.ts';
import { summarize } from '#dataplane/gateway/reports.ts';
import { RevisionStats } from '#dataplane/gateway/revision-stats.ts';
import { TableKeeper } from '#dataplane/gateway/table-keeper.ts';
import { countConnections } from '#dataplane/gateway/tcp-table.ts';
import { endpoint, oneApp, revision, route, target } from '#dataplane/fixtures/harness.ts';
import { LedgerDirectory } from '#dataplane/ledger/directory.ts';
import { Ledger } from '#dataplane/ledger/ledger.ts';
import { createLedgerMemory, LedgerLayout, UNLIMITED } from '#dataplane/ledger/layout.ts';
import type { Activate } from '#protocol/link.ts';
import { emptyRoutingTable, type RoutingTable } from '#protocol/routing.ts';

const APP = { uid: 'uid-app', namespace: 'default', name: 'app' };

function activation() {
  const clock = new FakeClock();
  const sent: Activate[] = [];
  let queued = 1;
  const subject = new Activation({ clock, send: (message) => sent.push(message), tell: () => queued });
  return {
    clock,
    sent,
    subject,
    wait: (count: number) => ((queued = count), subject.onWaiting(APP)),
    set: (count: number) => (queued = count),
  };
}

test('activation: at once, and not again within the spacing', async () => {
  const { clock, sent, wait } = activation();
  wait(1);
  assert.deepEqual(
    sent.map((one) => one.queued),
    [1],
  );
  wait(2);
  wait(4);
  assert.equal(sent.length, 1);
  await clock.advance(20);
  assert.deepEqual(
    sent.map((one) => one.queued),
    [1, 4],
  );
});

test('activation: each period while anybody waits, and then no more', async () => {
  const { clock, sent, subject, wait, set } = activation();
  wait(1);
  await clock.advance(1000);
  subject.repeat();
  assert.equal(sent.length, 2);
  set(0);
  subject.repeat();
  set(5);
  subject.repeat();
  assert.equal(sent.length, 2);
});

function ledgerWith() {
  const layout = new LedgerLayout(createLedgerMemory(2), 2);
  const ledger = new Ledger(layout, 0);
  return { layout, ledger, directory: new LedgerDirectory(ledger), worker: new Ledger(layout, 1) };
}

test('draining: a busy pod is named when it is idle, an idle one once all workers know, each once', async () => {
  const clock = new FakeClock();
  const { ledger, directory, worker } = ledgerWith();
  const sent: (readonly string[])[] = [];
  const pods = new DrainingPods({ clock, ledger, directory, send: (ids) => sent.push(ids) > 0 });
  const before = directory.placeTarget(target('app', [endpoint(1), endpoint(2)]), 1);
  const slot = worker.claim(before.revision, [before.pods[0] ?? -1]);
  const after = directory.placeTarget(
    target('app', [endpoint(1, { state: 'draining' }), endpoint(2, { state: 'draining' })]),
    2,
  );
  pods.onTable([after], 2);
  assert.deepEqual(sent, []);
  pods.onApplied(2);
  assert.deepEqual(sent, [['pod-2']]);
  await clock.advance(100);
  assert.equal(sent.length, 1);
  worker.release(before.revision, { pod: slot, ticket: 0 }, []);
  await clock.advance(10);
  assert.deepEqual(sent, [['pod-2'], ['pod-1']]);
  pods.onTable([after], 3);
  pods.onApplied(3);
  await clock.advance(100);
  assert.equal(sent.length, 2);
  pods.repeat([after]);
  assert.deepEqual(sent[2], ['pod-1', 'pod-2']);
  assert.equal(clock.pending, 0);
});

test('draining: nobody to tell is no telling', async () => {
  const clock = new FakeClock();
  const { ledger, directory } = ledgerWith();
  let isThere = false;
  const sent: (readonly string[])[] = [];
  const pods = new DrainingPods({ clock, ledger, directory, send: (ids) => isThere && sent.push(ids) > 0 });
  pods.onTable([directory.placeTarget(target('app', [endpoint(1, { state: 'draining' })]), 1)], 1);
  pods.onApplied(1);
  isThere = true;
  await clock.advance(10);
  assert.deepEqual(sent, [['pod-1']]);
});

test('reports: the integral of concurrency over time, added up over threads', () => {
  const one = new RevisionStats(0);
  one.enter(0);
  one.enter(500);
  one.leave(1000);
  const other = new RevisionStats(0);
  other.enter(250);
  other.leave(750);
  const stats = [one, other].map((stats, index) => ({
    type: 'stats' as const,
    round: 1,
    connections: index,
    refused: {},
    revisions: [{ ...APP, ...stats.collect(1000), active: stats.active, codes: [] }],
  }));
  assert.deepEqual(
    summarize(stats, 1000, () => 0),
    [{ namespace: 'default', name: 'app', concurrency: 2, requests: 3, queued: 0, active: 1 }],
  );
  assert.deepEqual(one.collect(2000), { area: 1000, requests: 0 });
});

test('reports: a revision without traffic is left out', () => {
  assert.deepEqual(
    summarize(
      [
        {
          type: 'stats',
          round: 1,
          connections: 0,
          refused: {},
          revisions: [{ ...APP, area: 0, requests: 0, active: 0, codes: [] }],
        },
      ],
      1000,
      () => 0,
    ),
    [],
  );
});

const tableOf = (version: number, epoch: string, more: Partial<RoutingTable>): RoutingTable => ({
  ...emptyRoutingTable,
  ...more,
  epoch,
  version,
});

test('tables: only what differs is passed on, and versions of a new epoch follow on the old ones', () => {
  const keeper = new TableKeeper(ledgerWith().directory);
  const first = tableOf(7, 'a', { routes: [route('x'), route('y')], targets: oneApp([]).targets });
  assert.deepEqual(
    keeper.replace(first).routes.map(({ route: { key } }) => key),
    ['default/x', 'default/y'],
  );
  const second = tableOf(1, 'b', { routes: [route('y'), route('z')], targets: oneApp([endpoint(1)]).targets });
  const update = keeper.replace(second);
  assert.deepEqual(
    update.routes.map(({ route: { key } }) => key),
    ['default/z'],
  );
  assert.deepEqual(update.deletedRoutes, ['default/x']);
  assert.equal(update.targets.length, 1);
  assert.equal(update.version, 2);
  assert.deepEqual(keeper.acknowledge(1), { epoch: 'a', version: 7 });
  assert.deepEqual(keeper.acknowledge(2), { epoch: 'b', version: 1 });
  assert.equal(keeper.acknowledge(2), undefined);
  assert.deepEqual(keeper.whole()?.routes.length, 2);
});

test('tables: an update that does not follow is not taken', () => {
  const keeper = new TableKeeper(ledgerWith().directory);
  keeper.replace(tableOf(1, 'a', {}));
  const update = {
    epoch: 'a',
    fromVersion: 2,
    version: 3,
    routes: [],
    deletedRoutes: [],
    targets: [],
    deletedTargets: [],
  };
  assert.equal(keeper.accept({ type: 'update', update }), undefined);
  assert.ok(keeper.accept({ type: 'update', update: { ...update, fromVersion: 1 } }));
  assert.equal(keeper.table.version, 3);
});

test('slots: a pod keeps its own across tables, the strictest limit holds, and it is given away only when idle', () => {
  const { directory, ledger, worker } = ledgerWith();
  const limited = (name: string, limit: number) =>
    target(name, [endpoint(1)], { revision: revision(name, { containerConcurrency: limit }) });
  const first = directory.placeTarget(limited('a', 0), 1);
  const [slot = -1] = first.pods;
  assert.equal(ledger.limit(slot), UNLIMITED);
  directory.placeTarget(limited('b', 3), 2);
  assert.equal(ledger.limit(slot), 3);
  worker.claimAny([slot]);
  directory.removeTarget('default/a:80', 3);
  directory.removeTarget('default/b:80', 3);
  assert.equal(ledger.limit(slot), 0);
  directory.acknowledge(3);
  const other = directory.placeTarget(target('c', [endpoint(2)]), 4);
  assert.notEqual(other.pods[0], slot);
  worker.release(-1, { pod: slot, ticket: 0 }, []);
  directory.acknowledge(4);
  const third = directory.placeTarget(target('d', [endpoint(3)]), 5);
  assert.equal(third.pods[0], slot);
});

test('connections to a port, as the kernel’s table has them', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000',
    '   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000',
    '   2: 0100007F:1F90 0100007F:C002 08 00000000:00000000',
    '   3: 0100007F:1F90 0100007F:C003 06 00000000:00000000',
    '   4: 0100007F:C001 0100007F:1F90 01 00000000:00000000',
  ].join('\n');
  assert.equal(countConnections(table, 8080), 2);
  assert.equal(countConnections(table, 81), 0);
});

test('instants have fractions, and follow a clock that is set', () => {
  let wall = 1000;
  let mono = 0.25;
  const clock = { ...new FakeClock(), now: () => Math.floor(wall), monotonicMs: () => mono };
  const epoch = new EpochClock(clock);
  const advance = (ms: number) => {
    wall += ms;
    mono += ms;
  };
  for (let i = 0; i < 1000; i += 1) {
    advance(0.37);
    assert.ok(Math.abs(epoch.now() - wall) <= 1);
  }
  advance(0.5);
  assert.ok(Math.abs(epoch.now() - wall) < 0.1, `${epoch.now() - wall}`);
  wall -= 5000;
  advance(1);
  assert.ok(Math.abs(epoch.now() - wall) <= 1);
});
