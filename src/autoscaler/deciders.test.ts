import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deciders, type DecisionRecord } from '#autoscaler/deciders.ts';
import type { ScalingSpec } from '#autoscaler/decide.ts';
import { steadyTime } from '#autoscaler/steady-time.ts';
import { caseSpec } from '#autoscaler/fixtures/specs.ts';
import { FakeClock } from '#testing/fake-clock.ts';

const KEY = 'default/a-00001';

class Fixture {
  readonly clock = new FakeClock();
  readyPods = 1;
  load: number | undefined = 0;
  readonly changed: string[] = [];
  readonly records: DecisionRecord[] = [];
  readonly deciders = new Deciders({
    time: steadyTime(this.clock),
    readyPods: () => this.readyPods,
    observe: () => (this.load === undefined ? undefined : { stable: this.load, panic: this.load }),
    onChange: (key) => this.changed.push(key),
    onDecision: (record) => this.records.push(record),
  });

  constructor(changes: Partial<ScalingSpec> = {}) {
    this.deciders.follow(KEY, caseSpec(10, changes));
  }
}

test('nothing is recommended before the first decision', () => {
  const f = new Fixture({ targetBurstCapacity: 0 });
  assert.deepEqual(f.deciders.get(KEY), { desired: -1, excessBurstCapacity: 0 });
  assert.equal(f.deciders.get('default/other'), undefined);
});

test('the first decision is told, the same one again is not', () => {
  const f = new Fixture();
  f.deciders.tickAll();
  f.deciders.tickAll();
  assert.deepEqual(f.changed, [KEY]);
  assert.equal(f.deciders.get(KEY)?.desired, 0);
  assert.equal(f.records.length, 2);
});

test('another number of pods is told', () => {
  const f = new Fixture();
  f.deciders.tickAll();
  f.load = 15;
  f.deciders.tickAll();
  assert.equal(f.deciders.get(KEY)?.desired, 2);
  assert.equal(f.changed.length, 2);
});

test('a change of sign of the burst capacity is told, another value of it is not', () => {
  const f = new Fixture({ total: 100, targetBurstCapacity: 50 });
  f.load = 10;
  f.deciders.tickAll();
  assert.equal(f.deciders.get(KEY)?.excessBurstCapacity, 40);
  f.load = 9;
  f.deciders.tickAll();
  assert.equal(f.changed.length, 1);
  f.readyPods = 0;
  f.deciders.tickAll();
  assert.equal(f.changed.length, 2);
});

test('without data nothing is decided and the last decision stands', () => {
  const f = new Fixture();
  f.load = 15;
  f.deciders.tickAll();
  f.load = undefined;
  f.deciders.tickAll();
  f.deciders.poke(KEY, 'surge');
  assert.equal(f.deciders.get(KEY)?.desired, 2);
  assert.equal(f.records.length, 1);
});

test('a poke decides at once, and says why', () => {
  const f = new Fixture();
  f.load = 1;
  f.deciders.poke(KEY, 'request-waits');
  assert.deepEqual(f.changed, [KEY]);
  assert.equal(f.records[0]?.occasion, 'request-waits');
  f.deciders.poke('default/other', 'request-waits');
});

test('another spec counts from the next decision on, and panic goes on', () => {
  const f = new Fixture();
  f.load = 50;
  f.deciders.tickAll();
  assert.equal(f.records.at(-1)?.decision.panicking, true);
  assert.equal(f.deciders.follow(KEY, caseSpec(5)).desired, 5);
  f.deciders.tickAll();
  assert.equal(f.deciders.get(KEY)?.desired, 10);
  assert.notEqual(f.records.at(-1)?.before.panicSinceMs, undefined);
});

test('a decider made while several pods are ready keeps them', () => {
  const f = new Fixture();
  f.deciders.forget(KEY);
  f.readyPods = 4;
  f.deciders.follow(KEY, caseSpec(10));
  f.deciders.tickAll();
  assert.equal(f.deciders.get(KEY)?.desired, 4);
});

test('a decider made while requests wait decides at once', () => {
  const f = new Fixture();
  f.deciders.forget(KEY);
  f.readyPods = 0;
  f.load = 3;
  assert.equal(f.deciders.follow(KEY, caseSpec(10)).desired, 1);
  assert.deepEqual(f.changed, [KEY]);
});

test('a forgotten decider decides no more', () => {
  const f = new Fixture();
  f.deciders.forget(KEY);
  f.deciders.tickAll();
  assert.deepEqual(f.changed, []);
  assert.equal(f.deciders.size, 0);
});
