import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrafficTarget } from '#knative/kinds/traffic-target.ts';
import { goalOf, isProblem, planTraffic, reportTraffic, type Traffic } from '#serving/route/traffic.ts';
import { configuration, ready, revision, route } from '#testing/knative-objects.ts';

const of = (service: string) => ({ meta: { labels: { 'serving.knative.dev/service': service } } });
const partOf = (name: string) => ({
  meta: { labels: { 'serving.knative.dev/configuration': name, 'serving.knative.dev/service': 'a' } },
});
const notReady = (status: 'False' | 'Unknown') => ({ observedGeneration: 1, conditions: [ready(status)] });

const configurations = [
  configuration('a', { status: { latestReadyRevisionName: 'a-2', conditions: [ready('True')] } }),
  configuration('waiting', { status: { conditions: [ready('Unknown')] } }),
  configuration('failed', { status: { conditions: [ready('False', 'RevisionFailed')] } }),
  configuration('dangling', { status: { latestReadyRevisionName: 'gone', conditions: [ready('True')] } }),
];
const revisions = [
  revision('a-1', partOf('a')),
  revision('a-2', partOf('a')),
  revision('starting', { ...partOf('a'), status: notReady('Unknown') }),
  revision('broken', { ...partOf('a'), status: notReady('False') }),
  revision('stale', { ...partOf('a'), status: { observedGeneration: 0, conditions: [ready('True')] } }),
  revision('foreign', of('b')),
  revision('alone'),
];

function plan(traffic: TrafficTarget[], service?: string) {
  return planTraffic({
    route: route('a', traffic, service === undefined ? {} : of(service)),
    revision: (name) => revisions.find(({ metadata }) => metadata.name === name),
    configuration: (name) => configurations.find(({ metadata }) => metadata.name === name),
  });
}

function traffic(targets: TrafficTarget[]): Traffic {
  const result = plan(targets);
  assert.ok(!isProblem(result), JSON.stringify(result));
  return result;
}

const latest = (percent: number, tag?: string): TrafficTarget => ({
  configurationName: 'a',
  latestRevision: true,
  percent,
  tag,
});
const pinned = (revisionName: string, percent?: number, tag?: string): TrafficTarget => ({
  revisionName,
  latestRevision: false,
  percent,
  tag,
});

const problems: [why: string, traffic: TrafficTarget[], expected: string, service?: string][] = [
  [
    'no such configuration',
    [{ configurationName: 'none', percent: 100 }],
    'False ConfigurationMissing Configuration "none" referenced in traffic not found.',
  ],
  ['no such revision', [pinned('none', 100)], 'False RevisionMissing Revision "none" referenced in traffic not found.'],
  [
    'a configuration that waits',
    [{ configurationName: 'waiting', percent: 100 }],
    'Unknown RevisionMissing Configuration "waiting" is waiting for a Revision to become ready.',
  ],
  [
    'a configuration that failed',
    [{ configurationName: 'failed', percent: 100 }],
    'False RevisionMissing Configuration "failed" does not have any ready Revision.',
  ],
  [
    'a latest revision that is gone',
    [{ configurationName: 'dangling', percent: 100 }],
    'False RevisionMissing Revision "gone" referenced in traffic not found.',
  ],
  [
    'a revision that starts',
    [pinned('starting', 100)],
    'Unknown RevisionMissing Revision "starting" is not yet ready.',
  ],
  ['a revision that broke', [pinned('broken', 100)], 'False RevisionMissing Revision "broken" failed to become ready.'],
  [
    'a revision ready at another generation',
    [pinned('stale', 100)],
    'Unknown RevisionMissing Revision "stale" is not yet ready.',
  ],
  [
    'a revision of another service',
    [pinned('foreign', 100)],
    'False RevisionNotOwned Revision "foreign" belongs to Service "b", not Service "a".',
    'a',
  ],
  [
    'a revision of no service',
    [pinned('alone', 100)],
    'False RevisionNotOwned Revision "alone" does not belong to Service "a".',
    'a',
  ],
  [
    'the first problem is told',
    [pinned('starting', 50), { configurationName: 'waiting', percent: 50 }],
    'Unknown RevisionMissing Revision "starting" is not yet ready.',
  ],
  [
    'a failure outweighs what may yet come',
    [pinned('starting', 50), pinned('broken', 50)],
    'False RevisionMissing Revision "broken" failed to become ready.',
  ],
];

for (const [why, targets, expected, service] of problems) {
  test(`traffic cannot be assigned: ${why}`, () => {
    const result = plan(targets, service);
    assert.ok(isProblem(result));
    assert.equal(`${result.status} ${result.reason} ${result.message}`, expected);
  });
}

test('a route that stands alone may lead to any revision', () => {
  assert.ok(!isProblem(plan([pinned('foreign', 50), pinned('alone', 50)])));
});

const told = (result: Traffic) =>
  [...result.byTag].map(
    ([tag, targets]) => `${tag}=${targets.map((one) => `${one.revisionName}:${one.percent}`).join()}`,
  );

const shares: [why: string, traffic: TrafficTarget[], expected: string[]][] = [
  ['the latest gets all', [latest(100)], ['=a-2:100']],
  ['percents are kept', [pinned('a-1', 30), latest(70)], ['=a-1:30,a-2:70']],
  ['one revision named twice counts once', [pinned('a-2', 30), latest(70)], ['=a-2:100']],
  [
    'a tag gets everything at its own host, whatever its share',
    [latest(100), pinned('a-1', 0, 'old')],
    ['=a-2:100,a-1:0', 'old=a-1:100'],
  ],
  ['no percent means none', [latest(100), pinned('a-1', undefined, 'old')], ['=a-2:100,a-1:0', 'old=a-1:100']],
  ['tags are sorted', [latest(100, 'z'), pinned('a-1', 0, 'b')], ['=a-2:100,a-1:0', 'b=a-1:100', 'z=a-2:100']],
];

for (const [why, targets, expected] of shares) {
  test(`traffic: ${why}`, () => assert.deepEqual(told(traffic(targets)), expected));
}

test('the status keeps one entry per tag, revision and latestRevision, with the tag’s URL', () => {
  const result = traffic([latest(40), latest(30), pinned('a-2', 20), pinned('a-1', 10, 'old')]);
  assert.deepEqual(
    reportTraffic(result, {}, (tag) => `http://${tag}-a.example`),
    [
      { latestRevision: true, percent: 70, revisionName: 'a-2' },
      { latestRevision: false, percent: 20, revisionName: 'a-2' },
      { latestRevision: false, percent: 10, revisionName: 'a-1', tag: 'old', url: 'http://old-a.example' },
    ],
  );
});

test('the status shows the shares of a rollout under way, for the latest revision only', () => {
  const result = traffic([latest(60), pinned('a-1', 40)]);
  const revisions = [
    { revisionName: 'a-1', percent: 59 },
    { revisionName: 'a-2', percent: 1 },
  ];
  const rollout = { configurations: [{ configurationName: 'a', percent: 60, revisions, stepParams: {} }] };
  assert.deepEqual(
    reportTraffic(result, rollout, () => '').map(({ revisionName, percent }) => `${revisionName} ${percent}`),
    ['a-1 59', 'a-2 1', 'a-1 40'],
  );
});

test('a rollout heads for the latest revisions that have a share', () => {
  const result = traffic([latest(0), pinned('a-1', 100), latest(0, 't')]);
  assert.deepEqual(goalOf(result), {
    configurations: [
      {
        configurationName: 'a',
        tag: 't',
        percent: 100,
        revisions: [{ revisionName: 'a-2', percent: 100 }],
        stepParams: {},
      },
    ],
  });
  assert.deepEqual(goalOf(traffic([pinned('a-1', 100)])), {});
});
