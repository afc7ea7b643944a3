/** What the conditions of a Revision say of its Deployment, its pods and its PodAutoscaler. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deployment } from '#kube/kinds/apps/deployment.ts';
import type { ContainerStatus } from '#kube/kinds/core/pod-status.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import type { Stored } from '#kube/object.ts';
import { controllerRefTo } from '#kube/owner.ts';
import { revisionConditions } from '#knative/conditions.ts';
import { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import { planRevision, type RevisionWorld, statusDurability } from '#serving/revision/plan.ts';
import { desiredDeployment } from '#serving/revision/deployment.ts';
import { desiredPodAutoscaler } from '#serving/revision/pod-autoscaler.ts';
import {
  configOf,
  type ConfigMaps,
  draftOf,
  namesOf,
  revision,
  stored,
  toldBy,
  writtenBy,
} from '#testing/knative-objects.ts';

const mine = revision('a-1', { status: { containerStatuses: [{ name: 'user-container' }] } });
const desired = desiredDeployment(mine, configOf());

function deployment(status: object, replicas = 1): Stored<Deployment> {
  return stored(Deployment, 'a-1-deployment', { spec: { ...desired.spec, replicas }, status }, desired.metadata);
}

function podAutoscaler(status: object): Stored<PodAutoscaler> {
  const { metadata, spec } = desiredPodAutoscaler({
    revision: mine,
    hasFailed: false,
    autoscaler: configOf().autoscaler,
  });
  return stored(PodAutoscaler, 'a-1', { spec, status }, metadata);
}

type Told = readonly [status: string, reason?: string, message?: string];

const conditions = (told: Record<string, Told>) => ({
  conditions: Object.entries(told).map(([type, [status, reason, message]]) => ({ type, status, reason, message })),
});

interface World extends Partial<RevisionWorld> {
  readonly config?: ConfigMaps;
}

function plan({ config, ...world }: World) {
  const object = world.revision ?? mine;
  const draft = draftOf(revisionConditions, { ...object.status });
  const full = { pods: [], hasImage: () => true, ...world, revision: object };
  const result = planRevision(full, draft, configOf(config));
  return { ...result, verbs: namesOf(result.steps), told: toldBy(draft.status), status: draft.status };
}

const PROGRESSING = { Progressing: ['True', 'ReplicaSetUpdated'] } as const;
const TIMED_OUT = { Progressing: ['False', 'ProgressDeadlineExceeded', 'timed out'] } as const;
const UP = { ...conditions(PROGRESSING), availableReplicas: 1, readyReplicas: 1 };
const SERVED = { serviceName: 'a-1', actualScale: 1, desiredScale: 1 };
const COMING = { serviceName: 'a-1', ...conditions({ Ready: ['Unknown', 'Queued', 'buffered'] }) };
const INITIALIZED = { ...SERVED, ...conditions({ Ready: ['True'], ScaleTargetInitialized: ['True'] }) };
const IDLE = {
  serviceName: 'a-1',
  actualScale: 0,
  desiredScale: 0,
  ...conditions({ Ready: ['False', 'NoTraffic', 'idle'], ScaleTargetInitialized: ['True'] }),
};

test('a new Revision makes all it needs', () => {
  const { verbs, told } = plan({ hasImage: () => false });
  assert.deepEqual(verbs, [
    'create Deployment a-1-deployment',
    'create Image a-1-cache-user-container',
    'create PodAutoscaler a-1',
  ]);
  assert.deepEqual(told, [
    'Active Unknown Deploying',
    'ContainerHealthy Unknown Deploying',
    'Ready Unknown Deploying',
    'ResourcesAvailable Unknown Deploying',
  ]);
});

function pod(name: string, containers: Partial<ContainerStatus>[], status: object = {}): Stored<Pod> {
  return stored(Pod, name, { spec: { containers: [] }, status: { containerStatuses: containers, ...status } });
}

const UNSCHEDULABLE = conditions({ PodScheduled: ['False', 'Unschedulable', '0/1 nodes'] });
const exited = (exitCode: number, message?: string) => pod('p', [{ lastState: { terminated: { exitCode, message } } }]);
const pulling = pod('p', [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'back off' } } }]);

interface Row {
  readonly what: string;
  readonly deployment?: Stored<Deployment>;
  readonly pods?: Stored<Pod>[];
  readonly podAutoscaler?: Stored<PodAutoscaler>;
  readonly config?: ConfigMaps;
  /** Conditions that differ from what a Revision on its way says. */
  readonly told: Record<string, string>;
}

const WAITING = deployment(conditions(PROGRESSING));
const STUCK = deployment(conditions(TIMED_OUT));
const ON_ITS_WAY = {
  Active: 'Unknown Queued: buffered',
  ContainerHealthy: 'Unknown',
  ResourcesAvailable: 'Unknown Deploying',
};

const ROWS: readonly Row[] = [
  { what: 'on its way', told: {} },
  {
    what: 'nothing told by the Deployment yet',
    deployment: deployment({}),
    told: {},
  },
  {
    what: 'nothing told by the PodAutoscaler yet',
    podAutoscaler: podAutoscaler({}),
    told: { Active: 'Unknown Deploying' },
  },
  {
    what: 'up',
    deployment: deployment(UP),
    podAutoscaler: podAutoscaler(INITIALIZED),
    told: { Active: 'True', ContainerHealthy: 'True', ResourcesAvailable: 'True' },
  },
  {
    what: 'pods ready, before the PodAutoscaler knows',
    deployment: deployment(UP),
    told: { ContainerHealthy: 'True' },
  },
  {
    what: 'scaled to zero',
    deployment: deployment(conditions(PROGRESSING), 0),
    podAutoscaler: podAutoscaler(IDLE),
    told: { Active: 'False NoTraffic: idle', ContainerHealthy: 'True', ResourcesAvailable: 'True' },
  },
  {
    what: 'the deadline passed',
    deployment: STUCK,
    told: { ResourcesAvailable: 'False ProgressDeadlineExceeded: timed out' },
  },
  {
    what: 'replicas that cannot be made outweigh the deadline',
    deployment: deployment(conditions({ ...TIMED_OUT, ReplicaFailure: ['True', 'FailedCreate', 'quota'] })),
    told: { ResourcesAvailable: 'False FailedCreate: quota' },
  },
  {
    what: 'a pod that fits nowhere',
    pods: [pod('p', [], UNSCHEDULABLE)],
    told: { ResourcesAvailable: 'False Unschedulable: 0/1 nodes' },
  },
  {
    what: 'a pod that fits nowhere yet, where nodes come on demand',
    pods: [pod('p', [], UNSCHEDULABLE)],
    config: { 'config-deployment': { 'pod-is-always-schedulable': 'true' } },
    told: {},
  },
  {
    what: 'a container that exited',
    pods: [exited(1, 'boom')],
    told: { ContainerHealthy: 'False ExitCode1: Container failed with: boom' },
  },
  {
    what: 'a container that exited without a word',
    pods: [exited(3)],
    told: { ContainerHealthy: 'False ExitCode3: Container failed with: ' },
  },
  {
    what: 'a container that ended well',
    pods: [exited(0)],
    told: { ContainerHealthy: 'False ExitCode0: Container failed with: container exited with no error' },
  },
  {
    what: 'a container that waits, in time',
    pods: [pulling],
    told: { ResourcesAvailable: 'Unknown ImagePullBackOff: back off' },
  },
  {
    what: 'a container that waits beyond the deadline',
    deployment: STUCK,
    pods: [pulling],
    told: { ResourcesAvailable: 'False ImagePullBackOff: back off' },
  },
  {
    what: 'only one pod is looked at, the first by name',
    pods: [exited(1, 'boom'), pod('a', [])],
    told: {},
  },
  {
    what: 'pods are not looked at while one is available',
    deployment: deployment(UP),
    pods: [exited(1, 'boom')],
    podAutoscaler: podAutoscaler(INITIALIZED),
    told: { Active: 'True', ContainerHealthy: 'True', ResourcesAvailable: 'True' },
  },
  {
    what: 'never came up, and given up',
    podAutoscaler: podAutoscaler({ serviceName: 'a-1', ...conditions({ Ready: ['False', 'TimedOut', 'no'] }) }),
    told: {
      Active: 'False TimedOut: no',
      ResourcesAvailable: 'False ProgressDeadlineExceeded: Initial scale was never achieved',
    },
  },
];

for (const { what, told, config, ...world } of ROWS) {
  test(what, () => {
    const full = { deployment: WAITING, podAutoscaler: podAutoscaler(COMING), ...(config ? { config } : {}), ...world };
    const lines = plan(full).told.filter((line) => !line.startsWith('Ready '));
    const expected = Object.entries({ ...ON_ITS_WAY, ...told }).map(([type, line]) => `${type} ${line}`);
    assert.deepEqual(
      lines.map((line) => line.trim()),
      expected.map((line) => line.trim()),
    );
  });
}

const COUNTS: readonly [string, object, (number | undefined)[]][] = [
  ['as told', { actualScale: 2, desiredScale: 3 }, [2, 3]],
  ['unknown', { actualScale: 0, desiredScale: -1 }, [0, undefined]],
];

for (const [what, status, expected] of COUNTS) {
  test(`how many pods: ${what}`, () => {
    const told = plan({ deployment: WAITING, podAutoscaler: podAutoscaler(status) }).status;
    assert.deepEqual([told.actualReplicas, told.desiredReplicas], expected);
  });
}

test('it becomes ready once, with an Event', () => {
  const world = { deployment: deployment(UP), podAutoscaler: podAutoscaler(INITIALIZED) };
  const first = plan(world);
  assert.deepEqual(first.notes, [
    { type: 'Normal', reason: 'RevisionReady', message: 'Revision becomes ready upon all resources being ready' },
  ]);
  const status = { ...first.status, observedGeneration: 1 };
  assert.deepEqual(plan({ ...world, revision: { ...mine, status } }).notes, []);
});

test('a Deployment or a PodAutoscaler of somebody else’s stops it', () => {
  const foreign = { ...WAITING, metadata: { ...WAITING.metadata, ownerReferences: [] } };
  const stopped = plan({ deployment: foreign });
  assert.deepEqual(stopped.verbs, []);
  assert.equal(stopped.failure?.message, 'revision: "a-1" does not own Deployment: "a-1-deployment"');
  const line =
    'ResourcesAvailable False NotOwned: There is an existing Deployment "a-1-deployment" that we do not own.';
  assert.ok(stopped.told.includes(line));
  const other = podAutoscaler(COMING);
  const stranger = { ...other, metadata: { ...other.metadata, ownerReferences: [controllerRefTo(revision('b'))] } };
  assert.match(plan({ deployment: WAITING, podAutoscaler: stranger }).failure?.message ?? '', /PodAutoscaler: "a-1"/);
});

test('a Revision that cannot come up is given up by its PodAutoscaler', () => {
  const active = { ...mine, metadata: { ...mine.metadata, labels: { 'serving.knative.dev/routingState': 'active' } } };
  const reach = (world: World) => {
    const { steps } = plan({ revision: active, podAutoscaler: podAutoscaler(COMING), ...world });
    return writtenBy(steps, PodAutoscaler, 'a-1')?.spec.reachability;
  };
  assert.equal(reach({ deployment: WAITING }), 'Reachable');
  assert.equal(reach({ deployment: STUCK, pods: [exited(1)] }), 'Unreachable');
});

test('where logs are', () => {
  const config = { 'config-observability': { 'logging.revision-url-template': 'http://logs/${REVISION_UID}' } };
  assert.equal(plan({ config }).status.logUrl, 'http://logs/uid-of-Revision-a-1');
});

const STATUS = { containerStatuses: [{ name: 'x' }], actualReplicas: 0 };
const DURABILITY: readonly [string, object | undefined, object, 'derived' | 'durable'][] = [
  ['the number of pods', STATUS, { ...STATUS, actualReplicas: 1, desiredReplicas: 1 }, 'derived'],
  ['being active', STATUS, { ...STATUS, ...conditions({ Active: ['True'] }) }, 'derived'],
  ['being ready', STATUS, { ...STATUS, ...conditions({ Ready: ['True'] }) }, 'durable'],
  ['its digests', {}, STATUS, 'durable'],
  ['its first status', undefined, STATUS, 'durable'],
];

for (const [what, before, after, expected] of DURABILITY) {
  test(`a status that tells ${what} is ${expected}`, () => {
    assert.equal(statusDurability(before as never, after as never), expected);
  });
}
