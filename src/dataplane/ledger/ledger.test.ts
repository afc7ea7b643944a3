import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ledger, NO_SLOT, QUEUE_FULL, type Slot } from '#dataplane/ledger/ledger.ts';
import {
  createLedgerMemory,
  LedgerLayout,
  POD_IN_FLIGHT,
  POD_LIMIT,
  REVISION_LIMIT,
  REVISION_LOCK,
  SEAT_INTENT,
  UNLIMITED,
} from '#dataplane/ledger/layout.ts';
import { recoverSeat } from '#dataplane/ledger/recovery.ts';

const REVISION = 0;

function build(options: { seats?: number; limits: readonly number[]; queueLimit?: number }) {
  const seats = options.seats ?? 3;
  const layout = new LedgerLayout(createLedgerMemory(seats), seats);
  const { words } = layout;
  options.limits.forEach((limit, pod) => Atomics.store(words, layout.pod(pod) + POD_LIMIT, limit));
  Atomics.store(words, layout.revision(REVISION) + REVISION_LIMIT, options.queueLimit ?? 1000);
  const ledgers = Array.from({ length: seats }, (_, seat) => new Ledger(layout, seat));
  return { layout, ledgers, pods: options.limits.map((_, pod) => pod) };
}

test('the least loaded pod with room is claimed, and a full one never', () => {
  const { ledgers, pods } = build({ limits: [2, 3] });
  const [, one] = ledgers as [Ledger, Ledger];
  const claimed = Array.from({ length: 6 }, () => one.claim(REVISION, pods));
  assert.equal(claimed.filter((pod) => pod === 0).length, 2);
  assert.equal(claimed.filter((pod) => pod === 1).length, 3);
  assert.equal(claimed[5], NO_SLOT);
  assert.notEqual(claimed[0], claimed[1]);
  one.release(REVISION, { pod: 1, ticket: 0 }, pods);
  assert.equal(one.claim(REVISION, pods), 1);
});

test('equally loaded pods take turns', () => {
  const { ledgers, pods } = build({ limits: [UNLIMITED, UNLIMITED, UNLIMITED] });
  const [, one] = ledgers as [Ledger, Ledger];
  const seen = new Set<number>();
  for (let i = 0; i < 3; i += 1) {
    const pod = one.claim(REVISION, pods);
    seen.add(pod);
    one.release(REVISION, { pod, ticket: 0 }, pods);
  }
  assert.equal(seen.size, 3);
});

test('a ticket is granted by another thread’s release, and nobody overtakes it', () => {
  const { ledgers, pods } = build({ limits: [1] });
  const [, one, two] = ledgers as [Ledger, Ledger, Ledger];
  assert.equal(one.claim(REVISION, pods), 0);
  const grants: Slot[] = [];
  const ticket = two.enqueue(REVISION, pods, (slot) => grants.push(slot));
  assert.equal(one.claim(REVISION, pods), NO_SLOT);
  one.release(REVISION, { pod: 0, ticket: 0 }, pods);
  assert.equal(one.claim(REVISION, pods), NO_SLOT);
  assert.deepEqual(grants, []);
  two.readMail();
  assert.deepEqual(grants, [{ pod: 0, ticket }]);
  two.release(REVISION, { pod: 0, ticket }, pods);
  assert.equal(one.inFlight(0), 0);
});

test('a queue at its limit takes no more', () => {
  const { ledgers, pods } = build({ limits: [1], queueLimit: 2 });
  const [, one] = ledgers as [Ledger, Ledger];
  one.claim(REVISION, pods);
  assert.notEqual(
    one.enqueue(REVISION, pods, () => {}),
    QUEUE_FULL,
  );
  assert.notEqual(
    one.enqueue(REVISION, pods, () => {}),
    QUEUE_FULL,
  );
  assert.equal(
    one.enqueue(REVISION, pods, () => {}),
    QUEUE_FULL,
  );
  assert.equal(one.queued(REVISION), 2);
});

test('a queue is news when it begins, when it has doubled, and when it begins again', () => {
  const { ledgers, pods } = build({ limits: [1] });
  const [, one, two] = ledgers as [Ledger, Ledger, Ledger];
  one.claim(REVISION, pods);
  const tickets: number[] = [];
  const news = Array.from({ length: 8 }, (_, index) => {
    tickets.push((index % 2 === 0 ? one : two).enqueue(REVISION, pods, () => {}));
    return one.isNews(REVISION);
  });
  assert.deepEqual(news, [true, true, false, true, false, false, false, true]);
  tickets.forEach((ticket, index) => (index % 2 === 0 ? one : two).cancel(REVISION, ticket, pods));
  assert.equal(one.isNews(REVISION), false);
  one.enqueue(REVISION, pods, () => {});
  assert.equal(two.isNews(REVISION), true);
});

test('a ticket that was granted and cancelled before its letter was read passes its slot on', () => {
  const { ledgers, pods } = build({ limits: [1] });
  const [, one, two] = ledgers as [Ledger, Ledger, Ledger];
  one.claim(REVISION, pods);
  const first = two.enqueue(REVISION, pods, () => assert.fail('cancelled'));
  let granted = 0;
  one.enqueue(REVISION, pods, () => (granted += 1));
  one.release(REVISION, { pod: 0, ticket: 0 }, pods);
  two.cancel(REVISION, first, pods);
  one.readMail();
  two.readMail();
  assert.equal(granted, 1);
  assert.equal(one.inFlight(0), 1);
});

test('what a dead thread held, waited for and was changing is put right', () => {
  const { layout, ledgers, pods } = build({ limits: [2] });
  const [main, one, two] = ledgers as [Ledger, Ledger, Ledger];
  one.claim(REVISION, pods);
  one.claim(REVISION, pods);
  let granted = 0;
  one.enqueue(REVISION, pods, () => assert.fail('dead'));
  two.enqueue(REVISION, pods, () => (granted += 1));
  // It died while it held the queue's lock, and between counting a request and noting it.
  Atomics.store(layout.words, layout.revision(REVISION) + REVISION_LOCK, 1 + 1);
  Atomics.store(layout.words, layout.seat(1) + SEAT_INTENT, 0 + 1);
  Atomics.add(layout.words, layout.pod(0) + POD_IN_FLIGHT, 1);
  recoverSeat(main, 1);
  main.pump(REVISION, pods);
  two.readMail();
  assert.equal(granted, 1);
  assert.equal(main.inFlight(0), 1);
  assert.equal(main.queued(REVISION), 0);
  assert.equal(main.limit(0), 2);
});

test('a grant whose letter was never sent is found after the death of its sender', () => {
  const { layout, ledgers, pods } = build({ limits: [1] });
  const [main, , two] = ledgers as [Ledger, Ledger, Ledger];
  const claimed = main.claim(REVISION, pods);
  let granted = 0;
  two.enqueue(REVISION, pods, () => (granted += 1));
  main.release(REVISION, { pod: claimed, ticket: 0 }, pods);
  // The letter is lost.
  layout.words.fill(0, layout.letter(2, 0), layout.letter(2, 0) + 1);
  two.readMail();
  assert.equal(granted, 0);
  recoverSeat(main, 1);
  two.readMail();
  assert.equal(granted, 1);
});

// ── a model: any interleaving of whole operations of three threads ───────────────────────────────────────────────

type Operation =
  | { readonly kind: 'arrive'; readonly seat: number }
  | { readonly kind: 'read'; readonly seat: number }
  | { readonly kind: 'finish'; readonly pick: number }
  | { readonly kind: 'cancel'; readonly pick: number }
  | { readonly kind: 'die'; readonly seat: number };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('arrive' as const), seat: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('finish' as const), pick: fc.nat(1000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat(1000) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), seat: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), seat: fc.integer({ min: 1, max: 3 }) }) },
);

interface Running {
  readonly seat: number;
  readonly slot: Slot;
}

test('any order of arrivals, ends, cancellations and deaths keeps the limits, the order and the count', () => {
  const limits = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(limits, fc.array(operation, { maxLength: 80 }), (limits, operations) => {
      const { layout, ledgers, pods } = build({ seats: 4, limits, queueLimit: 10 });
      const main = ledgers[0] as Ledger;
      const running: Running[] = [];
      const waiting: { seat: number; ticket: number; order: number }[] = [];
      const granted: number[] = [];
      let order = 0;
      const arrive = (seat: number) => {
        const ledger = ledgers[seat] as Ledger;
        const pod = ledger.claim(REVISION, pods);
        if (pod !== NO_SLOT) return running.push({ seat, slot: { pod, ticket: 0 } });
        const mine = (order += 1);
        const entry = { seat, ticket: 0, order: mine };
        let isGranted = false;
        const ticket = ledger.enqueue(REVISION, pods, (slot) => {
          isGranted = true;
          granted.push(mine);
          running.push({ seat, slot });
          const at = waiting.indexOf(entry);
          if (at >= 0) waiting.splice(at, 1);
        });
        if (ticket === QUEUE_FULL) assert.equal(main.queued(REVISION), 10);
        else if (!isGranted) waiting.push(Object.assign(entry, { ticket }));
        return 0;
      };
      const step = (one: Operation) => {
        if (one.kind === 'arrive') arrive(one.seat);
        else if (one.kind === 'read') (ledgers[one.seat] as Ledger).readMail();
        else if (one.kind === 'finish') {
          const [done] = running.splice(running.length > 0 ? one.pick % running.length : 0, 1);
          if (done) (ledgers[done.seat] as Ledger).release(REVISION, done.slot, pods);
        } else if (one.kind === 'cancel') {
          const [gone] = waiting.splice(waiting.length > 0 ? one.pick % waiting.length : 0, 1);
          if (gone) (ledgers[gone.seat] as Ledger).cancel(REVISION, gone.ticket, pods);
        } else {
          recoverSeat(main, one.seat);
          ledgers[one.seat] = new Ledger(layout, one.seat);
          for (let i = running.length - 1; i >= 0; i -= 1) if (running[i]?.seat === one.seat) running.splice(i, 1);
          for (let i = waiting.length - 1; i >= 0; i -= 1) if (waiting[i]?.seat === one.seat) waiting.splice(i, 1);
          main.pump(REVISION, pods);
        }
        pods.forEach((pod) => assert.ok(main.inFlight(pod) <= (limits[pod] ?? 0), 'above the limit'));
      };
      operations.forEach(step);
      for (const ledger of ledgers) ledger.readMail();
      const total = pods.reduce((sum, pod) => sum + main.inFlight(pod), 0);
      assert.equal(total, running.length, 'every slot has its request');
      assert.equal(main.queued(REVISION), waiting.length);
      const capacity = limits.reduce((sum, limit) => sum + limit, 0);
      assert.ok(waiting.length === 0 || total === capacity, 'somebody waits while there is room');
      // Drain: everybody is served, those who wait in the order in which they came.
      const before = granted.length;
      while (running.length > 0) {
        step({ kind: 'finish', pick: 0 });
        for (const ledger of ledgers) ledger.readMail();
      }
      const drained = granted.slice(before);
      assert.deepEqual(
        drained,
        [...drained].sort((left, right) => left - right),
        'not first come, first served',
      );
      assert.equal(main.queued(REVISION), 0);
      pods.forEach((pod) => assert.equal(main.inFlight(pod), 0));
    }),
    { numRuns: 500 },
  );
});
