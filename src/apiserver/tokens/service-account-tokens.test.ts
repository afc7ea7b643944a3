/** Tokens that are asked for, used, refused and reviewed, against a real API server in memory. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isObject } from '#base/json.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import type { TokenRequest } from '#kube/kinds/authentication/token-request.ts';
import { TokenReview } from '#kube/kinds/authentication/token-review.ts';
import { typed } from '#kube/kind.ts';
import { isStatus } from '#kube/status.ts';
import { API_AUDIENCES } from '#apiserver/tokens/service-account-tokens.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';

const NAMESPACE = 'default';
const robot = { namespace: NAMESPACE, name: 'robot' };
const YEAR_SECONDS = 365 * 24 * 60 * 60;

async function world(): Promise<TestApi> {
  const api = await startTestApi();
  await api.client.create(ServiceAccount, typed(ServiceAccount, { metadata: robot }));
  await api.client.create(Node, typed(Node, { metadata: { name: 'here' } }));
  return api;
}

async function request(api: TestApi, spec: object, name = robot.name): Promise<TokenRequest> {
  const answer = await api.client.createSubresource(
    ServiceAccount,
    { namespace: NAMESPACE, name },
    { subresource: 'token', body: { spec } },
  );
  return answer as unknown as TokenRequest;
}

async function pod(api: TestApi, name: string, account = robot.name) {
  const spec = { serviceAccountName: account, nodeName: 'here', containers: [{ name: 'app', image: 'app:1' }] };
  return api.client.create(Pod, typed(Pod, { metadata: { namespace: NAMESPACE, name }, spec }));
}

const podRef = (name: string, uid?: string) => ({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } });

function claimsOf(token: string): Record<string, unknown> {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  assert(isObject(claims));
  return claims;
}

const errorOf = (api: TestApi, token: string, audiences?: readonly string[]) => {
  const answer = api.api.tokens.authenticate(token, audiences);
  return 'error' in answer ? answer.error : 'no error';
};

describe('what is asked for', () => {
  test('an hour for the API server when nothing else is said', async () => {
    await using api = await world();
    const { metadata, spec, status } = await request(api, {});
    assert.deepEqual(metadata, { ...robot, creationTimestamp: '2026-01-01T00:00:00Z' });
    assert.deepEqual(spec, { audiences: API_AUDIENCES, expirationSeconds: 3_600, boundObjectRef: null });
    assert.equal(status?.expirationTimestamp, '2026-01-01T01:00:00Z');
  });

  test('the claims of a token that is bound to a pod', async () => {
    await using api = await world();
    const { metadata } = await pod(api, 'web');
    const { metadata: account } = await api.client.get(ServiceAccount, robot);
    const node = await api.client.get(Node, { name: 'here' });
    const { status } = await request(api, { ...podRef('web', metadata.uid), expirationSeconds: 900 });
    const { jti, ...claims } = claimsOf(status?.token ?? '');
    const now = api.clock.now() / 1_000;
    assert.match(String(jti), /^[0-9a-f-]{36}$/);
    assert.deepEqual(claims, {
      aud: API_AUDIENCES,
      exp: now + 900,
      iat: now,
      iss: 'https://kubernetes.default.svc.cluster.local',
      'kubernetes.io': {
        namespace: NAMESPACE,
        node: { name: 'here', uid: node.metadata.uid },
        pod: { name: 'web', uid: metadata.uid },
        serviceaccount: { name: 'robot', uid: account.uid },
      },
      nbf: now,
      sub: 'system:serviceaccount:default:robot',
    });
  });

  test('what pods mount by default is good for a year, and says from when on that shows', async () => {
    await using api = await world();
    await pod(api, 'web');
    const { status } = await request(api, { ...podRef('web'), expirationSeconds: 3_607 });
    const claims = claimsOf(status?.token ?? '');
    const now = api.clock.now() / 1_000;
    assert.equal(claims['exp'], now + YEAR_SECONDS);
    assert.equal((claims['kubernetes.io'] as { warnafter?: number }).warnafter, now + 3_607);
    assert.equal(status?.expirationTimestamp, '2026-01-01T01:00:07Z');
    const other = await request(api, { ...podRef('web'), expirationSeconds: 3_607, audiences: ['vault'] });
    assert.equal(claimsOf(other.status?.token ?? '')['exp'], now + 3_607);
    const unbound = await request(api, { expirationSeconds: 3_607 });
    assert.equal(claimsOf(unbound.status?.token ?? '')['exp'], now + 3_607);
  });

  const refusals: Record<string, [spec: object, message: string]> = {
    'less than ten minutes': [
      { expirationSeconds: 599 },
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
    ],
    'more than 2^32 seconds': [
      { expirationSeconds: 2 ** 32 + 1 },
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
    ],
    'a pod that is not there': [podRef('none'), 'pods "none" not found'],
    'a pod of another account': [
      podRef('other'),
      'cannot bind token for serviceaccount "robot" to pod running with different serviceaccount name.',
    ],
    'a pod that was made anew': [
      podRef('web', 'e2f4'),
      'Operation cannot be fulfilled on Pod "web": the UID in the bound object reference (e2f4) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    'a kind that tokens cannot be bound to': [
      { boundObjectRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
      'cannot bind token to object of type apps/v1, Kind=Deployment',
    ],
    'a kind that no table has': [
      { boundObjectRef: { kind: 'constructor', name: 'web' } },
      'cannot bind token to object of type /, Kind=constructor',
    ],
  };
  for (const [name, [spec, message]] of Object.entries(refusals)) {
    test(`refused: ${name}`, async () => {
      await using api = await world();
      await pod(api, 'web');
      await pod(api, 'other', 'default');
      await assert.rejects(request(api, spec), { message });
    });
  }

  test('refused: an account that is not there, another name in the body', async () => {
    await using api = await world();
    await assert.rejects(request(api, {}, 'none'), { message: 'serviceaccounts "none" not found' });
    const body = { metadata: { name: 'other' }, spec: {} };
    const asked = api.client.createSubresource(ServiceAccount, robot, { subresource: 'token', body });
    await assert.rejects(asked, (error) => isStatus(error, 'BadRequest'));
  });
});

describe('who comes with a token', () => {
  test('the account, its groups and what the token is bound to', async () => {
    await using api = await world();
    const { metadata } = await pod(api, 'web');
    const { status } = await request(api, podRef('web'));
    const { user, ...rest } = api.api.tokens.authenticate(status?.token ?? '');
    assert.deepEqual(rest, { audiences: API_AUDIENCES });
    assert(user?.extra);
    const { 'authentication.kubernetes.io/credential-id': id, ...extra } = user.extra;
    const node = await api.client.get(Node, { name: 'here' });
    assert.match(id?.[0] ?? '', /^JTI=[0-9a-f-]{36}$/);
    assert.deepEqual(user.groups, ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated']);
    assert.deepEqual(extra, {
      'authentication.kubernetes.io/node-name': ['here'],
      'authentication.kubernetes.io/node-uid': [node.metadata.uid],
      'authentication.kubernetes.io/pod-name': ['web'],
      'authentication.kubernetes.io/pod-uid': [metadata.uid],
    });
  });

  test('refused once it has ended, with a minute for clocks that are apart', async () => {
    await using api = await world();
    const { status } = await request(api, { expirationSeconds: 600 });
    const token = status?.token ?? '';
    await api.clock.advance(659_000);
    assert.equal(errorOf(api, token), 'no error');
    await api.clock.advance(2_000);
    assert.equal(errorOf(api, token), '[invalid bearer token, service account token has expired]');
  });

  test('refused when it is meant for somebody else', async () => {
    await using api = await world();
    const { status } = await request(api, { audiences: ['vault', 'bank'] });
    const token = status?.token ?? '';
    assert.match(errorOf(api, token), /token audiences \["vault" "bank"\] is invalid for the target audiences/);
    assert.deepEqual(api.api.tokens.authenticate(token, ['bank', 'post']), {
      ...api.api.tokens.authenticate(token, ['bank']),
      audiences: ['bank'],
    });
  });

  test('refused with the next use after its pod, its Secret, its node or its account is gone', async () => {
    await using api = await world();
    const secret = { namespace: NAMESPACE, name: 'bound' };
    await pod(api, 'web');
    await api.client.create(Secret, typed(Secret, { metadata: secret }));
    const ofPod = (await request(api, podRef('web'))).status?.token ?? '';
    const ofSecret = (await request(api, { boundObjectRef: { kind: 'Secret', name: 'bound' } })).status?.token ?? '';
    const ofNode = (await request(api, { boundObjectRef: { kind: 'Node', name: 'here' } })).status?.token ?? '';
    const all = [ofPod, ofSecret, ofNode];
    for (const token of all) assert.equal(errorOf(api, token), 'no error');
    await api.client.delete(Pod, { namespace: NAMESPACE, name: 'web' }, { gracePeriodSeconds: 0 });
    await api.client.delete(Secret, secret);
    await api.client.delete(Node, { name: 'here' });
    for (const token of all) assert.match(errorOf(api, token), /service account token has been invalidated/);
    const plain = (await request(api, {})).status?.token ?? '';
    await api.client.delete(ServiceAccount, robot);
    assert.match(errorOf(api, plain), /serviceaccounts "robot" not found/);
    await api.client.create(ServiceAccount, typed(ServiceAccount, { metadata: robot }));
    assert.match(errorOf(api, plain), /service account UID \(.*\) does not match claim/);
  });

  test('a pod that is being deleted may use it until it should have ended, and a minute more', async () => {
    await using api = await world();
    await pod(api, 'web');
    const { status } = await request(api, podRef('web'));
    await api.client.delete(Pod, { namespace: NAMESPACE, name: 'web' }, { gracePeriodSeconds: 30 });
    await api.clock.advance(89_000);
    assert.equal(errorOf(api, status?.token ?? ''), 'no error');
    await api.clock.advance(2_000);
    assert.match(errorOf(api, status?.token ?? ''), /has been invalidated/);
  });

  test('a pod of the same name is not the same pod', async () => {
    await using api = await world();
    await pod(api, 'web');
    const { status } = await request(api, podRef('web'));
    await api.client.delete(Pod, { namespace: NAMESPACE, name: 'web' }, { gracePeriodSeconds: 0 });
    await pod(api, 'web');
    assert.match(errorOf(api, status?.token ?? ''), /pod UID \(.*\) does not match service account pod ref claim/);
  });

  test('garbage is not a token, and a token of another server is not one of ours', async () => {
    await using api = await world();
    await using other = await world();
    const { status } = await request(other, {});
    for (const token of ['', 'nope', 'a.b.c', status?.token ?? '']) {
      assert.equal(errorOf(api, token), 'invalid bearer token');
    }
  });

  test('more tokens than are remembered are all good', async () => {
    await using api = await world();
    const { metadata } = await api.client.get(ServiceAccount, robot);
    const grant = { account: { apiVersion: 'v1', kind: 'ServiceAccount', metadata }, audiences: API_AUDIENCES };
    const tokens = Array.from({ length: 4_200 }, () => api.api.tokens.issue({ ...grant, seconds: 600 }));
    for (const token of [...tokens, ...tokens.slice(0, 10)]) assert.equal(errorOf(api, token), 'no error');
  });
});

describe('a review', () => {
  const review = async (api: TestApi, spec: object) =>
    (await api.client.create(TokenReview, typed(TokenReview, { metadata: {}, spec }))).status;

  test('says whose a token is', async () => {
    await using api = await world();
    const { status } = await request(api, { audiences: ['vault', 'bank'] });
    const token = status?.token ?? '';
    const { user, ...found } = (await review(api, { token, audiences: ['bank', 'post'] })) ?? {};
    assert.deepEqual(found, { authenticated: true, audiences: ['bank'] });
    assert.equal(user?.username, 'system:serviceaccount:default:robot');
    assert.deepEqual(await review(api, { token, audiences: ['post'] }), {
      user: {},
      error: '[invalid bearer token, token audiences ["vault" "bank"] is invalid for the target audiences ["post"]]',
    });
  });

  test('says what is wrong with one', async () => {
    await using api = await world();
    assert.deepEqual(await review(api, { token: 'nope' }), { user: {}, error: 'invalid bearer token' });
    await assert.rejects(review(api, {}), { message: 'token is required for TokenReview in authentication' });
  });
});

describe('a token in a Secret', () => {
  const secret = { namespace: NAMESPACE, name: 'kept' };

  async function kept(api: TestApi): Promise<string> {
    const account = await api.client.get(ServiceAccount, robot);
    const annotations = { 'kubernetes.io/service-account.name': robot.name };
    const type = 'kubernetes.io/service-account-token';
    const made = await api.client.create(Secret, typed(Secret, { metadata: { ...secret, annotations }, type }));
    const token = api.api.tokens.issueForSecret(account, made);
    await api.client.update(Secret, { ...made, data: { token: Buffer.from(token).toString('base64') } });
    return token;
  }

  test('is good for as long as the Secret holds it', async () => {
    await using api = await world();
    const token = await kept(api);
    const { user } = api.api.tokens.authenticate(token);
    assert.equal(user?.name, 'system:serviceaccount:default:robot');
    assert.equal(user?.extra, undefined);
    await api.client.modify(Secret, secret, (current) => ({ ...current, data: { token: 'AAAA' } }));
    assert.match(errorOf(api, token), /Token does not match server's copy/);
    await api.client.delete(Secret, secret);
    assert.match(errorOf(api, token), /Token has been invalidated/);
  });

  test('is refused once it is marked, or its account is another', async () => {
    await using api = await world();
    const token = await kept(api);
    const labels = { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' };
    await api.client.modify(Secret, secret, (current) => ({ ...current, metadata: { ...current.metadata, labels } }));
    assert.match(errorOf(api, token), /has been marked invalid/);
    await api.client.delete(ServiceAccount, robot);
    assert.match(errorOf(api, token), /serviceaccounts "robot" not found/);
  });
});
