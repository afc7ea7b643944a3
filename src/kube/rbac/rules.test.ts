import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyRule } from '#kube/kinds/rbac/rules.ts';
import { allowsPath, allowsResource, describeRule, joinVerbs, missingRights, TooManyRights } from '#kube/rbac/rules.ts';

function rule(verbs: string, group: string, resources: string, names: readonly string[] = []): PolicyRule {
  const list = (text: string) => text.split(' ');
  const base = { verbs: list(verbs), apiGroups: [group], resources: list(resources) };
  return names.length === 0 ? base : { ...base, resourceNames: [...names] };
}

const urls = (...nonResourceURLs: string[]): PolicyRule => ({ verbs: ['get'], nonResourceURLs });

/** `get apps deployments/scale x`: verb, group (- for the core), resource with its part, name. */
function action(text: string) {
  const [verb = '', group = '', whole = '', name = ''] = text.split(' ');
  const [resource = '', subresource] = whole.split('/');
  return { verb, group: group === '-' ? '' : group, resource, subresource, name };
}

const decisions: readonly [name: string, rule: PolicyRule, action: string, isAllowed: boolean][] = [
  ['the same words', rule('get', 'apps', 'deployments'), 'get apps deployments x', true],
  ['another verb', rule('get', 'apps', 'deployments'), 'list apps deployments', false],
  ['another group', rule('get', 'apps', 'deployments'), 'get - deployments x', false],
  ['every verb', rule('*', 'apps', 'deployments'), 'approve apps deployments', true],
  ['every group', rule('get', '*', 'deployments'), 'get anything deployments', true],
  ['every resource', rule('get', '', '*'), 'get - secrets x', true],
  ['every resource, and its parts', rule('get', '', '*'), 'get - pods/log x', true],
  ['a part is not its whole', rule('get', '', 'pods/log'), 'get - pods x', false],
  ['a whole is not its parts', rule('get', '', 'pods'), 'get - pods/log x', false],
  ['a part of everything', rule('update', '*', '*/scale'), 'update apps deployments/scale x', true],
  ['another part of everything', rule('update', '*', '*/scale'), 'update apps deployments/status x', false],
  ['a part of everything is no whole', rule('update', '*', '*/scale'), 'update apps deployments x', false],
  ['one of the names', rule('get', '', 'secrets', ['a', 'b']), 'get - secrets b', true],
  ['none of the names', rule('get', '', 'secrets', ['a']), 'get - secrets b', false],
  ['names, and a collection', rule('list', '', 'secrets', ['a']), 'list - secrets', false],
  ['names are no patterns', rule('get', '', 'secrets', ['*']), 'get - secrets b', false],
  ['a path is no resource', urls('*'), 'get - pods', false],
];

for (const [name, one, text, isAllowed] of decisions) {
  test(`a rule for resources: ${name}`, () => assert.equal(allowsResource(one, action(text)), isAllowed));
}

const paths: readonly [name: string, rule: PolicyRule, path: string, isAllowed: boolean][] = [
  ['the same path', urls('/version'), '/version', true],
  ['a longer path', urls('/version'), '/version/', false],
  ['what begins so', urls('/apis/*'), '/apis/apps/v1', true],
  ['the beginning itself', urls('/apis/*'), '/apis', false],
  ['everything', urls('*'), '/metrics', true],
  ['a star in the middle is a letter', urls('/a/*/b'), '/a/x/b', false],
  ['a resource is no path', rule('get', '*', '*'), '/version', false],
];

for (const [name, one, path, isAllowed] of paths) {
  test(`a rule for paths: ${name}`, () => assert.equal(allowsPath(one, { verb: 'get', path }), isAllowed));
}

const comparisons: readonly [name: string, held: PolicyRule[], wanted: PolicyRule[], missing: PolicyRule[]][] = [
  ['the same', [rule('get', '', 'pods')], [rule('get', '', 'pods')], []],
  ['from several rules', [rule('get', '', 'pods'), rule('list', '', 'pods')], [rule('get list', '', 'pods')], []],
  ['one verb is missing', [rule('get', '', 'pods')], [rule('get list', '', 'pods')], [rule('list', '', 'pods')]],
  ['a star covers all', [rule('*', '*', '*')], [rule('get', 'a', 'b/c', ['d'])], []],
  ['only a star covers a star', [rule('get list watch', '', 'pods')], [rule('*', '', 'pods')], [rule('*', '', 'pods')]],
  ['a part of everything', [rule('get', '', '*/scale')], [rule('get', '', 'pods/scale')], []],
  ['names do not cover all', [rule('get', '', 'pods', ['a'])], [rule('get', '', 'pods')], [rule('get', '', 'pods')]],
  ['all covers names', [rule('get', '', 'pods')], [rule('get', '', 'pods', ['a'])], []],
  ['a path below', [urls('/apis/*')], [urls('/apis/apps')], []],
  ['a path above', [urls('/apis/apps')], [urls('/apis/*')], [urls('/apis/*')]],
];

for (const [name, held, wanted, missing] of comparisons) {
  test(`missing rights: ${name}`, () => assert.deepEqual(missingRights(held, wanted), missing));
}

test('rules that come apart into absurdly many rights are not compared', () => {
  const many = Array.from({ length: 1_000 }, (_, index) => `r${index}`);
  const absurd = { verbs: many, apiGroups: many, resources: many };
  assert.throws(() => missingRights([], [absurd]), TooManyRights);
});

test('what is missing is shown by resource', () => {
  const missing = missingRights(
    [],
    [rule('get list', 'apps', 'deployments'), rule('get', '', 'secrets', ['a']), urls('/x')],
  );
  assert.deepEqual(joinVerbs(missing).map(describeRule), [
    '{NonResourceURLs:["/x"], Verbs:["get"]}',
    '{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}',
    '{APIGroups:[""], Resources:["secrets"], ResourceNames:["a"], Verbs:["get"]}',
  ]);
});
