import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CollectionSpec, Collector, type TrafficSample } from '#autoscaler/collector.ts';
import { steadyTime } from '#autoscaler/steady-time.ts';
import { activate, report, type Traffic } from '#autoscaler/fixtures/gateway.ts';
import { FakeClock } from '#testing/fake-clock.ts';

const KEY = 'default/a-00001';
const SPEC: CollectionSpec = { stableMs: 60_000, panicMs: 6_000, aggregation: 'linear', isScraped: true };

class Fixture {
  readonly clock = new FakeClock({ startMs: 1_700_000_000_400 });
  readonly traffic: TrafficSample[] = [];
  readyPods = 1;
  readonly collector = new Collector({
    clock: this.clock,
    time: steadyTime(this.clock),
    readyPods: () => this.readyPods,
    onTraffic: (_key, sample) => this.traffic.push(sample),
  });

  constructor(spec: Partial<CollectionSpec> = {}) {
    this.collector.follow(KEY, { ...SPEC, ...spec });
  }

  /** A second passes, with this traffic in it. */
  async second(traffic?: Omit<Traffic, 'key'>, periodMs = 1_000): Promise<string[]> {
    await this.clock.advance(periodMs);
    return this.collector.onReport(report(this.clock.now(), traffic ? [{ key: KEY, ...traffic }] : [], periodMs));
  }

  activate(queued?: number): boolean {
    return this.collector.onActivate(activate(KEY, this.clock.now(), queued));
  }

  get concurrency() {
    return this.collector.observe(KEY, 'concurrency');
  }

  get rps() {
    return this.collector.observe(KEY, 'rps');
  }
}

describe('reports', () => {
  test('concurrency and requests are averaged over both windows', async () => {
    const f = new Fixture();
    for (let second = 0; second < 10; second += 1) await f.second({ concurrency: second, requests: 10 * second });
    assert.deepEqual(f.concurrency, { stable: 4.5, panic: 6.5 });
    assert.deepEqual(f.rps, { stable: 45, panic: 65 });
  });

  test('a revision that nobody follows is left alone', async () => {
    const f = new Fixture();
    f.collector.onReport(report(f.clock.now(), [{ key: 'default/other', concurrency: 5 }]));
    assert.equal(f.collector.observe('default/other', 'concurrency'), undefined);
    assert.equal(f.collector.size, 1);
  });

  test('silence of a revision with a ready pod is no traffic', async () => {
    const f = new Fixture();
    await f.second({ concurrency: 6 });
    await f.second();
    await f.second();
    assert.deepEqual(f.concurrency, { stable: 2, panic: 2 });
  });

  test('silence of a revision without a ready pod is no news', async () => {
    const f = new Fixture();
    await f.second({ concurrency: 6 });
    f.readyPods = 0;
    await f.second();
    await f.second();
    assert.deepEqual(f.concurrency, { stable: 6, panic: 6 });
  });

  test('a revision that was forgotten has no data', async () => {
    const f = new Fixture();
    await f.second({ concurrency: 6 });
    f.collector.forget(KEY);
    assert.equal(f.concurrency, undefined);
  });

  test('other windows keep what was collected', async () => {
    const f = new Fixture();
    for (let second = 0; second < 10; second += 1) await f.second({ concurrency: 3 });
    f.collector.follow(KEY, { ...SPEC, stableMs: 6_000, panicMs: 1_000 });
    assert.deepEqual(f.concurrency, { stable: 3, panic: 3 });
  });

  test('revisions with requests that wait are told', async () => {
    const f = new Fixture();
    assert.deepEqual(await f.second({ concurrency: 2, queued: 1 }), [KEY]);
    assert.deepEqual(await f.second({ concurrency: 2, queued: 0 }), []);
  });

  test('traffic is told second by second, silence is not', async () => {
    const f = new Fixture();
    await f.second({ concurrency: 0.5, requests: 3 });
    await f.second();
    await f.second({ concurrency: 0, requests: 0 });
    await f.second({ concurrency: 0, requests: 1 });
    await f.second({ concurrency: 1, requests: 0 });
    assert.deepEqual(
      f.traffic.map(({ concurrency, requests }) => [concurrency, requests]),
      [
        [0.5, 3],
        [0, 1],
        [1, 0],
      ],
    );
    assert.equal(f.traffic[0]?.second, 1_700_000_001);
    assert.equal(f.traffic[1]?.second, 1_700_000_004);
  });
});

describe('time', () => {
  test('a timer that wavers around the full second loses none and doubles none', async () => {
    const f = new Fixture();
    await f.clock.advance(600 - 3);
    for (const wobble of [5, -4, 3, -5, 6, -2, 4, -6]) {
      await f.clock.advance(1_000 + wobble);
      f.collector.onReport(report(f.clock.now(), [{ key: KEY, concurrency: 8 }]));
    }
    assert.deepEqual(f.concurrency, { stable: 8, panic: 8 });
  });

  test('a report of several seconds counts for each of them', async () => {
    const f = new Fixture();
    await f.second({ concurrency: 2, requests: 10 });
    await f.second({ concurrency: 5, requests: 60 }, 3_000);
    assert.deepEqual(f.concurrency, { stable: (2 + 15) / 4, panic: (2 + 15) / 4 });
    assert.deepEqual(f.rps, { stable: (10 + 60) / 4, panic: (10 + 60) / 4 });
    // Of the three seconds one has left the panic window by then.
    await f.clock.advance(4_000);
    assert.deepEqual(f.concurrency?.panic, (5 + 5) / 2);
  });

  test('a short last report of one gateway and the first of the next make one second', async () => {
    const f = new Fixture();
    await f.second({ concurrency: 4, requests: 10 });
    await f.second({ concurrency: 4, requests: 2 }, 250);
    assert.deepEqual(f.rps?.panic, 12);
    assert.deepEqual(f.concurrency?.panic, 5);
  });

  test('requests are those of a second, whatever the period', async () => {
    const f = new Fixture();
    await f.second({ concurrency: 1, requests: 88 }, 1_100);
    assert.equal(f.rps?.panic, 80);
  });

  test('an old report counts for the second that it is of', async () => {
    const f = new Fixture();
    await f.second({ concurrency: 4 });
    await f.clock.advance(5_000);
    f.collector.onReport(report(f.clock.now() - 4_000, [{ key: KEY, concurrency: 8 }]));
    await f.clock.advance(1_000);
    assert.equal(f.concurrency?.stable, 6);
  });

  test('an old report that is out of step, too', async () => {
    const f = new Fixture();
    f.readyPods = 0;
    await f.second({ concurrency: 4 });
    await f.clock.advance(10_000);
    f.collector.onReport(report(f.clock.now() - 7_000, [{ key: KEY, concurrency: 8 }]));
    assert.equal(f.concurrency?.stable, (4 + 8) / 4);
    assert.equal(f.concurrency?.panic, 0);
  });

  test('a report that claims to be from long ago or from the future is one of now', async () => {
    for (const ageMs of [3_600_000, -3_600_000]) {
      const f = new Fixture();
      await f.second({ concurrency: 4 });
      await f.clock.advance(15_000);
      f.collector.onReport(report(f.clock.now() - ageMs, [{ key: KEY, concurrency: 8 }]));
      const second = Math.floor(f.clock.now() / 1_000);
      assert.equal(f.traffic.at(-1)?.second, ageMs > 0 ? second - 10 : second);
    }
  });

  test('setting the clock of the machine changes nothing', () => {
    let wall = 1_700_000_000_000;
    let monotonic = 5_000;
    const clock = { now: () => wall, monotonicMs: () => monotonic };
    const collector = new Collector({ clock, time: steadyTime(clock), readyPods: () => 1 });
    collector.follow(KEY, SPEC);
    const second = (concurrency: number) => {
      wall += 1_000;
      monotonic += 1_000;
      collector.onReport(report(wall, [{ key: KEY, concurrency }]));
    };
    for (let count = 0; count < 5; count += 1) second(4);
    wall -= 3_600_000;
    for (let count = 0; count < 5; count += 1) second(8);
    assert.equal(collector.observe(KEY, 'concurrency')?.stable, 6);
    wall += 7_200_000;
    for (let count = 0; count < 5; count += 1) second(9);
    assert.equal(collector.observe(KEY, 'concurrency')?.stable, 7);
  });
});

describe('a panic window of one second', () => {
  const SHORT = { stableMs: 6_000, panicMs: 1_000 };

  test('holds the newest report until the next one, whatever the second on the clock', async () => {
    const f = new Fixture(SHORT);
    await f.second({ concurrency: 8 });
    for (const ms of [0, 300, 500, 199]) {
      await f.clock.advance(ms);
      assert.equal(f.concurrency?.panic, 8);
    }
    await f.second({ concurrency: 3 });
    assert.equal(f.concurrency?.panic, 3);
  });

  test('is empty once reports stay away', async () => {
    const f = new Fixture(SHORT);
    await f.second({ concurrency: 8 });
    await f.clock.advance(1_601);
    assert.equal(f.concurrency?.panic, 0);
    assert.equal(f.concurrency?.stable, 8);
  });

  test('takes in at once what waits', async () => {
    const f = new Fixture(SHORT);
    await f.second({ concurrency: 8 });
    await f.clock.advance(700);
    f.activate(5);
    assert.equal(f.concurrency?.panic, 5);
  });
});

describe('requests that wait', () => {
  test('the first is known at once, and is not counted again by the report of its second', async () => {
    const f = new Fixture();
    f.readyPods = 0;
    assert.equal(f.activate(), true);
    assert.deepEqual(f.concurrency, { stable: 1, panic: 1 });
    assert.deepEqual(f.rps, { stable: 1, panic: 1 });
    await f.clock.advance(500);
    f.collector.onReport(report(f.clock.now(), [{ key: KEY, concurrency: 0.5, requests: 1, queued: 1 }]));
    assert.deepEqual(f.concurrency, { stable: 1, panic: 1 });
    assert.deepEqual(f.rps, { stable: 1, panic: 1 });
  });

  test('what is more than was told counts', async () => {
    const f = new Fixture();
    f.activate();
    await f.second({ concurrency: 5, requests: 5, queued: 5 });
    assert.equal(f.concurrency?.stable, (1 + 4) / 2);
  });

  test('saying it again is no news', async () => {
    const f = new Fixture();
    assert.equal(f.activate(3), true);
    assert.equal(f.activate(3), false);
    await f.second({ concurrency: 3, queued: 3 });
    assert.equal(f.activate(3), false);
    assert.equal(f.concurrency?.panic, 1.5);
  });

  test('a queue that grows is news', async () => {
    const f = new Fixture();
    assert.equal(f.activate(1), true);
    assert.equal(f.activate(50), true);
    assert.deepEqual(f.concurrency, { stable: 50, panic: 50 });
    await f.second({ concurrency: 48, queued: 50 });
    assert.equal(f.activate(60), true);
    assert.equal(f.concurrency?.stable, (50 + 10) / 2);
  });

  test('after a pause the first is news again', async () => {
    const f = new Fixture();
    f.activate();
    await f.second({ concurrency: 1, queued: 1 });
    await f.second();
    assert.equal(f.activate(), true);
  });

  test('a request for a revision that is not known yet counts once it is', async () => {
    const f = new Fixture();
    const other = 'default/b-00001';
    assert.equal(f.collector.onActivate(activate(other, f.clock.now(), 2)), false);
    await f.clock.advance(1_000);
    assert.equal(f.collector.follow(other, SPEC), true);
    assert.equal(f.collector.follow(other, SPEC), false);
    assert.equal(f.collector.observe(other, 'concurrency')?.panic, 2);
  });

  test('but not for ever', async () => {
    const f = new Fixture();
    const other = 'default/b-00001';
    f.collector.onActivate(activate(other, f.clock.now()));
    await f.clock.advance(4_000);
    assert.equal(f.collector.follow(other, SPEC), false);
    assert.equal(f.collector.observe(other, 'concurrency'), undefined);
  });

  test('of the unknown only so many are kept, the newest', async () => {
    const f = new Fixture();
    for (let index = 0; index < 1_500; index += 1) f.collector.onActivate(activate(`default/r${index}`, f.clock.now()));
    for (const name of ['default/r0', 'default/r500', 'default/r1499']) f.collector.follow(name, SPEC);
    assert.equal(f.collector.observe('default/r0', 'concurrency'), undefined);
    assert.equal(f.collector.observe('default/r500', 'concurrency')?.panic, 1);
    assert.equal(f.collector.observe('default/r1499', 'concurrency')?.panic, 1);
  });
});

describe('no data', () => {
  test('before the first report', () => assert.equal(new Fixture().concurrency, undefined));

  test('without a report for longer than the window', async () => {
    const f = new Fixture({ stableMs: 6_000 });
    await f.second({ concurrency: 5 });
    await f.clock.advance(6_500);
    assert.deepEqual(f.concurrency, { stable: 0, panic: 0 });
    await f.clock.advance(1_000);
    assert.equal(f.concurrency, undefined);
  });

  test('always behind the activator: silence of a gateway that reports is no traffic', async () => {
    const f = new Fixture({ isScraped: false });
    await f.second();
    assert.deepEqual(f.concurrency, { stable: 0, panic: 0 });
    await f.second({ concurrency: 5 });
    await f.second();
    assert.deepEqual(f.concurrency, { stable: 5, panic: 5 });
  });

  test('always behind the activator: silence of a gateway that is gone is no data', async () => {
    const f = new Fixture({ isScraped: false });
    await f.second();
    await f.clock.advance(5_001);
    assert.equal(f.concurrency, undefined);
  });
});
