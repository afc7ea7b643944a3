import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAuditPolicy } from '#kube/audit/parse-policy.ts';
import { auditDecision, type AuditedRequest, DEFAULT_AUDIT_POLICY, type PolicyRule } from '#kube/audit/policy.ts';
import { ParseError } from '#kube/parse-error.ts';

const core = { group: '', resource: 'pods', subresource: '', namespace: 'default', name: 'p' };
const asked = (resource: Partial<typeof core> = {}, verb = 'get'): AuditedRequest => ({
  user: { name: 'eve', groups: ['makers'] },
  verb,
  resource: { ...core, ...resource },
});
const url = (path: string): AuditedRequest => ({ user: { name: 'eve', groups: [] }, verb: 'get', path });

describe('which rule fits', () => {
  const rows: readonly [behaviour: string, rule: Omit<PolicyRule, 'level'>, request: AuditedRequest, fits: boolean][] =
    [
      ['a rule that says nothing fits everything', {}, asked(), true],
      ['a user', { users: ['eve'] }, asked(), true],
      ['another user', { users: ['adam'] }, asked(), false],
      ['nobody is no user', { users: ['eve'] }, { verb: 'get', user: undefined }, false],
      ['a group', { userGroups: ['makers', 'x'] }, asked(), true],
      ['another group', { userGroups: ['x'] }, asked(), false],
      ['a verb', { verbs: ['get'] }, asked(), true],
      ['another verb', { verbs: ['list'] }, asked(), false],
      ['a namespace', { namespaces: ['default'] }, asked(), true],
      ['no namespace is the empty one', { namespaces: [''] }, asked({ namespace: '' }), true],
      ['another namespace', { namespaces: ['kube-system'] }, asked(), false],
      ['a namespace is not about paths', { namespaces: ['default'] }, url('/version'), false],
      ['a whole group', { resources: [{ group: '' }] }, asked({ subresource: 'log' }), true],
      ['another group of the API', { resources: [{ group: 'apps' }] }, asked(), false],
      ['a resource', { resources: [{ resources: ['pods'] }] }, asked(), true],
      [
        'a resource is not its subresource',
        { resources: [{ resources: ['pods'] }] },
        asked({ subresource: 'log' }),
        false,
      ],
      ['a subresource', { resources: [{ resources: ['pods/log'] }] }, asked({ subresource: 'log' }), true],
      ['all subresources, and the resource', { resources: [{ resources: ['pods/*'] }] }, asked(), true],
      ['a subresource of all', { resources: [{ resources: ['*/log'] }] }, asked({ subresource: 'log' }), true],
      ['a star means subresources too', { resources: [{ resources: ['*'] }] }, asked({ subresource: 'log' }), true],
      ['a name', { resources: [{ resources: ['pods'], resourceNames: ['p'] }] }, asked(), true],
      ['another name', { resources: [{ resources: ['pods'], resourceNames: ['q'] }] }, asked(), false],
      ['a path', { nonResourceURLs: ['/version'] }, url('/version'), true],
      ['the beginning of a path', { nonResourceURLs: ['/healthz*'] }, url('/healthz/etcd'), true],
      ['every path', { nonResourceURLs: ['*'] }, url('/x'), true],
      ['a path is no resource', { nonResourceURLs: ['*'] }, asked(), false],
    ];
  for (const [behaviour, rule, request, fits] of rows) {
    test(behaviour, () => {
      const decision = auditDecision({ rules: [{ level: 'Request', ...rule }] }, request);
      assert.equal(decision.level, fits ? 'Request' : 'None');
    });
  }

  test('the first decides, and adds its stages to those of all', () => {
    const policy = {
      omitStages: ['RequestReceived'],
      omitManagedFields: true,
      rules: [{ level: 'Metadata', omitStages: ['Panic'], omitManagedFields: false }, { level: 'RequestResponse' }],
    } as const;
    assert.deepEqual(auditDecision(policy, asked()), {
      level: 'Metadata',
      omitStages: ['RequestReceived', 'Panic'],
      omitManagedFields: false,
    });
  });

  test('the default policy keeps every body out', () => {
    for (const resource of ['secrets', 'configmaps', 'pods', 'serviceaccounts']) {
      assert.equal(auditDecision(DEFAULT_AUDIT_POLICY, asked({ resource }, 'create')).level, 'Metadata');
    }
    assert.equal(auditDecision(DEFAULT_AUDIT_POLICY, url('/readyz')).level, 'None');
  });
});

describe('what a document may say', () => {
  const policy = (...rules: unknown[]) => ({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules });

  test('everything that Kubernetes has', () => {
    const rule = {
      level: 'RequestResponse',
      users: ['a'],
      userGroups: ['b'],
      verbs: ['get'],
      resources: [{ group: 'apps', resources: ['deployments'], resourceNames: ['x'] }],
      namespaces: ['default'],
      omitStages: ['RequestReceived'],
      omitManagedFields: true,
    };
    assert.deepEqual(parseAuditPolicy({ ...policy(rule), metadata: { name: 'x' }, omitStages: ['Panic'] }), {
      omitStages: ['Panic'],
      rules: [rule],
    });
  });

  const wrong: readonly [behaviour: string, document: unknown, says: RegExp][] = [
    ['no object', [], /the policy: has to be an object/],
    ['another kind', { ...policy({ level: 'None' }), kind: 'Event' }, /has to be a Policy of audit\.k8s\.io\/v1/],
    ['no rules', policy(), /rules: there has to be at least one/],
    ['no level', policy({}), /rules\[0\]\.level: has to be one of None, Metadata, Request, RequestResponse/],
    ['a field that is misspelled', policy({ level: 'None', user: ['a'] }), /rules\[0\]: unknown field "user"/],
    ['a text for a list', policy({ level: 'None', users: 'a' }), /rules\[0\]\.users: has to be a list/],
    ['numbers for texts', policy({ level: 'None', users: [1] }), /has to be a list of texts/],
    ['a version in the group', policy({ level: 'None', resources: [{ group: 'apps/v1' }] }), /without a version/],
    ['names of nothing', policy({ level: 'None', resources: [{ resourceNames: ['a'] }] }), /at least one resource/],
    ['a path without a slash', policy({ level: 'None', nonResourceURLs: ['x'] }), /must begin with a '\/'/],
    ['a star inside', policy({ level: 'None', nonResourceURLs: ['/a*b'] }), /must be the final character/],
    [
      'paths and resources',
      policy({ level: 'None', nonResourceURLs: ['*'], namespaces: ['a'] }),
      /cannot apply to both/,
    ],
    ['an unknown stage', policy({ level: 'None', omitStages: ['Never'] }), /allowed stages are RequestReceived,/],
  ];
  for (const [behaviour, document, says] of wrong) {
    test(behaviour, () => {
      const answer = parseAuditPolicy(document);
      assert.ok(answer instanceof ParseError);
      assert.match(answer.message, says);
    });
  }
});
