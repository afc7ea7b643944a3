import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { decide, initialState } from '#autoscaler/decide.ts';
import type { DecisionEntry, JournalEntry } from '#autoscaler/journal-entry.ts';
import { readJournal } from '#autoscaler/journal.ts';
import { JournalRecorder } from '#autoscaler/journal-recorder.ts';
import { REF, World } from '#autoscaler/fixtures/world.ts';
import { FakeClock } from '#testing/fake-clock.ts';

/** The journal of a revision that wakes up, works and goes back to sleep. */
async function journalOfALife(): Promise<JournalEntry[]> {
  const dir = await mkdtemp(path.join(tmpdir(), 'journal-'));
  try {
    {
      const config = { 'stable-window': '6s', 'scale-to-zero-grace-period': '2s' };
      await using world = await World.start({ journalDir: dir, config, replicas: 0, annotations: { target: '10' } });
      await world.activate(3);
      await world.podsAsWanted();
      await world.seconds(14, { concurrency: 25, requests: 50 });
      await world.podsAsWanted();
      await world.seconds(10, { concurrency: 25, requests: 50 });
      for (let round = 0; round < 8; round += 1) {
        await world.seconds(10);
        await world.podsAsWanted();
      }
      const steps = [{ name: 'boot', durationMs: 12 }];
      const { namespace, name } = REF;
      const at = world.api.clock.now();
      world.autoscaler.onColdStart({ type: 'coldstart', namespace, name, pod: 'p', at, totalMs: 40, steps });
    }
    return await readJournal(dir, REF);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

test('a life is told in full: begin, decisions, scales, traffic, cold start', async () => {
  const entries = await journalOfALife();
  const of = <T extends JournalEntry['type']>(type: T) =>
    entries.filter((entry): entry is Extract<JournalEntry, { type: T }> => entry.type === type);
  assert.equal(of('begin').length, 1);
  assert.deepEqual(of('cold-start')[0]?.steps, [{ name: 'boot', durationMs: 12 }]);
  const seconds = of('traffic').flatMap(({ concurrency }) => concurrency);
  assert.equal(seconds.length, 24);
  assert.ok(seconds.every((value) => value === 25));
  assert.ok(
    of('traffic').every(
      ({ concurrency, requests }) => concurrency.length <= 10 && requests.length === concurrency.length,
    ),
  );
  const desired = of('decision').map(({ decision }) => decision.desired);
  assert.equal(desired[0], 1);
  assert.equal(Math.max(...desired), 4);
  assert.equal(desired.at(-1), 0);
  assert.equal(of('decision')[0]?.occasion, 'request-waits');
  const reasons = of('scale').flatMap(({ plan }) => plan.reasons);
  for (const reason of ['deactivated', 'idle']) assert.ok(reasons.includes(reason as never), reason);
  assert.equal(of('scale').at(-1)?.plan.want, 0);
});

test('nothing is written while nothing changes', async () => {
  const entries = await journalOfALife();
  // 90 seconds are 45 decisions; at rest they are all the same.
  assert.ok(entries.length < 45, `${entries.length}`);
});

describe('traffic', () => {
  const KEY = 'default/a-00001';
  const SECOND = 1_700_000_000;

  function recorder() {
    const clock = new FakeClock({ startMs: SECOND * 1_000 });
    const entries: JournalEntry[] = [];
    const journal = { record: (_key: string, entry: JournalEntry) => void entries.push(entry) };
    const recorder = new JournalRecorder({ journal, clock, time: () => clock.now() });
    const second = async (concurrency: number) => {
      recorder.traffic(KEY, { second: Math.floor(clock.now() / 1_000), concurrency, requests: 2 * concurrency });
      await clock.advance(1_000);
    };
    return { clock, entries, recorder, second };
  }

  test('is written down once it pauses', async () => {
    const { entries, recorder: it, second, clock } = recorder();
    for (const load of [1, 2, 3.00049]) await second(load);
    it.endRuns();
    assert.deepEqual(entries, []);
    await clock.advance(2_000);
    it.endRuns();
    it.endRuns();
    const at = (SECOND + 2) * 1_000;
    assert.deepEqual(entries, [{ type: 'traffic', at, concurrency: [1, 2, 3], requests: [2, 4, 6.001] }]);
  });

  test('or after ten seconds, or when seconds are missing, or when its revision goes', async () => {
    const { entries, recorder: it, second, clock } = recorder();
    for (let count = 0; count < 12; count += 1) await second(1);
    await clock.advance(1_000);
    await second(1);
    it.forget(KEY);
    it.forget(KEY);
    const lengths = entries.map((entry) => (entry.type === 'traffic' ? entry.concurrency.length : 0));
    assert.deepEqual(lengths, [10, 2, 1]);
    assert.deepEqual(
      entries.map(({ at }) => at / 1_000 - SECOND),
      [9, 11, 13],
    );
  });
});

test('a decision can be made again from its entry, and with other settings', async () => {
  const decisions = (await journalOfALife()).filter((entry): entry is DecisionEntry => entry.type === 'decision');
  assert.ok(decisions.some(({ before }) => (before.panickingMs ?? -1) > 0));
  for (const { at, spec, observed, before, decision } of decisions) {
    const { panickingMs, maxPanicPods } = before;
    const state = {
      ...initialState(0, at),
      maxPanicPods,
      panicSinceMs: panickingMs === undefined ? undefined : at - panickingMs,
    };
    assert.deepEqual(decide(at, spec, observed, state).decision, decision);
  }
  const busiest = decisions.find(({ decision }) => decision.desired === 4);
  assert.ok(busiest);
  const { decision } = decide(
    busiest.at,
    { ...busiest.spec, target: 25 },
    busiest.observed,
    initialState(0, busiest.at),
  );
  assert.equal(decision.desired, 1);
});
