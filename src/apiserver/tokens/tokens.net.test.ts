/** Tokens over HTTPS: asked for by the real kubectl and by plain requests, used as bearer tokens, verified by others. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { HttpTransport } from '#client/http-transport.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { typed } from '#kube/kind.ts';
import { ISSUER } from '#apiserver/tokens/claims.ts';
import type { JsonWebKey } from '#apiserver/tokens/signing-key.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';
import { needs } from '#testing/requirements.ts';

const ACCOUNT = { namespace: 'default', name: 'robot' };
const run = promisify(execFile);

let api: HttpsApi;

before(async () => {
  api = await startHttpsApi({ kinds: builtinKinds });
  await api.client.create(Namespace, typed(Namespace, { metadata: { name: 'default' } }));
  await api.client.create(ServiceAccount, typed(ServiceAccount, { metadata: ACCOUNT }));
});
after(() => api[Symbol.asyncDispose]());

async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await run('kubectl', args, { env: { ...process.env, KUBECONFIG: api.kubeconfig } });
  return stdout.trim();
}

/** Who comes with this token, and with no certificate. */
function bearer(token: string): HttpTransport {
  const { server, caCertificate, namespace } = loadKubeconfig(api.kubeconfig);
  const access = { server, caCertificate, namespace, insecureSkipTlsVerify: false, token };
  return new HttpTransport({ access, userAgent: 'test' });
}

async function statusFor(token: string, path = '/api/v1/namespaces/default/serviceaccounts/robot'): Promise<number> {
  using transport = bearer(token);
  return (await transport.send({ method: 'GET', path })).status;
}

async function issue(): Promise<string> {
  const body = { spec: {} };
  const answer = await api.client.createSubresource(ServiceAccount, ACCOUNT, { subresource: 'token', body });
  return (answer as unknown as { status: { token: string } }).status.token;
}

test('kubectl create token, which sends protobuf', needs('kubectl'), async () => {
  const args = ['--audience=vault', '--audience=bank', '--duration=20m'];
  const token = await kubectl('create', 'token', 'robot', ...args);
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, number>;
  assert.deepEqual(claims['aud'], ['vault', 'bank']);
  assert.equal((claims['exp'] ?? 0) - (claims['iat'] ?? 0), 1_200);
  assert.equal(claims['sub'], 'system:serviceaccount:default:robot');
  assert.equal(await statusFor(token), 401);
  await assert.rejects(kubectl('create', 'token', 'robot', '--duration=9m'), /may not specify a duration less than 10/);
  await assert.rejects(kubectl('create', 'token', 'none'), /serviceaccounts "none" not found/);
});

test('a bearer token opens the door that its account may open', async () => {
  const token = await issue();
  assert.equal(await statusFor(token, '/version'), 200);
  assert.notEqual(await statusFor(token), 401);
});

test('tokens that are none', async () => {
  const token = await issue();
  const [header = '', payload = '', signature = ''] = token.split('.');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  const rows = [`${none}.${payload}.`, `${header}.${payload}.`, `${header}.${payload}.${'A'.repeat(40_000)}`, 'x'];
  for (const row of rows) assert.equal(await statusFor(row), 401, row.slice(0, 40));
  assert.equal(await statusFor(`${header}.${payload}.${signature}`, '/version'), 200);
});

test('others verify a token by what the API server publishes', async () => {
  using transport = bearer(await issue());
  const get = async (path: string) => JSON.parse((await transport.send({ method: 'GET', path })).body) as unknown;
  const configuration = (await get('/.well-known/openid-configuration')) as Record<string, string>;
  assert.deepEqual(configuration, {
    issuer: ISSUER,
    jwks_uri: `${ISSUER}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  });
  const { keys } = (await get(new URL(configuration['jwks_uri'] ?? '').pathname)) as { keys: JsonWebKey[] };
  const [jwk] = keys;
  assert(jwk);
  const [header = '', payload = '', signature = ''] = (await issue()).split('.');
  assert.equal((JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }).kid, jwk.kid);
  const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  const bytes = Buffer.from(signature, 'base64url');
  assert(verify('sha256', Buffer.from(`${header}.${payload}`), { key, dsaEncoding: 'ieee-p1363' }, bytes));
});
