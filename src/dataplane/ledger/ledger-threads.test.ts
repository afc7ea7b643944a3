import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { eventually } from '#testing/eventually.ts';
import { Ledger } from '#dataplane/ledger/ledger.ts';
import { createLedgerMemory, LedgerLayout, POD_LIMIT, REVISION_LIMIT } from '#dataplane/ledger/layout.ts';
import { recoverSeat } from '#dataplane/ledger/recovery.ts';
import {
  AUDIT_LOG,
  AUDIT_LOG_LENGTH,
  AUDIT_SEATS,
  AUDIT_VIOLATIONS,
  type StressOptions,
} from '#dataplane/fixtures/ledger-audit.ts';

const ENTRY = new URL('../fixtures/ledger-worker.ts', import.meta.url);
const SEATS = 4;

function setUp(limits: readonly number[]) {
  const memory = createLedgerMemory(SEATS);
  const layout = new LedgerLayout(memory, SEATS);
  limits.forEach((limit, pod) => Atomics.store(layout.words, layout.pod(pod) + POD_LIMIT, limit));
  Atomics.store(layout.words, layout.revision(0) + REVISION_LIMIT, 10_000);
  const audit = new SharedArrayBuffer((AUDIT_LOG + 400_000) * 4);
  const main = new Ledger(layout, 0);
  const start = (seat: number, more: Pick<StressOptions, 'clients' | 'rounds' | 'cancelShare'>) => {
    const options: StressOptions = { memory, seats: SEATS, seat, limits, audit, ...more };
    const worker = new Worker(ENTRY, { workerData: options });
    const result = new Promise<{ served: number }>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    return { worker, result, exited: new Promise((resolve) => worker.once('exit', resolve)) };
  };
  return { layout, main, start, audit: new Int32Array(audit), pods: limits.map((_, pod) => pod) };
}

test('three threads never exceed the limits, and everybody is served', async () => {
  const { main, start, audit, pods } = setUp([1, 3]);
  const rounds = 400;
  const threads = [1, 2, 3].map((seat) => start(seat, { clients: 20, rounds, cancelShare: 0 }));
  const results = await Promise.all(threads.map(({ result }) => result));
  await Promise.all(threads.map(({ exited }) => exited));
  assert.equal(audit[AUDIT_VIOLATIONS], 0);
  assert.deepEqual(
    results.map(({ served }) => served),
    [20 * rounds, 20 * rounds, 20 * rounds],
  );
  for (const pod of pods) assert.equal(main.inFlight(pod), 0);
  assert.equal(main.queued(0), 0);
});

test('with cancellations too, no slot and no ticket is lost', async () => {
  const { main, start, audit, pods } = setUp([2]);
  const threads = [1, 2, 3].map((seat) => start(seat, { clients: 20, rounds: 400, cancelShare: 0.5 }));
  await Promise.all(threads.map(({ result }) => result));
  await Promise.all(threads.map(({ exited }) => exited));
  assert.equal(audit[AUDIT_VIOLATIONS], 0);
  for (const pod of pods) assert.equal(main.inFlight(pod), 0);
  assert.equal(main.queued(0), 0);
});

test('one slot is handed out in the order in which all threads drew their tickets', async () => {
  const { start, audit } = setUp([1]);
  const threads = [1, 2, 3].map((seat) => start(seat, { clients: 10, rounds: 300, cancelShare: 0 }));
  await Promise.all(threads.map(({ exited }) => exited));
  const length = audit[AUDIT_LOG_LENGTH] ?? 0;
  const log = [...audit.subarray(AUDIT_LOG, AUDIT_LOG + length)];
  assert.ok(length > 1000, `only ${length} grants`);
  assert.deepEqual(
    log,
    [...log].sort((left, right) => left - right),
  );
});

test('a thread that is killed frees what it held, and the others go on within the limits', async () => {
  const { layout, main, start, audit, pods } = setUp([2, 2]);
  const survivor = start(1, { clients: 20, rounds: 3000, cancelShare: 0.1 });
  for (let death = 0; death < 5; death += 1) {
    const victim = start(2, { clients: 20, rounds: 1_000_000, cancelShare: 0.1 });
    const before = audit[AUDIT_LOG_LENGTH] ?? 0;
    await eventually(() => (audit[AUDIT_LOG_LENGTH] ?? 0) > before + 500, { what: 'the victim at work' });
    await victim.worker.terminate();
    for (const pod of pods) {
      const held = Atomics.exchange(audit, AUDIT_SEATS + 2 * 64 + pod, 0);
      Atomics.sub(audit, pod, held);
    }
    recoverSeat(main, 2);
    main.pump(0, pods);
  }
  await survivor.result;
  await survivor.exited;
  assert.equal(audit[AUDIT_VIOLATIONS], 0);
  for (const pod of pods) assert.equal(main.inFlight(pod), 0, `pod ${pod}`);
  assert.equal(main.queued(0), 0);
  assert.equal(Atomics.load(layout.words, layout.pod(0) + POD_LIMIT), 2);
});
