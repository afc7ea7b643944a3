/** Who is marked with a Route, and when the mark goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stored } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import type { Configuration } from '#knative/kinds/configuration.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import type { TrafficTarget } from '#knative/kinds/traffic-target.ts';
import { planLabels } from '#serving/labeler/plan.ts';
import { configuration, ready, revision, route, service, type Shape } from '#testing/knative-objects.ts';

const ROUTES = 'serving.knative.dev/routes';
const STATE = 'serving.knative.dev/routingState';
const MODIFIED = 'serving.knative.dev/routingStateModified';
const EPOCH = '1970-01-01T00:00:00Z';

function marked(name: string, routes: string | undefined, state: string): Stored<Revision> {
  return revision(name, {
    meta: {
      labels: { [STATE]: state },
      annotations: routes === undefined ? {} : { [ROUTES]: routes },
      ownerReferences: [controllerRefTo(configuration('c'))],
    },
  });
}

function parent(routes: string | undefined, { meta, ...rest }: Shape = {}): Stored<Configuration> {
  return configuration('c', {
    ...rest,
    meta: { annotations: routes === undefined ? {} : { [ROUTES]: routes }, ...meta },
  });
}

interface World {
  readonly route: ReturnType<typeof route>;
  readonly revisions?: Stored<Revision>[];
  readonly configurations?: Stored<Configuration>[];
}

/** What is written to whom: `Kind name {…}`. */
function plan({ route: object, revisions = [], configurations = [] }: World): [string, object][] {
  const isMarked = (one: Stored<Revision> | Stored<Configuration>) =>
    one.metadata.annotations?.[ROUTES]?.split(',').includes(object.metadata.name) ?? false;
  const steps = planLabels(
    {
      route: object,
      revision: (name) => revisions.find(({ metadata }) => metadata.name === name),
      configuration: (name) => configurations.find(({ metadata }) => metadata.name === name),
      marked: { revisions: revisions.filter(isMarked), configurations: configurations.filter(isMarked) },
    },
    0,
  );
  return steps.map((step) => {
    assert.ok(step.verb === 'merge');
    return [`${step.kind.kind} ${step.ref.name}`, step.body];
  });
}

const TO_C: TrafficTarget[] = [{ configurationName: 'c', latestRevision: true, percent: 100 }];
const settled = (traffic: TrafficTarget[], status: 'True' | 'False' = 'True'): Shape => ({
  status: { observedGeneration: 1, conditions: [ready(status)], traffic },
});
const AT_1 = [{ revisionName: 'c-1', latestRevision: true, percent: 100 }];
const AT_2 = [{ revisionName: 'c-2', latestRevision: true, percent: 100 }];

const active = (routes: string | null) => ({
  annotations: { [ROUTES]: routes, [MODIFIED]: EPOCH },
  labels: { [STATE]: 'active' },
});
const inReserve = { annotations: { [ROUTES]: null, [MODIFIED]: EPOCH }, labels: { [STATE]: 'reserve' } };

interface Row extends World {
  readonly what: string;
  readonly expected: [string, object][];
}

const ROWS: readonly Row[] = [
  {
    what: 'a new Route marks its Configuration and the Revision about to take over',
    route: route('r', TO_C),
    revisions: [marked('c-1', undefined, 'pending')],
    configurations: [parent(undefined, { status: { latestCreatedRevisionName: 'c-1' } })],
    expected: [
      ['Revision c-1', { metadata: active('r') }],
      ['Configuration c', { metadata: { annotations: { [ROUTES]: 'r' } } }],
    ],
  },
  {
    what: 'marks of other Routes stay beside it, in order',
    route: route('r', TO_C),
    revisions: [marked('c-1', 'z,a', 'active')],
    configurations: [parent('z', { status: { latestCreatedRevisionName: 'c-1' } })],
    expected: [
      ['Revision c-1', { metadata: { annotations: { [ROUTES]: 'a,r,z' } } }],
      ['Configuration c', { metadata: { annotations: { [ROUTES]: 'r,z' } } }],
    ],
  },
  {
    what: 'what is marked already is left alone',
    route: route('r', TO_C, settled(AT_1)),
    revisions: [marked('c-1', 'r', 'active')],
    configurations: [parent('r', { status: { latestCreatedRevisionName: 'c-1' } })],
    expected: [],
  },
  {
    what: 'a pinned Route marks the Revision and its Configuration, not the newest Revision',
    route: route('r', [{ revisionName: 'c-1', latestRevision: false, percent: 100 }]),
    revisions: [marked('c-1', undefined, 'reserve'), marked('c-2', undefined, 'pending')],
    configurations: [parent(undefined, { status: { latestCreatedRevisionName: 'c-2' } })],
    expected: [
      ['Revision c-1', { metadata: active('r') }],
      ['Configuration c', { metadata: { annotations: { [ROUTES]: 'r' } } }],
    ],
  },
  {
    what: 'a Revision left by a settled Route goes into reserve',
    route: route('r', TO_C, settled(AT_2)),
    revisions: [marked('c-1', 'r', 'active'), marked('c-2', 'r', 'active')],
    configurations: [parent('r', { status: { latestCreatedRevisionName: 'c-2' } })],
    expected: [['Revision c-1', { metadata: inReserve }]],
  },
  {
    what: 'a Revision left by one of two Routes stays active',
    route: route('r', TO_C, settled(AT_2)),
    revisions: [marked('c-1', 'q,r', 'active'), marked('c-2', 'r', 'active')],
    configurations: [parent('r', { status: { latestCreatedRevisionName: 'c-2' } })],
    expected: [['Revision c-1', { metadata: { annotations: { [ROUTES]: 'q' } } }]],
  },
  {
    what: 'a Route that failed is settled too',
    route: route('r', TO_C, settled(AT_2, 'False')),
    revisions: [marked('c-1', 'r', 'active'), marked('c-2', 'r', 'active')],
    configurations: [parent('r', { status: { latestCreatedRevisionName: 'c-2' } })],
    expected: [['Revision c-1', { metadata: inReserve }]],
  },
  {
    what: 'a Route on its way takes nothing away',
    route: route('r', TO_C, { status: { observedGeneration: 1, conditions: [ready('Unknown')], traffic: AT_2 } }),
    revisions: [marked('c-1', 'r', 'active'), marked('c-2', 'r', 'active')],
    configurations: [parent('r', { status: { latestCreatedRevisionName: 'c-2' } })],
    expected: [],
  },
  {
    what: 'a Route that goes takes its marks along',
    route: route('r', TO_C, { meta: { deletionTimestamp: EPOCH }, ...settled(AT_1) }),
    revisions: [marked('c-1', 'r', 'active')],
    configurations: [parent('r', { status: { latestCreatedRevisionName: 'c-1' } })],
    expected: [
      ['Revision c-1', { metadata: inReserve }],
      ['Configuration c', { metadata: { annotations: { [ROUTES]: null } } }],
    ],
  },
  {
    what: 'a Service’s own mark on its Configuration is the Service’s',
    route: route('r', [{ revisionName: 'd-1', latestRevision: false, percent: 100 }], settled([])),
    configurations: [
      parent('r', { meta: { ownerReferences: [controllerRefTo(service('r'))], annotations: { [ROUTES]: 'r' } } }),
    ],
    expected: [],
  },
  {
    what: 'targets that do not exist are nobody',
    route: route('r', [...TO_C, { revisionName: 'gone', latestRevision: false }]),
    expected: [],
  },
];

for (const { what, expected, ...world } of ROWS) {
  test(what, () => assert.deepEqual(plan(world), expected));
}
