/** Versions of the routing table: what makes one, what is in it, and what a change costs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Service } from '#kube/kinds/core/service.ts';
import type { Stored } from '#kube/object.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import { compileRoutes } from '#ingress/compile-routes.ts';
import { dependencyOn } from '#ingress/compile-target.ts';
import { TableBuilder, type TableSource } from '#ingress/table-builder.ts';
import { applyRoutingUpdate, emptyRoutingTable, type GatewaySettings, type RoutingUpdate } from '#protocol/routing.ts';
import { ready, revision, stored } from '#testing/knative-objects.ts';

/** Everything that there is, by name; the builder is told of changes as the API would tell it. */
class World {
  readonly ingresses = new Map<string, Stored<Ingress>>();
  readonly services = new Map<string, Stored<Service>>();
  readonly pods = new Map<string, Stored<Pod>>();
  readonly revisions = new Map<string, Stored<Revision>>();
  settings: GatewaySettings = emptyRoutingTable.settings;
  readonly updates: RoutingUpdate[] = [];
  readonly compiled: string[][] = [];
  readonly builder: TableBuilder;

  constructor() {
    const podsByApp = (app: string | undefined) =>
      [...this.pods.values()].filter(({ metadata }) => metadata.labels?.['app'] === app);
    const source: TableSource = {
      compile: (key) => this.#compile(key),
      settings: () => this.settings,
      service: (_, name) => this.services.get(name),
      pod: (key) => this.pods.get(key.replace('default/', '')),
      revision: (_, name) => this.revisions.get(name),
      pods: (_, { app }) => podsByApp(app),
      slices: () => [],
      isGateway: () => false,
    };
    this.builder = new TableBuilder({ source, epoch: 'e', now: () => 1_000, logger: silentLogger });
    this.builder.listen({
      onUpdate: (update) => this.updates.push(update),
      onCompiled: (keys) => this.compiled.push([...keys]),
    });
  }

  #compile(key: string) {
    const ingress = this.ingresses.get(key);
    if (!ingress) return undefined;
    const { generation = 0, creationTimestamp } = ingress.metadata;
    const result = compileRoutes(ingress, (_, name) => this.services.get(name));
    return { result, generation, createdMs: Date.parse(creationTimestamp ?? '') };
  }

  ingress(name: string, backend: string, { hosts = [name], createdS = 0, generation = 1 } = {}): void {
    const splits = [{ serviceNamespace: 'default', serviceName: backend, servicePort: 80, percent: 100 }];
    const rules = [{ hosts, visibility: 'ExternalIP', http: { paths: [{ splits }] } }];
    const creationTimestamp = new Date(createdS * 1_000).toISOString();
    this.ingresses.set(
      `default/${name}`,
      stored(Ingress, name, { spec: { rules } }, { generation, creationTimestamp }),
    );
    this.builder.routesChanged(`default/${name}`);
  }

  noIngress(name: string): void {
    this.ingresses.delete(`default/${name}`);
    this.builder.routesChanged(`default/${name}`);
  }

  service(name: string): void {
    const spec = { ports: [{ name: 'http', port: 80 }], selector: { app: name } };
    this.services.set(name, stored(Service, name, { spec }));
    this.builder.dependencyChanged(dependencyOn.service('default', name));
    for (const [key, { spec: rules }] of this.ingresses) {
      if (JSON.stringify(rules).includes(`"${name}"`)) this.builder.routesChanged(key);
    }
  }

  noService(name: string): void {
    this.services.delete(name);
    this.builder.dependencyChanged(dependencyOn.service('default', name));
  }

  noPod(name: string, app: string): void {
    this.pods.delete(name);
    this.builder.dependencyChanged(dependencyOn.pods('default', 'app', app));
  }

  /** Revision `r` with its Services, and an Ingress that leads to it. */
  revision(): void {
    const ports = [{ name: 'http', port: 80 }];
    const labels = {
      'serving.knative.dev/revision': 'r',
      'networking.internal.knative.dev/serverlessservice': 'r',
      'networking.internal.knative.dev/serviceType': 'Public',
    };
    this.revisions.set('r', revision('r', { spec: { containerConcurrency: 3 } }));
    this.services.set('r', stored(Service, 'r', { spec: { ports } }, { labels }));
    this.services.set('r-private', stored(Service, 'r-private', { spec: { ports, selector: { app: 'r' } } }));
    this.pod('p', 'r');
    this.pod('q', 'r', 'False');
    this.ingress('i', 'r');
    this.builder.flush();
  }

  noRevision(): void {
    this.revisions.delete('r');
    this.builder.dependencyChanged(dependencyOn.revision('default', 'r'));
  }

  pod(name: string, app: string, status: 'True' | 'False' = 'True'): void {
    const meta = { uid: name, labels: { app } };
    const told = { podIP: '10.0.0.1', conditions: [ready(status)] };
    this.pods.set(name, stored(Pod, name, { spec: { containers: [] }, status: told }, meta));
    this.builder.dependencyChanged(dependencyOn.pods('default', 'app', app));
  }
}

function worldWith(...names: string[]): World {
  const world = new World();
  for (const name of names) {
    world.service(name);
    world.ingress(name, name);
  }
  world.builder.flush();
  return world;
}

/** Names of what an update carries: `+route`, `-route`, `+target`, `-target`. */
function carried({ routes, deletedRoutes, targets, deletedTargets }: RoutingUpdate): string[] {
  return [
    ...routes.map(({ key }) => `+${key}`),
    ...deletedRoutes.map((key) => `-${key}`),
    ...targets.map(({ key }) => `+${key}`),
    ...deletedTargets.map((key) => `-${key}`),
  ];
}

test('everything of one turn is one version', async () => {
  const world = new World();
  world.service('a');
  world.ingress('a', 'a');
  world.pod('p', 'a');
  assert.equal(world.updates.length, 0);
  await Promise.resolve();
  assert.deepEqual(world.updates.map(carried), [['+default/a', '+default/a:80']]);
  assert.equal(world.builder.version, 1);
  assert.equal(world.builder.table().targets[0]?.endpoints.length, 1);
});

test('a pod that becomes ready touches its targets only', () => {
  const world = worldWith('a', 'b');
  world.pod('p', 'a');
  world.builder.flush();
  const update = world.updates.at(-1) ?? assert.fail('no update');
  assert.deepEqual(carried(update), ['+default/a:80']);
  assert.deepEqual([update.epoch, update.fromVersion, update.version], ['e', 1, 2]);
});

test('what changes nothing makes no version', () => {
  const world = worldWith('a');
  world.pod('p', 'a', 'False');
  world.pod('q', 'nobody');
  world.ingress('a', 'a', { generation: 2 });
  world.builder.flush();
  assert.equal(world.builder.version, 1);
  assert.deepEqual(world.builder.publication('default/a'), {
    generation: 2,
    state: 'published',
    version: 1,
    sinceMs: 1_000,
  });
});

test('an Ingress that goes takes its targets along, unless others lead there', () => {
  const world = worldWith('a');
  world.ingress('b', 'a');
  world.builder.flush();
  world.noIngress('a');
  world.builder.flush();
  world.noIngress('b');
  world.builder.flush();
  assert.deepEqual(world.updates.slice(1).map(carried), [
    ['+default/b'],
    ['-default/a'],
    ['-default/b', '-default/a:80'],
  ]);
  assert.equal(world.builder.targetSince('default/a:80'), undefined);
  assert.equal(world.builder.publication('default/a'), undefined);
});

test('a missing Service postpones: what was served stays', () => {
  const world = worldWith('a');
  world.ingress('a', 'new', { generation: 2 });
  world.builder.flush();
  assert.equal(world.builder.publication('default/a')?.state, 'postponed');
  assert.deepEqual(world.builder.table().routes[0]?.rules[0]?.paths[0]?.splits[0]?.target, 'default/a:80');
  world.service('new');
  world.builder.flush();
  assert.equal(world.builder.publication('default/a')?.state, 'published');
  const update = world.updates.at(-1) ?? assert.fail('no update');
  assert.deepEqual(carried(update), ['+default/a', '+default/new:80', '-default/a:80']);
});

test('the second to want a host is refused, and gets it when it is free', () => {
  const world = worldWith('a');
  world.ingress('b', 'a', { hosts: ['a', 'b'] });
  world.builder.flush();
  assert.equal(world.builder.publication('default/b')?.state, 'conflict');
  assert.equal(world.builder.table().routes.length, 1);
  world.noIngress('a');
  world.builder.flush();
  assert.equal(world.builder.publication('default/b')?.state, 'published');
  // The target that both lead to went with the one and came with the other.
  assert.deepEqual(carried(world.updates.at(-1) ?? assert.fail()), ['+default/b', '-default/a', '+default/a:80']);
});

test('after a restart hosts go to the oldest', () => {
  const world = new World();
  world.service('a');
  world.ingress('young', 'a', { hosts: ['x'], createdS: 2 });
  world.ingress('old', 'a', { hosts: ['x'], createdS: 1 });
  world.builder.flush();
  assert.equal(world.builder.publication('default/old')?.state, 'published');
  assert.equal(world.builder.publication('default/young')?.state, 'conflict');
});

test('settings are part of the table', () => {
  const world = worldWith('a');
  world.settings = { ...world.settings, tagHeaderRouting: true };
  world.builder.settingsChanged();
  world.builder.flush();
  assert.deepEqual(world.updates.at(-1)?.settings, world.settings);
  world.builder.settingsChanged();
  world.builder.flush();
  assert.equal(world.builder.version, 2);
});

test('updates lead from any version to the table as it is', () => {
  const world = worldWith('a');
  const tables = [world.builder.table()];
  const steps = [
    () => world.pod('p', 'a'),
    () => world.service('b'),
    () => world.ingress('b', 'b'),
    () => world.ingress('a', 'b', { generation: 2 }),
    () => world.noIngress('b'),
    () => world.pod('p', 'a', 'False'),
  ];
  for (const step of steps) {
    step();
    world.builder.flush();
    tables.push(world.builder.table());
  }
  const byKey = (left: { key: string }, right: { key: string }) => (left.key < right.key ? -1 : 1);
  const sorted = ({ routes, targets, ...rest }: (typeof tables)[number]) => ({
    ...rest,
    routes: routes.toSorted(byKey),
    targets: targets.toSorted(byKey),
  });
  for (const table of tables) {
    const update = world.builder.updateSince(table.version) ?? assert.fail(`no update since ${table.version}`);
    const reached = applyRoutingUpdate(table, update) ?? assert.fail('does not follow');
    assert.deepEqual(sorted(reached), sorted(world.builder.table()));
  }
});

test('no update from a version that never was, or is long gone', () => {
  const world = worldWith('a');
  assert.equal(world.builder.updateSince(2), undefined);
  assert.equal(world.builder.updateSince(-1), undefined);
  for (let index = 0; index < 2_000; index += 1) {
    world.pod('p', 'a', index % 2 === 0 ? 'True' : 'False');
    world.builder.flush();
  }
  assert.equal(world.builder.updateSince(1), undefined);
  assert.ok(world.builder.updateSince(world.builder.version - 400));
});

const DELETIONS: readonly [string, ((world: World) => void)[]][] = [
  [
    'Ingress, Revision, Services',
    [(w) => w.noIngress('i'), (w) => w.noRevision(), (w) => w.noService('r'), (w) => w.noService('r-private')],
  ],
  [
    'Services, Revision, Ingress',
    [(w) => w.noService('r-private'), (w) => w.noService('r'), (w) => w.noRevision(), (w) => w.noIngress('i')],
  ],
  [
    'Revision, Ingress, Services',
    [(w) => w.noRevision(), (w) => w.noIngress('i'), (w) => w.noService('r'), (w) => w.noService('r-private')],
  ],
];

for (const [what, deletions] of DELETIONS) {
  test(`a revision that goes in parts, ${what}: its pods drain with its limits until they are gone`, () => {
    const world = new World();
    world.revision();
    for (const step of deletions) {
      step(world);
      world.builder.flush();
      const [target] = world.builder.table().targets;
      assert.equal(target?.revision?.containerConcurrency, 3);
      assert.deepEqual(
        target.endpoints.map(({ id }) => id),
        ['p'],
      );
    }
    assert.equal(world.builder.table().targets[0]?.endpoints[0]?.state, 'draining');
    world.noPod('p', 'r');
    world.builder.flush();
    assert.deepEqual(world.builder.table().targets, []);
    assert.deepEqual(world.updates.at(-1)?.deletedTargets, ['default/r:80']);
  });
}

test('among a thousand, one change costs what one costs', () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `n${index}`);
  const world = worldWith(...names);
  for (const name of names) world.pod(`pod-${name}`, name);
  world.builder.flush();
  world.updates.length = 0;
  const rounds = 100;
  const start = performance.now();
  for (let index = 0; index < rounds; index += 1) {
    world.pod('pod-n500', 'n500', index % 2 === 0 ? 'False' : 'True');
    world.builder.flush();
    world.ingress('n500', 'n500', { hosts: [`host-${index}`] });
    world.builder.flush();
  }
  const eachMs = (performance.now() - start) / rounds / 2;
  assert.ok(eachMs < 2, `${eachMs.toFixed(3)} ms`);
  assert.deepEqual(world.updates.slice(0, 2).map(carried), [['+default/n500:80'], ['+default/n500']]);
  assert.equal(world.updates.length, 2 * rounds);
  assert.equal(world.compiled.at(-1)?.length, 1);
});
