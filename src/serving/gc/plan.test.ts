/** Which old Revisions go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '#kube/time.ts';
import { planGarbage } from '#serving/gc/plan.ts';
import { configOf, configuration, revision } from '#testing/knative-objects.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 10);

interface Old {
  readonly name: string;
  /** Hours ago. */
  readonly created: number;
  readonly lastActive?: number;
  readonly state?: string;
  readonly annotations?: Record<string, string>;
}

function old({ name, created, lastActive, state = 'reserve', annotations = {} }: Old) {
  const at = (hours: number) => formatTime(NOW - hours * HOUR);
  const modified = lastActive === undefined ? {} : { 'serving.knative.dev/routingStateModified': at(lastActive) };
  return revision(name, {
    meta: {
      creationTimestamp: at(created),
      labels: { 'serving.knative.dev/routingState': state },
      annotations: { ...modified, ...annotations },
    },
  });
}

const days = (count: number, name: string): Old => ({ name, created: 24 * count });

interface Row {
  readonly what: string;
  readonly config?: Record<string, string>;
  readonly revisions: readonly Old[];
  readonly doomed: readonly string[];
  /** Hours from now. */
  readonly next?: number;
}

const ALL_OFF = { 'retain-since-create-time': 'disabled', 'retain-since-last-active-time': 'disabled' };
const NONE_KEPT = { 'min-non-active-revisions': '0' };

/** By default: 48 h since creation, 15 h since last active, at least 20 kept, at most 1000. */
const ROWS: readonly Row[] = [
  { what: 'twenty stay whatever their age', revisions: [days(9, 'a'), days(8, 'b')], doomed: [] },
  {
    what: 'stale ones go, oldest first',
    config: { 'min-non-active-revisions': '1' },
    revisions: [days(5, 'c'), days(9, 'a'), days(7, 'b')],
    doomed: ['a', 'b'],
  },
  {
    what: 'both limits must have passed: created long ago, active a moment ago',
    config: NONE_KEPT,
    revisions: [{ name: 'a', created: 100, lastActive: 14 }],
    doomed: [],
    next: 1,
  },
  {
    what: 'both limits must have passed: created a moment ago',
    config: NONE_KEPT,
    revisions: [{ name: 'a', created: 20, lastActive: 18 }],
    doomed: [],
    next: 28,
  },
  {
    what: 'a limit is exclusive of nothing',
    config: NONE_KEPT,
    revisions: [{ name: 'a', created: 48 }],
    doomed: ['a'],
  },
  {
    what: 'age alone, with the other limit disabled',
    config: { ...NONE_KEPT, 'retain-since-last-active-time': 'disabled' },
    revisions: [{ name: 'a', created: 49, lastActive: 0 }],
    doomed: ['a'],
  },
  {
    what: 'no limit of time and none of number: nothing goes',
    config: { ...NONE_KEPT, ...ALL_OFF, 'max-non-active-revisions': 'disabled' },
    revisions: [days(1000, 'a')],
    doomed: [],
  },
  {
    what: 'above the maximum the longest idle go at once',
    config: { ...NONE_KEPT, ...ALL_OFF, 'max-non-active-revisions': '1' },
    revisions: [
      { name: 'a', created: 3, lastActive: 1 },
      { name: 'b', created: 2, lastActive: 2 },
    ],
    doomed: ['b'],
  },
  {
    what: 'a maximum of none',
    config: { ...NONE_KEPT, ...ALL_OFF, 'max-non-active-revisions': '0' },
    revisions: [{ name: 'a', created: 0 }],
    doomed: ['a'],
  },
  {
    what: 'the maximum counts what staleness left',
    config: { ...NONE_KEPT, 'max-non-active-revisions': '1' },
    revisions: [days(9, 'a'), { name: 'b', created: 2 }, { name: 'c', created: 1 }],
    doomed: ['a', 'b'],
    next: 47,
  },
  {
    what: 'routed and pending ones stay',
    config: NONE_KEPT,
    revisions: [
      { ...days(9, 'a'), state: 'active' },
      { ...days(9, 'b'), state: 'pending' },
    ],
    doomed: [],
  },
  {
    what: 'the latest ready one stays',
    config: NONE_KEPT,
    revisions: [days(9, 'latest'), days(9, 'b')],
    doomed: ['b'],
  },
  {
    what: 'one marked no-gc stays',
    config: NONE_KEPT,
    revisions: [{ ...days(9, 'a'), annotations: { 'serving.knative.dev/no-gc': 'True' } }],
    doomed: [],
  },
  {
    what: 'active ones don’t count towards the minimum',
    config: { 'min-non-active-revisions': '1' },
    revisions: [{ ...days(9, 'a'), state: 'active' }, days(9, 'b')],
    doomed: [],
  },
];

for (const { what, config = {}, revisions, doomed, next } of ROWS) {
  test(what, () => {
    const { gc } = configOf({ 'config-gc': config });
    const owner = configuration('a', { status: { latestReadyRevisionName: 'latest' } });
    const plan = planGarbage({ configuration: owner, revisions: revisions.map(old) }, gc, NOW);
    assert.deepEqual(
      plan.doomed.map(({ metadata }) => metadata.name),
      doomed,
    );
    const hours = plan.nextCheckMs === undefined ? undefined : (plan.nextCheckMs - NOW) / HOUR;
    assert.equal(hours, next);
  });
}
