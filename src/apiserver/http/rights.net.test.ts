/** Rights over HTTPS: what roles let through, who may act as whom, and that nobody gives more than they have. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { Connection } from '#testing/http-replay/connection.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const ROLES = `${RBAC}/namespaces/default/roles`;
const BINDINGS = `${RBAC}/namespaces/default/rolebindings`;
const REVIEWS = '/apis/authorization.k8s.io/v1';
const WHOAMI = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const SECRETS = '/api/v1/namespaces/default/secrets';

let api: HttpsApi;
let connection: Connection;

before(async () => {
  api = await startHttpsApi({ kinds: builtinKinds });
  await api.client.create(Namespace, typed(Namespace, { metadata: { name: 'default' } }));
  connection = new Connection(loadKubeconfig(api.kubeconfig));
});
after(async () => {
  connection[Symbol.dispose]();
  await api[Symbol.asyncDispose]();
});

type Headers = Readonly<Record<string, string>>;

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly text: string;
}

/** As the administrator; with `Impersonate-…` headers as somebody else. */
async function send(
  method: string,
  path: string,
  sent: { as?: string; headers?: Headers; body?: unknown } = {},
): Promise<Answer> {
  const { as, headers = {}, body } = sent;
  const type = { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
  const all = { ...type, ...(as === undefined ? {} : { 'impersonate-user': as }), ...headers };
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const answer = await connection.exchange({ method, path, headers: all, body: bytes, isAnonymous: false });
  const text = answer.bytes.toString();
  return { status: answer.status, text, body: text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : {} };
}

const rule = (verbs: string, group: string, resources: string, resourceNames?: string[]) => ({
  verbs: verbs.split(' '),
  apiGroups: [group],
  resources: resources.split(' '),
  ...(resourceNames ? { resourceNames } : {}),
});

/** Gives a user rights in the namespace. */
async function give(user: string, ...rules: object[]): Promise<void> {
  const subjects = [{ kind: 'User', name: user }];
  assert.equal((await send('POST', ROLES, { body: { metadata: { name: user }, rules } })).status, 201);
  const roleRef = { kind: 'Role', name: user };
  assert.equal((await send('POST', BINDINGS, { body: { metadata: { name: user }, subjects, roleRef } })).status, 201);
}

describe('requests', () => {
  test('a list of one name needs the right to that name alone', async () => {
    await give('namer', rule('list watch', '', 'secrets', ['one']));
    const select = (selector: string) => `${SECRETS}?fieldSelector=${encodeURIComponent(selector)}`;
    assert.equal((await send('GET', select('metadata.name=one'), { as: 'namer' })).status, 200);
    assert.equal((await send('GET', SECRETS, { as: 'namer' })).status, 403);
    const other = await send('GET', select('metadata.name=two'), { as: 'namer' });
    assert.match(
      String(other.body['message']),
      /^secrets "two" is forbidden: User "namer" cannot list resource "secrets"/,
    );
    assert.equal((await send('GET', select('type=Opaque'), { as: 'namer' })).status, 403);
    assert.equal((await send('GET', select('metadata.name=..'), { as: 'namer' })).status, 403);
  });

  test('a binding counts from the moment that it is acknowledged, and no longer than it is there', async () => {
    for (let round = 0; round < 20; round += 1) {
      await give('eve', rule('list', '', 'secrets'));
      assert.equal((await send('GET', SECRETS, { as: 'eve' })).status, 200);
      assert.equal((await send('DELETE', `${BINDINGS}/eve`)).status, 200);
      assert.equal((await send('GET', SECRETS, { as: 'eve' })).status, 403);
      assert.equal((await send('DELETE', `${ROLES}/eve`)).status, 200);
    }
  });

  test('a role that is not there is named in the refusal', async () => {
    const subjects = [{ kind: 'Group', name: 'system:authenticated' }];
    const roleRef = { kind: 'ClusterRole', name: 'nowhere' };
    await send('POST', BINDINGS, { body: { metadata: { name: 'nowhere' }, subjects, roleRef } });
    const { body } = await send('GET', SECRETS, { as: 'ann' });
    const why = 'RBAC: clusterrole.rbac.authorization.k8s.io "nowhere" not found';
    assert.match(String(body['message']), new RegExp(`in the namespace "default": ${why.replaceAll('.', '\\.')}$`));
    await send('DELETE', `${BINDINGS}/nowhere`);
  });

  test('who may update, but not create, creates nothing by updates', async () => {
    await give('changer', rule('update patch', '', 'configmaps'), rule('update', 'rbac.authorization.k8s.io', 'roles'));
    const cannot = 'is forbidden: User "changer" cannot create resource';
    const apply = { 'content-type': 'application/apply-patch+yaml' };
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } };
    const path = '/api/v1/namespaces/default/configmaps/x?fieldManager=m';
    const applied = await send('PATCH', path, { as: 'changer', body: map, headers: apply });
    assert.equal(
      applied.body['message'],
      `configmaps "x" ${cannot} "configmaps" in API group "" in the namespace "default"`,
    );
    const put = await send('PUT', `${ROLES}/new`, { as: 'changer', body: { metadata: { name: 'new' } } });
    assert.equal(put.status, 403);
    assert.match(String(put.body['message']), new RegExp(`^roles.rbac.authorization.k8s.io "new" ${cannot}`));
    await give('maker', rule('patch', '', 'configmaps'), rule('create', '', 'configmaps'));
    assert.equal((await send('PATCH', path, { as: 'maker', body: map, headers: apply })).status, 201);
  });

  test('exec is a create by POST and a get by GET', async () => {
    const path = '/api/v1/namespaces/default/pods/x/exec';
    for (const [method, verb] of [
      ['POST', 'create'],
      ['GET', 'get'],
    ] as const) {
      const { status, body } = await send(method, path, { as: 'jane' });
      assert.equal(status, 403);
      assert.match(String(body['message']), new RegExp(`cannot ${verb} resource "pods/exec"`));
    }
  });
});

describe('escalation', () => {
  const secrets = { metadata: { name: 'wide' }, rules: [rule('get list', '', 'secrets'), rule('get', '', 'pods')] };

  const roleWriter = rule('create update patch get', 'rbac.authorization.k8s.io', 'roles rolebindings');

  before(() => give('lead', roleWriter));

  test('rights that one lacks cannot be put into a role', async () => {
    const { status, body } = await send('POST', ROLES, { as: 'lead', body: secrets });
    assert.equal(status, 403);
    assert.equal(
      body['message'],
      'roles.rbac.authorization.k8s.io "wide" is forbidden: user "lead" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
        '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}\n' +
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
    );
    assert.deepEqual(body['details'], { name: 'wide', group: 'rbac.authorization.k8s.io', kind: 'roles' });
  });

  test('nor can a role be widened, in any way of writing', async () => {
    const own = { metadata: { name: 'narrow' }, rules: [roleWriter] };
    assert.equal((await send('POST', ROLES, { as: 'lead', body: own })).status, 201);
    const wider = { rules: secrets.rules };
    assert.equal((await send('PATCH', `${ROLES}/narrow`, { as: 'lead', body: wider })).status, 403);
    assert.equal((await send('PUT', `${ROLES}/narrow`, { as: 'lead', body: { ...own, ...wider } })).status, 403);
    assert.equal((await send('PUT', `${ROLES}/wide`, { as: 'lead', body: secrets })).status, 403);
    const apply = { 'content-type': 'application/apply-patch+yaml' };
    const applied = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', ...secrets };
    const path = `${ROLES}/wide?fieldManager=test`;
    assert.equal((await send('PATCH', path, { as: 'lead', body: applied, headers: apply })).status, 403);
    const labelled = { metadata: { labels: { a: 'b' } } };
    assert.equal((await send('PATCH', `${ROLES}/narrow`, { as: 'lead', body: labelled })).status, 200);
  });

  test('nor bound; a role that is not there cannot be bound at all', async () => {
    const binding = (name: string) => ({
      metadata: { name: 'up' },
      subjects: [{ kind: 'User', name: 'lead' }],
      roleRef: { kind: 'ClusterRole', name },
    });
    const admin = await send('POST', BINDINGS, { as: 'lead', body: binding('cluster-admin') });
    assert.equal(admin.status, 403);
    assert.match(
      String(admin.body['message']),
      /^rolebindings\.rbac\.authorization\.k8s\.io "up" is forbidden: user "lead" .* not currently held:\n\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}\n\{NonResourceURLs/,
    );
    const nowhere = await send('POST', BINDINGS, { as: 'lead', body: binding('nowhere') });
    assert.equal(nowhere.status, 404);
    assert.equal(nowhere.body['message'], 'clusterroles.rbac.authorization.k8s.io "nowhere" not found');
  });

  test('the verbs escalate and bind allow it', async () => {
    await give(
      'boss',
      roleWriter,
      rule('escalate', 'rbac.authorization.k8s.io', 'roles'),
      rule('bind', 'rbac.authorization.k8s.io', 'clusterroles', ['view']),
    );
    assert.equal((await send('POST', ROLES, { as: 'boss', body: secrets })).status, 201);
    const subjects = [{ kind: 'User', name: 'jane' }];
    const binding = (name: string) => ({ metadata: { name }, subjects, roleRef: { kind: 'ClusterRole', name } });
    assert.equal((await send('POST', BINDINGS, { as: 'boss', body: binding('view') })).status, 201);
    assert.equal((await send('POST', BINDINGS, { as: 'boss', body: binding('cluster-admin') })).status, 403);
  });

  test('a rule that comes apart into millions of rights is refused, not compared', async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => `r${index}`);
    const body = { metadata: { name: 'absurd' }, rules: [{ verbs: many, apiGroups: many, resources: many }] };
    const { status, body: answer } = await send('POST', ROLES, { as: 'lead', body });
    assert.equal(status, 403);
    assert.match(String(answer['message']), /more than 10000 single rights/);
  });

  test('an aggregation rule needs every right', async () => {
    await give('gatherer');
    const roles = `${RBAC}/clusterroles`;
    const writer = {
      metadata: { name: 'writer' },
      rules: [rule('create', 'rbac.authorization.k8s.io', 'clusterroles')],
    };
    await send('POST', roles, { body: writer });
    const subjects = [{ kind: 'User', name: 'gatherer' }];
    const roleRef = { kind: 'ClusterRole', name: 'writer' };
    await send('POST', `${RBAC}/clusterrolebindings`, { body: { metadata: { name: 'writer' }, subjects, roleRef } });
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] };
    const { status, body } = await send('POST', roles, {
      as: 'gatherer',
      body: { metadata: { name: 'all' }, aggregationRule },
    });
    assert.equal(status, 403);
    assert.match(String(body['message']), /must have cluster-admin privileges to use the aggregationRule$/);
  });
});

describe('impersonation', () => {
  async function whoami(headers: Headers): Promise<unknown> {
    const { body } = await send('POST', WHOAMI, { headers, body: {} });
    return (body['status'] as { userInfo?: unknown } | undefined)?.userInfo;
  }

  test('each thing that is asked for needs its own right', async () => {
    const roles = `${RBAC}/clusterroles`;
    const rules = [
      rule('impersonate', '', 'users', ['jane']),
      rule('impersonate', '', 'groups', ['dev']),
      rule('impersonate', 'authentication.k8s.io', 'userextras/scopes', ['a']),
    ];
    await send('POST', roles, { body: { metadata: { name: 'actor' }, rules } });
    const subjects = [{ kind: 'User', name: 'system:serviceaccount:default:actor' }];
    const roleRef = { kind: 'ClusterRole', name: 'actor' };
    await send('POST', `${RBAC}/clusterrolebindings`, { body: { metadata: { name: 'actor' }, subjects, roleRef } });
    await send('POST', '/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'actor' } } });
    const issued = await send('POST', '/api/v1/namespaces/default/serviceaccounts/actor/token', { body: { spec: {} } });
    const { token } = issued.body['status'] as { token: string };
    const asActor = async (headers: Headers) => {
      const all = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers };
      const sent = { method: 'POST', path: WHOAMI, headers: all, body: Buffer.from('{}'), isAnonymous: true };
      const { status, bytes } = await connection.exchange(sent);
      return [status, (JSON.parse(bytes.toString()) as { message?: string }).message];
    };
    const user = { 'impersonate-user': 'jane' };
    assert.deepEqual(await asActor(user), [201, undefined]);
    assert.deepEqual(await asActor({ ...user, 'impersonate-group': 'dev', 'impersonate-extra-scopes': 'a' }), [
      201,
      undefined,
    ]);
    const cannot = 'is forbidden: User "system:serviceaccount:default:actor" cannot impersonate resource';
    assert.deepEqual(await asActor({ ...user, 'impersonate-group': 'system:masters' }), [
      403,
      `groups "system:masters" ${cannot} "groups" in API group "" at the cluster scope`,
    ]);
    assert.deepEqual(await asActor({ ...user, 'impersonate-extra-scopes': 'b' }), [
      403,
      `userextras.authentication.k8s.io "b" ${cannot} "userextras/scopes" in API group "authentication.k8s.io" at the cluster scope`,
    ]);
    assert.deepEqual(await asActor({ ...user, 'impersonate-uid': '7' }), [
      403,
      `uids.authentication.k8s.io "7" ${cannot} "uids" in API group "authentication.k8s.io" at the cluster scope`,
    ]);
  });

  test('everybody is in one of the two standard groups', async () => {
    const rows: readonly [Headers, string[]][] = [
      [{ 'impersonate-user': 'jane' }, ['system:authenticated']],
      [{ 'impersonate-user': 'jane', 'impersonate-group': 'system:authenticated' }, ['system:authenticated']],
      [
        { 'impersonate-user': 'system:serviceaccount:a:b' },
        ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'],
      ],
      [{ 'impersonate-user': 'system:serviceaccount:a:b', 'impersonate-group': 'g' }, ['g', 'system:authenticated']],
      [{ 'impersonate-user': 'system:serviceaccount:a' }, ['system:authenticated']],
      [{ 'impersonate-user': Buffer.from('jürgen').toString('latin1') }, ['system:authenticated']],
    ];
    for (const [headers, groups] of rows) {
      const username = Buffer.from(headers['impersonate-user'] ?? '', 'latin1').toString();
      assert.deepEqual(await whoami(headers), { username, groups });
    }
  });

  test('keys of extra values may be encoded, and may be anything', async () => {
    const headers = {
      'impersonate-user': 'jane',
      'impersonate-extra-example.com%2fteam': 'red',
      'impersonate-extra-__proto__': 'x',
      'impersonate-extra-%zz': 'y',
    };
    const { extra } = (await whoami(headers)) as { extra: object };
    assert.deepEqual(
      new Map(Object.entries(extra)),
      new Map([
        ['example.com/team', ['red']],
        ['__proto__', ['x']],
        ['%zz', ['y']],
      ]),
    );
  });

  test('without a user nothing can be asked for', async () => {
    const { status, text } = await send('POST', WHOAMI, { headers: { 'impersonate-uid': '<7>' }, body: {} });
    assert.equal(status, 500);
    const reference = '{UID  &lt;7&gt;  authentication.k8s.io/v1  }';
    assert.equal(text, `Internal Server Error: "${WHOAMI}": requested [${reference}] without impersonating a user\n`);
  });

  test('a flood of headers is answered', async () => {
    const flood = Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`impersonate-extra-k${index}`, 'v']));
    const { extra } = (await whoami({ 'impersonate-user': 'jane', ...flood })) as { extra: object };
    assert.equal(Object.keys(extra).length, 900);
    const { status } = await send('POST', WHOAMI, {
      headers: { ...flood, 'impersonate-user': 'x'.repeat(70_000) },
      body: {},
    });
    assert.equal(status, 431);
  });
});

describe('reviews', () => {
  test('say which binding allows', async () => {
    await give('reader', rule('get', '', 'pods'));
    const spec = { user: 'reader', resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } };
    const { body } = await send('POST', `${REVIEWS}/subjectaccessreviews`, { body: { spec } });
    const reason = 'RBAC: allowed by RoleBinding "reader/default" of Role "reader" to User "reader"';
    assert.deepEqual(body['status'], { allowed: true, reason });
  });

  test('ignore what they cannot understand of selectors, and say so', async () => {
    const review = async (attributes: object) => {
      const spec = { resourceAttributes: { verb: 'list', resource: 'pods', ...attributes } };
      return (await send('POST', `${REVIEWS}/selfsubjectaccessreviews`, { body: { spec } })).body;
    };
    const raw = await review({ fieldSelector: { rawSelector: 'a' }, labelSelector: { rawSelector: 'a=b' } });
    const ignored = 'spec.resourceAttributes.fieldSelector ignored due to parse error';
    assert.deepEqual(raw['status'], { allowed: true, evaluationError: ignored });
    const requirement = { key: 'a', operator: 'In', values: [] };
    const { message } = (await review({ labelSelector: { requirements: [requirement] } })) as { message?: string };
    assert.match(message ?? '', /labelSelector\.requirements\[0\]\.values: Required value: must be specified when/);
  });

  test('are for the local namespace alone, if they are asked there', async () => {
    await give('owner', rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'));
    const spec = { user: 'x', resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } };
    const path = `${REVIEWS}/namespaces/default/localsubjectaccessreviews`;
    const { status, body } = await send('POST', path, { as: 'owner', body: { spec } });
    assert.equal(status, 201);
    assert.deepEqual(
      [body['metadata'], body['status']],
      [{ namespace: 'default', creationTimestamp: null }, { allowed: false }],
    );
    assert.equal((await send('POST', `${REVIEWS}/subjectaccessreviews`, { as: 'owner', body: { spec } })).status, 403);
  });
});
