import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Router, routeHost } from '#dataplane/gateway/router.ts';
import { route } from '#dataplane/fixtures/harness.ts';
import type { RouteSet } from '#protocol/routing.ts';

function router(...routes: readonly RouteSet[]) {
  const refs = new Map<string, { key: string; current: undefined }>();
  const ref = (key: string) => {
    const known = refs.get(key) ?? { key, current: undefined };
    refs.set(key, known);
    return known;
  };
  let next = 0;
  const subject = new Router({ ref, nextOf: () => next++ });
  subject.apply(
    routes.map((one) => ({ route: one, counters: [[0]] })),
    [],
  );
  return subject;
}

const HOSTS: readonly (readonly [string, string])[] = [
  ['app.example.com', 'app.example.com'],
  ['App.Example.COM:8080', 'app.example.com'],
  ['app.example.com.', 'app.example.com'],
  ['app.example.com.:80', 'app.example.com'],
  ['[::1]:80', '[::1]'],
  ['[::1]', '[::1]'],
  ['', ''],
  [':80', ''],
];

for (const [host, expected] of HOSTS) {
  test(`host ${JSON.stringify(host)} is looked up as ${JSON.stringify(expected)}`, () => {
    assert.equal(routeHost(host), expected);
  });
}

test('from outside only external rules are seen; from inside the local one comes first', () => {
  const both = router(route('inner', { host: 'h', visibility: 'local' }), route('outer', { host: 'h' }));
  assert.equal(both.rule('h', 'external')?.routeKey, 'default/outer');
  assert.equal(both.rule('h', 'local')?.routeKey, 'default/inner');
  const inner = router(route('inner', { host: 'h', visibility: 'local' }));
  assert.equal(inner.rule('h', 'external'), undefined);
});

test('of two routes with one host the first by name has it, and the other once that is gone', () => {
  const subject = router(route('b', { host: 'h' }), route('a', { host: 'h' }));
  assert.equal(subject.rule('h', 'external')?.routeKey, 'default/a');
  subject.apply([], ['default/a']);
  assert.equal(subject.rule('h', 'external')?.routeKey, 'default/b');
  subject.apply([], ['default/b']);
  assert.equal(subject.rule('h', 'external'), undefined);
});

test('a changed route leaves nothing of its old self', () => {
  const subject = router(route('a', { host: 'old' }));
  subject.apply([{ route: route('a', { host: 'new' }), counters: [[0]] }], []);
  assert.equal(subject.rule('old', 'external'), undefined);
  assert.equal(subject.rule('new', 'external')?.routeKey, 'default/a');
  assert.equal(subject.size, 1);
});
