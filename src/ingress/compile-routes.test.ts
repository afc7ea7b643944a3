/** One row per rule of how an Ingress is read. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Service } from '#kube/kinds/core/service.ts';
import { Ingress } from '#knative/kinds/ingress.ts';
import { backendsOf, compileRoutes } from '#ingress/compile-routes.ts';
import type { RouteSet } from '#protocol/routing.ts';
import { stored } from '#testing/knative-objects.ts';

type Rule = NonNullable<Ingress['spec']['rules']>[number];
type Path = NonNullable<Rule['http']>['paths'][number];
type Split = Path['splits'][number];

const PORTS: Record<string, object[]> = {
  a: [{ name: 'http', port: 80 }],
  b: [{ name: 'http2', port: 81 }],
  odd: [{ name: 'web', port: 8000 }],
};

function findService(namespace: string, name: string): Service | undefined {
  const ports = PORTS[name];
  return ports && namespace === 'default' ? stored(Service, name, { spec: { ports } }) : undefined;
}

const to = (serviceName: string, percent?: number, more: Partial<Split> = {}): Split => ({
  serviceNamespace: 'default',
  serviceName,
  servicePort: 80,
  ...(percent === undefined ? {} : { percent }),
  ...more,
});

const path = (more: Partial<Path> = {}): Path => ({ splits: [to('a', 100)], ...more });

const rule = (hosts: string[], paths: Path[] = [path()], more: Partial<Rule> = {}): Rule => ({
  hosts,
  visibility: 'ExternalIP',
  http: { paths },
  ...more,
});

function ingress(rules: Rule[], spec: object = {}): Ingress {
  return stored(Ingress, 'i', { spec: { rules, ...spec } });
}

function routesOf(rules: Rule[], spec?: object): RouteSet {
  const result = compileRoutes(ingress(rules, spec), findService);
  assert.ok('routes' in result, JSON.stringify(result));
  return result.routes;
}

const plainSplit = { target: 'default/a:80', percent: 100, appendHeaders: {} };
const plainPath = { prefix: '', headers: {}, appendHeaders: {}, splits: [plainSplit] };

test('an Ingress as Routes make it', () => {
  const routes = routesOf([rule(['a.default.example.com'])]);
  assert.deepEqual(routes, {
    key: 'default/i',
    hash: routes.hash,
    httpOption: 'enabled',
    rules: [{ hosts: ['a.default.example.com'], visibility: 'external', paths: [plainPath] }],
  });
});

test('the hash is that of Knative’s prober: spec, namespace, name', () => {
  const object = ingress([rule(['x'])]);
  const text = `${JSON.stringify(object.spec)}defaulti`;
  assert.equal(routesOf([rule(['x'])]).hash, createHash('sha256').update(text).digest('hex'));
});

for (const [option, expected] of [
  ['Redirected', 'redirect'],
  ['Enabled', 'enabled'],
  [undefined, 'enabled'],
] as const) {
  test(`httpOption ${option}`, () => {
    assert.equal(routesOf([rule(['x'])], { httpOption: option }).httpOption, expected);
  });
}

for (const [visibility, expected] of [
  ['ExternalIP', 'external'],
  ['ClusterLocal', 'local'],
  [undefined, 'external'],
] as const) {
  test(`visibility ${visibility}`, () => {
    const [compiled] = routesOf([rule(['x'], [path()], { visibility })]).rules;
    assert.equal(compiled?.visibility, expected);
  });
}

interface PathRow {
  readonly what: string;
  readonly paths: Path[];
  /** Of each compiled path, what the row is about. */
  readonly expected: object[];
}

const tagged = { headers: { 'Knative-Serving-Tag': { exact: 'v1' } } };
const PATHS: readonly PathRow[] = [
  {
    what: 'longer prefixes come first',
    paths: [path({ path: '/a' }), path(), path({ path: '/a/b' })],
    expected: [{ prefix: '/a/b' }, { prefix: '/a' }, { prefix: '' }],
  },
  { what: 'the root is no prefix', paths: [path({ path: '/' })], expected: [{ prefix: '' }] },
  {
    what: 'equal prefixes keep the order of the Ingress, headers first as they stand there',
    paths: [path(tagged), path(), path({ path: '/a' }), path({ path: '/b' })],
    expected: [
      { prefix: '/a', headers: {} },
      { prefix: '/b', headers: {} },
      { prefix: '', headers: { 'knative-serving-tag': 'v1' } },
      { prefix: '', headers: {} },
    ],
  },
  {
    what: 'headers for everybody, and for one backend',
    paths: [path({ appendHeaders: { A: '1' }, splits: [to('a', 100, { appendHeaders: { B: '2' } })] })],
    expected: [{ appendHeaders: { A: '1' }, splits: [{ ...plainSplit, appendHeaders: { B: '2' } }] }],
  },
  { what: 'another Host upstream', paths: [path({ rewriteHost: 'y' })], expected: [{ rewriteHost: 'y' }] },
  {
    what: 'shares as they are',
    paths: [path({ splits: [to('a', 90), to('b', 10, { servicePort: 81 })] })],
    expected: [
      {
        splits: [
          { ...plainSplit, percent: 90 },
          { ...plainSplit, target: 'default/b:81', percent: 10 },
        ],
      },
    ],
  },
  {
    what: 'a backend without a share gets nothing',
    paths: [path({ splits: [to('a', 100), to('b', 0, { servicePort: 81 })] })],
    expected: [{ splits: [plainSplit] }],
  },
  {
    what: 'a backend alone gets everything',
    paths: [path({ splits: [to('a')] })],
    expected: [{ splits: [plainSplit] }],
  },
  {
    what: 'a port by its name',
    paths: [path({ splits: [to('odd', 100, { servicePort: 'web' })] })],
    expected: [{ splits: [{ ...plainSplit, target: 'default/odd:8000' }] }],
  },
  {
    what: 'a number that the Service does not list',
    paths: [path({ splits: [to('a', 100, { servicePort: 8080 })] })],
    expected: [{ splits: [{ ...plainSplit, target: 'default/a:8080' }] }],
  },
];

for (const { what, paths, expected } of PATHS) {
  test(`paths: ${what}`, () => {
    const compiled = routesOf([rule(['x'], paths)]).rules[0]?.paths ?? [];
    const seen = compiled.map((one, index) =>
      Object.fromEntries(Object.keys(expected[index] ?? {}).map((key) => [key, one[key as keyof typeof one]])),
    );
    assert.deepEqual(seen, expected);
  });
}

const MISSING: readonly [string, Split, string][] = [
  ['a Service that does not exist', to('gone', 100), 'default/gone'],
  ['a Service of another namespace', to('a', 100, { serviceNamespace: 'other' }), 'other/a'],
  ['a port name that the Service has not', to('a', 100, { servicePort: 'nope' }), 'default/a'],
  ['a Service without a share that does not exist', to('gone', 0), 'default/gone'],
];

for (const [what, split, missing] of MISSING) {
  test(`${what} postpones the whole Ingress`, () => {
    const splits = split.percent === 0 ? [to('a', 100), split] : [split];
    assert.deepEqual(compileRoutes(ingress([rule(['x']), rule(['y'], [path({ splits })])]), findService), { missing });
  });
}

test('rules that name the same hosts are one; hosts are lower case', () => {
  const rules = [
    rule(['X', 'y'], [path({ path: '/1' })]),
    rule(['x'], [path({ path: '/2' })]),
    rule(['y'], [path({ path: '/3' })], { visibility: 'ClusterLocal' }),
  ];
  const compiled = routesOf(rules).rules.map(({ hosts, visibility, paths }) => ({
    hosts,
    visibility,
    prefixes: paths.map(({ prefix }) => prefix),
  }));
  assert.deepEqual(compiled, [
    { hosts: ['x'], visibility: 'external', prefixes: ['/1', '/2'] },
    { hosts: ['y'], visibility: 'external', prefixes: ['/1'] },
    { hosts: ['y'], visibility: 'local', prefixes: ['/3'] },
  ]);
});

test('a rule without hosts is none', () => {
  assert.deepEqual(routesOf([{ visibility: 'ExternalIP', http: { paths: [path()] } }]).rules, []);
});

test('hosts and targets are told aside', () => {
  const result = compileRoutes(
    ingress([rule(['x', 'y']), rule(['z'], [path({ splits: [to('b', 100, { servicePort: 81 })] })])]),
    findService,
  );
  assert.ok('routes' in result);
  assert.deepEqual([...result.hosts], ['x', 'y', 'z']);
  assert.deepEqual([...result.targets], ['default/a:80', 'default/b:81']);
});

test('backends are all Services that are named, once each', () => {
  const object = ingress([rule(['x'], [path(), path({ splits: [to('a', 50), to('b', 50)] })])]);
  assert.deepEqual([...backendsOf(object)], ['default/a', 'default/b']);
});
