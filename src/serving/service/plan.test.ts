/** A Service's two children, and what it says of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stored } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { serviceConditions } from '#knative/conditions.ts';
import { Configuration } from '#knative/kinds/configuration.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import { Route } from '#knative/kinds/route.ts';
import type { TrafficTarget } from '#knative/kinds/traffic-target.ts';
import { desiredConfiguration, desiredRoute } from '#serving/service/children.ts';
import { planService } from '#serving/service/plan.ts';
import { draftOf, namesOf, ready, revision, service, stored, toldBy, writtenBy } from '#testing/knative-objects.ts';

const mine = service('a');
const NAMED = service('a', {
  spec: {
    template: { metadata: { name: 'a-x' }, spec: { containers: [{ image: 'dev.local/a:2', resources: {} }] } },
  },
});
const LEADS_TO_2 = [{ latestRevision: true, percent: 100, revisionName: 'a-2' }];

interface World {
  readonly service?: typeof mine;
  readonly configuration?: Stored<Configuration>;
  readonly route?: Stored<Route>;
  readonly namedRevision?: Stored<Revision>;
}

function plan({ service: object = mine, ...world }: World) {
  const draft = draftOf(serviceConditions, { ...object.status });
  const result = planService({ service: object, ...world }, draft);
  return { ...result, verbs: namesOf(result.steps), told: toldBy(draft.status), status: draft.status };
}

/** The child as the plan makes it, and as its controller has looked at it. */
function configurationOf(status: object, owner = mine, generation = 1): Stored<Configuration> {
  const { metadata, spec } = desiredConfiguration(owner);
  return stored(
    Configuration,
    'a',
    { spec, status: { observedGeneration: 1, ...status } },
    { ...metadata, generation },
  );
}

function routeOf(status: object, owner = mine, generation = 1): Stored<Route> {
  const { metadata, spec } = desiredRoute(owner);
  return stored(Route, 'a', { spec, status: { observedGeneration: 1, ...status } }, { ...metadata, generation });
}

const readyConfiguration = configurationOf({
  latestCreatedRevisionName: 'a-2',
  latestReadyRevisionName: 'a-2',
  conditions: [ready('True')],
});
const readyRoute = routeOf({
  url: 'http://a.default.example.com',
  address: { url: 'http://a.default.svc.cluster.local' },
  traffic: LEADS_TO_2,
  conditions: [ready('True')],
});

const OUT_OF_DATE = {
  configuration: 'OutOfDate: The Configuration is still working to reflect the latest desired specification.',
  route: 'OutOfDate: The Route is still working to reflect the latest desired specification.',
};

test('a new Service makes both children at once', () => {
  const { steps, verbs, told } = plan({});
  assert.deepEqual(verbs, ['create Configuration a', 'create Route a']);
  assert.deepEqual(told, [
    `ConfigurationsReady Unknown ${OUT_OF_DATE.configuration}`,
    `Ready Unknown ${OUT_OF_DATE.route}`,
    `RoutesReady Unknown ${OUT_OF_DATE.route}`,
  ]);
  const labels = { 'serving.knative.dev/service': 'a', 'serving.knative.dev/serviceUID': 'uid-of-Service-a' };
  assert.deepEqual(writtenBy(steps, Configuration, 'a')?.metadata, {
    name: 'a',
    namespace: 'default',
    labels,
    annotations: { 'serving.knative.dev/routes': 'a' },
    ownerReferences: [controllerRefTo(mine)],
  });
  assert.deepEqual(writtenBy(steps, Route, 'a')?.spec.traffic, [
    { latestRevision: true, percent: 100, configurationName: 'a' },
  ]);
});

test('with a chosen revision name the Route waits until the Configuration has caught up', () => {
  assert.deepEqual(plan({ service: NAMED }).verbs, ['create Configuration a']);
  const behind = configurationOf({ observedGeneration: 0 }, NAMED);
  assert.deepEqual(plan({ service: NAMED, configuration: behind }).verbs, []);
  const current = configurationOf({ conditions: [ready('Unknown')] }, NAMED);
  assert.deepEqual(plan({ service: NAMED, configuration: current }).verbs, ['create Route a']);
});

test('with a name that is taken the Route stays where it is', () => {
  const message = 'Revision creation failed with message: revisions.serving.knative.dev "a-x" already exists.';
  const configuration = configurationOf({ conditions: [ready('False', 'RevisionFailed', message)] }, NAMED);
  const { verbs, told } = plan({ service: NAMED, configuration, route: readyRoute, namedRevision: revision('a-x') });
  assert.deepEqual(verbs, []);
  const taken = 'The revision name "a-x" is taken by a conflicting Revision, so traffic will not be migrated';
  assert.deepEqual(told, [
    `ConfigurationsReady False RevisionFailed: ${message}`,
    `Ready False RevisionNameTaken: ${taken}`,
    `RoutesReady False RevisionNameTaken: ${taken}`,
  ]);
});

test('two children that are ready make a Service that is', () => {
  const { verbs, told, status } = plan({ configuration: readyConfiguration, route: readyRoute });
  assert.deepEqual(verbs, []);
  assert.deepEqual(told, ['ConfigurationsReady True', 'Ready True', 'RoutesReady True']);
  assert.deepEqual(
    { ...status, conditions: undefined },
    {
      conditions: undefined,
      latestCreatedRevisionName: 'a-2',
      latestReadyRevisionName: 'a-2',
      url: 'http://a.default.example.com',
      address: { url: 'http://a.default.svc.cluster.local' },
      traffic: LEADS_TO_2,
    },
  );
});

const FAILED = ready('False', 'RevisionFailed', 'no');
const TELLING: readonly [string, World, string[]][] = [
  [
    'a Configuration that failed',
    { configuration: configurationOf({ conditions: [FAILED] }), route: readyRoute },
    ['ConfigurationsReady False RevisionFailed: no', 'Ready False RevisionFailed: no'],
  ],
  [
    'a Route that waits',
    { configuration: readyConfiguration, route: routeOf({ conditions: [ready('Unknown', 'Uninitialized', 'wait')] }) },
    ['ConfigurationsReady True', 'Ready Unknown Uninitialized: wait', 'RoutesReady Unknown Uninitialized: wait'],
  ],
  [
    'a Route that is ready with an older Revision',
    {
      configuration: readyConfiguration,
      route: routeOf({ conditions: [ready('True')], traffic: [{ ...LEADS_TO_2[0], revisionName: 'a-1' }] }),
    },
    ['RoutesReady Unknown TrafficNotMigrated: Traffic is not yet migrated to the latest revision.'],
  ],
  [
    'a Configuration that has not looked at its newest spec',
    { configuration: configurationOf({ conditions: [ready('True')] }, mine, 2), route: readyRoute },
    [`ConfigurationsReady Unknown ${OUT_OF_DATE.configuration}`],
  ],
  [
    'a Route that has not looked at its newest spec',
    { configuration: readyConfiguration, route: routeOf({ conditions: [ready('True')] }, mine, 2) },
    [`RoutesReady Unknown ${OUT_OF_DATE.route}`],
  ],
];

for (const [what, world, expected] of TELLING) {
  test(`${what}, told by the Service`, () => {
    const { told } = plan(world);
    for (const line of expected) assert.ok(told.includes(line), `${line} among ${told.join('; ')}`);
  });
}

const FOREIGN: readonly [string, World, string, string][] = [
  [
    'Configuration',
    { configuration: { ...readyConfiguration, metadata: { ...readyConfiguration.metadata, ownerReferences: [] } } },
    'service: "a" does not own configuration: "a"',
    'ConfigurationsReady False NotOwned: There is an existing Configuration "a" that we do not own.',
  ],
  [
    'Route',
    {
      configuration: readyConfiguration,
      route: { ...readyRoute, metadata: { ...readyRoute.metadata, ownerReferences: [] } },
    },
    'service: "a" does not own route: "a"',
    'RoutesReady False NotOwned: There is an existing Route "a" that we do not own.',
  ],
];

for (const [kind, world, failure, line] of FOREIGN) {
  test(`somebody else’s ${kind} under the Service’s name is left alone`, () => {
    const result = plan(world);
    assert.deepEqual(result.verbs, []);
    assert.equal(result.failure?.message, failure);
    assert.ok(result.told.includes(line));
  });
}

const kubectl = 'kubectl.kubernetes.io/last-applied-configuration';
const ANNOTATED = service('a', {
  meta: {
    labels: { team: 'x' },
    annotations: { team: 'y', [kubectl]: '{}', 'serving.knative.dev/rollout-duration': '10s' },
  },
});

test('labels and annotations go down, save what is the Service’s alone', () => {
  const { labels, annotations } = desiredConfiguration(ANNOTATED).metadata;
  assert.equal(labels?.['team'], 'x');
  assert.deepEqual(annotations, { team: 'y', 'serving.knative.dev/routes': 'a' });
  assert.deepEqual(desiredRoute(ANNOTATED).metadata.annotations, {
    team: 'y',
    'serving.knative.dev/rollout-duration': '10s',
  });
});

test('a Configuration keeps the other Routes that are marked on it; its other annotations are the Service’s', () => {
  const existing = configurationOf({});
  const annotations = { 'serving.knative.dev/routes': 'b', other: 'not kept' };
  const marked = { ...existing, metadata: { ...existing.metadata, annotations } };
  const { steps } = plan({ configuration: marked, route: readyRoute });
  const written = writtenBy(steps, Configuration, 'a')?.metadata.annotations;
  assert.deepEqual(written, { 'serving.knative.dev/routes': 'a,b' });
});

const traffic: TrafficTarget[] = [
  { latestRevision: true, percent: 90 },
  { revisionName: 'a-1', latestRevision: false, percent: 10, tag: 'old' },
];

test('targets without a Revision mean the Service’s own Configuration', () => {
  const { spec } = desiredRoute(service('a', { spec: { traffic } }));
  assert.deepEqual(spec.traffic, [{ configurationName: 'a', latestRevision: true, percent: 90 }, traffic[1]]);
});
