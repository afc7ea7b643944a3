/** Which Revision a Configuration makes, and which it calls the latest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controllerRefTo } from '#kube/owner.ts';
import { configurationConditions } from '#knative/conditions.ts';
import { Revision } from '#knative/kinds/revision.ts';
import { type ConfigurationWorld, planConfiguration } from '#serving/configuration/plan.ts';
import { desiredRevision } from '#serving/configuration/revision.ts';
import {
  configuration,
  draftOf,
  namesOf,
  ready,
  revision,
  type Shape,
  toldBy,
  writtenBy,
} from '#testing/knative-objects.ts';

const GENERATION = 'serving.knative.dev/configurationGeneration';
const containers = [{ name: 'user-container', image: 'dev.local/a:1', resources: {} }];

function atGeneration(generation: number, { meta, ...rest }: Shape = {}) {
  return configuration('a', { ...rest, meta: { generation, ...meta } });
}

/** A Revision of the Configuration, of one of its generations. */
function child(generation: number, status: 'True' | 'False' | 'Unknown', name = `a-0000${generation}`) {
  return revision(name, {
    meta: {
      labels: { 'serving.knative.dev/configuration': 'a', [GENERATION]: String(generation) },
      ownerReferences: [controllerRefTo(configuration('a'))],
    },
    status: { observedGeneration: 1, conditions: [ready(status, status === 'False' ? 'Bad' : '', 'why')] },
  });
}

function named(name: string, image: string, generation = 2) {
  const spec = { template: { metadata: { name }, spec: { containers: [{ ...containers[0], image }] } } };
  return atGeneration(generation, { spec, status: { latestReadyRevisionName: 'a-00001' } });
}

function plan(world: ConfigurationWorld) {
  const draft = draftOf(configurationConditions, { ...world.configuration.status });
  const result = planConfiguration(world, draft, 0);
  const { latestCreatedRevisionName: created, latestReadyRevisionName: latestReady } = draft.status;
  const told = toldBy(draft.status);
  return { ...result, verbs: namesOf(result.steps), told, created, latestReady, notes: result.notes ?? [] };
}

test('a new Configuration makes the Revision of its generation', () => {
  const { verbs, created, told } = plan({ configuration: atGeneration(1), revisions: [] });
  assert.deepEqual(verbs, ['create Revision a-00001']);
  assert.equal(created, 'a-00001');
  assert.deepEqual(told, ['Ready Unknown']);
});

interface Row {
  readonly what: string;
  readonly generation: number;
  readonly revisions: ReturnType<typeof child>[];
  readonly before?: string;
  readonly expected: { created: string; latestReady?: string; told: string; notes?: string[]; verbs?: string[] };
}

const LATEST: readonly Row[] = [
  {
    what: 'its first Revision became ready',
    generation: 1,
    revisions: [child(1, 'True')],
    expected: {
      created: 'a-00001',
      latestReady: 'a-00001',
      told: 'Ready True',
      notes: [
        'Normal ConfigurationReady Configuration becomes ready',
        'Normal LatestReadyUpdate LatestReadyRevisionName updated to "a-00001"',
      ],
    },
  },
  {
    what: 'a newer generation has no Revision yet',
    generation: 2,
    revisions: [child(1, 'True')],
    before: 'a-00001',
    expected: {
      created: 'a-00002',
      latestReady: 'a-00001',
      told: 'Ready Unknown',
      verbs: ['create Revision a-00002'],
    },
  },
  {
    what: 'the newest is not ready yet',
    generation: 2,
    revisions: [child(1, 'True'), child(2, 'Unknown')],
    before: 'a-00001',
    expected: { created: 'a-00002', latestReady: 'a-00001', told: 'Ready Unknown' },
  },
  {
    what: 'the newest failed',
    generation: 2,
    revisions: [child(1, 'True'), child(2, 'False')],
    before: 'a-00001',
    expected: {
      created: 'a-00002',
      latestReady: 'a-00001',
      told: 'Ready False RevisionFailed: Revision "a-00002" failed with message: why.',
      notes: ['Warning LatestCreatedFailed Latest created revision "a-00002" has failed'],
    },
  },
  {
    what: 'the latest ready one failed later',
    generation: 1,
    revisions: [child(1, 'False')],
    before: 'a-00001',
    expected: {
      created: 'a-00001',
      latestReady: 'a-00001',
      told: 'Ready False RevisionFailed: Revision "a-00001" failed with message: why.',
      notes: ['Warning LatestReadyFailed Latest ready revision "a-00001" has failed'],
    },
  },
  {
    what: 'one in between became ready',
    generation: 3,
    revisions: [child(1, 'True'), child(2, 'True'), child(3, 'Unknown')],
    before: 'a-00001',
    expected: {
      created: 'a-00003',
      latestReady: 'a-00002',
      told: 'Ready Unknown',
      notes: ['Normal LatestReadyUpdate LatestReadyRevisionName updated to "a-00002"'],
    },
  },
  {
    what: 'an older one than the latest ready became ready again',
    generation: 3,
    revisions: [child(1, 'True'), child(2, 'True'), child(3, 'Unknown')],
    before: 'a-00002',
    expected: { created: 'a-00003', latestReady: 'a-00002', told: 'Ready Unknown' },
  },
  {
    what: 'the latest ready one is gone',
    generation: 3,
    revisions: [child(2, 'True'), child(3, 'Unknown')],
    before: 'a-00001',
    expected: {
      created: 'a-00003',
      latestReady: 'a-00002',
      told: 'Ready Unknown',
      notes: ['Normal LatestReadyUpdate LatestReadyRevisionName updated to "a-00002"'],
    },
  },
];

for (const { what, generation, revisions, before, expected } of LATEST) {
  test(what, () => {
    const status = before === undefined ? {} : { latestReadyRevisionName: before };
    const result = plan({ configuration: atGeneration(generation, { status }), revisions });
    assert.deepEqual(result.verbs, expected.verbs ?? []);
    assert.equal(result.created, expected.created);
    assert.equal(result.latestReady, expected.latestReady);
    assert.deepEqual(result.told, [expected.told]);
    assert.deepEqual(
      result.notes.map(({ type, reason, message }) => `${type} ${reason} ${message}`),
      expected.notes ?? [],
    );
  });
}

test('a failure is an Event once, not at every look', () => {
  const message = 'Revision "a-00001" failed with message: why.';
  const status = { conditions: [ready('False', 'RevisionFailed', message)] };
  assert.deepEqual(plan({ configuration: atGeneration(1, { status }), revisions: [child(1, 'False')] }).notes, []);
});

const mine = child(1, 'True', 'a-x');
const OWNERLESS = { ...mine, metadata: { ...mine.metadata, ownerReferences: [] } };
const NAMES: readonly [string, ConfigurationWorld, string[], string][] = [
  [
    'a free name is taken',
    { configuration: named('a-x', 'dev.local/a:1'), revisions: [] },
    ['create Revision a-x'],
    'Ready Unknown',
  ],
  [
    'a Revision of an earlier generation with the same spec is taken for the new one',
    { configuration: named('a-x', 'dev.local/a:1'), revisions: [mine], namedRevision: mine },
    [],
    'Ready True',
  ],
  [
    'a Revision of an earlier generation with another spec is a conflict',
    { configuration: named('a-x', 'dev.local/a:2'), revisions: [mine], namedRevision: mine },
    [],
    'Ready False RevisionFailed: Revision creation failed with message: revisions.serving.knative.dev "a-x" already exists.',
  ],
  [
    'a Revision of this generation is its own, whatever it holds',
    { configuration: named('a-x', 'dev.local/a:2', 1), revisions: [mine], namedRevision: mine },
    [],
    'Ready True',
  ],
  [
    'somebody else’s Revision is a conflict',
    { configuration: named('a-x', 'dev.local/a:1'), revisions: [], namedRevision: OWNERLESS },
    [],
    'Ready False RevisionFailed: Revision creation failed with message: revisions.serving.knative.dev "a-x" already exists.',
  ],
];

for (const [what, world, verbs, line] of NAMES) {
  test(`names chosen by the user: ${what}`, () => {
    const result = plan(world);
    assert.deepEqual(result.verbs, verbs);
    assert.deepEqual(result.told, [line]);
  });
}

test('a Revision says where it comes from and who made it', () => {
  const made = desiredRevision(
    configuration('a', {
      meta: {
        generation: 7,
        labels: { 'serving.knative.dev/service': 'a', 'serving.knative.dev/serviceUID': 'u', team: 'x' },
        annotations: { 'serving.knative.dev/lastModifier': 'me', 'serving.knative.dev/routes': 'a' },
      },
      spec: {
        template: { metadata: { labels: { t: '1' }, annotations: { 'autoscaling.knative.dev/min-scale': '1' } } },
      },
    }),
    0,
  );
  assert.deepEqual(made.metadata, {
    name: 'a-00007',
    namespace: 'default',
    labels: {
      t: '1',
      'serving.knative.dev/configuration': 'a',
      [GENERATION]: '7',
      'serving.knative.dev/configurationUID': 'uid-of-Configuration-a',
      'serving.knative.dev/routingState': 'active',
      'serving.knative.dev/service': 'a',
      'serving.knative.dev/serviceUID': 'u',
    },
    annotations: {
      'autoscaling.knative.dev/min-scale': '1',
      'serving.knative.dev/routingStateModified': '1970-01-01T00:00:00Z',
      'serving.knative.dev/creator': 'me',
      'serving.knative.dev/routes': 'a',
    },
    ownerReferences: [controllerRefTo(configuration('a'))],
  });
});

test('without a Route the Revision is pending', () => {
  const { steps } = plan({ configuration: atGeneration(1), revisions: [] });
  const labels = writtenBy(steps, Revision, 'a-00001')?.metadata.labels;
  assert.equal(labels?.['serving.knative.dev/routingState'], 'pending');
});
