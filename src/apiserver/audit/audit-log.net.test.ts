/** The audit log of a server that is really asked: what it holds, and what it must not. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { HttpTransport } from '#client/http-transport.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import type { HttpRequest } from '#client/paths.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import type { AuditPolicy } from '#kube/audit/policy.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { AuditLog } from '#apiserver/audit/audit-log.ts';
import { eventually } from '#testing/eventually.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';

type AuditEvent = Record<string, unknown> & { readonly stage: string; readonly verb: string };

interface World extends AsyncDisposable {
  readonly api: HttpsApi;
  send(request: HttpRequest): Promise<{ status: number; body: string }>;
  /** Everything recorded, once there are so many. */
  events(count: number): Promise<AuditEvent[]>;
  text(): string;
}

async function startWorld(policy?: AuditPolicy): Promise<World> {
  const folder = mkdtempSync(path.join(tmpdir(), 'audit-'));
  const file = path.join(folder, 'audit.log');
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const metrics = new MetricRegistry();
  const audit = stack.use(new AuditLog({ file, policy, clock: systemClock, logger: silentLogger, metrics }));
  const api = stack.use(await startHttpsApi({ kinds: builtinKinds, http: { audit } }));
  await api.client.create(Namespace, typed(Namespace, { metadata: { name: 'default' } }));
  const transport = stack.use(new HttpTransport({ access: loadKubeconfig(api.kubeconfig), userAgent: 'tester/1' }));
  const owned = stack.move();
  const text = () => readFileSync(file, 'utf8');
  const events = (count: number) =>
    eventually(() => {
      const lines = text().split('\n').slice(0, -1);
      return lines.length >= count ? lines.map((line) => JSON.parse(line) as AuditEvent) : undefined;
    });
  return {
    api,
    send: (request) => transport.send(request),
    events,
    text,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const configMaps = '/api/v1/namespaces/default/configmaps';
const secrets = '/api/v1/namespaces/default/secrets';
const everything = { rules: [{ level: 'RequestResponse' as const }] };

describe('events', () => {
  test('have the members that Kubernetes gives them', async () => {
    await using world = await startWorld({ ...everything, omitManagedFields: true });
    const body = { metadata: { name: 'a' }, data: { x: '1' } };
    await world.send({ method: 'POST', path: `${configMaps}?fieldManager=me`, body });
    const [received, complete] = await world.events(2);
    const { requestReceivedTimestamp, stageTimestamp, auditID, user, responseObject, ...rest } =
      complete ?? ({} as AuditEvent);
    assert.match(String(auditID), /^[0-9a-f-]{36}$/);
    assert.match(String(requestReceivedTimestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.ok(String(stageTimestamp) >= String(requestReceivedTimestamp));
    assert.deepEqual((user as { groups: string[] }).groups, ['system:masters', 'system:authenticated']);
    assert.deepEqual((responseObject as { data: unknown }).data, { x: '1' });
    assert.equal('managedFields' in (responseObject as { metadata: object }).metadata, false);
    assert.deepEqual(rest, {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'RequestResponse',
      stage: 'ResponseComplete',
      requestURI: `${configMaps}?fieldManager=me`,
      verb: 'create',
      sourceIPs: ['127.0.0.1'],
      userAgent: 'tester/1',
      objectRef: { resource: 'configmaps', namespace: 'default', apiVersion: 'v1', name: 'a' },
      responseStatus: { metadata: {}, code: 201 },
      requestObject: body,
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    });
    assert.equal(received?.stage, 'RequestReceived');
    assert.equal(received['auditID'], auditID);
  });

  test('carry the failure of a request, and the patch that was sent', async () => {
    await using world = await startWorld(everything);
    const contentType = 'application/merge-patch+json';
    await world.send({ method: 'PATCH', path: `${configMaps}/absent`, body: { data: { x: '2' } }, contentType });
    const [, { responseStatus, requestObject, objectRef } = {} as AuditEvent] = await world.events(2);
    assert.deepEqual(requestObject, { data: { x: '2' } });
    assert.equal((objectRef as { name: string }).name, 'absent');
    assert.deepEqual(responseStatus, {
      metadata: {},
      status: 'Failure',
      message: 'configmaps "absent" not found',
      reason: 'NotFound',
      details: { name: 'absent', kind: 'configmaps' },
      code: 404,
    });
  });

  test('of a watch say when it begins and when it ends', async () => {
    await using world = await startWorld({ rules: [{ level: 'Metadata', verbs: ['watch'] }] });
    await world.send({ method: 'GET', path: `${configMaps}?watch=1&timeoutSeconds=1` });
    const events = await world.events(3);
    assert.deepEqual(
      events.map(({ stage }) => stage),
      ['RequestReceived', 'ResponseStarted', 'ResponseComplete'],
    );
  });

  test('of a caller that nobody knows, without its token', async () => {
    await using world = await startWorld(everything);
    const code = await new Promise((resolve) => {
      const headers = { authorization: 'Bearer very-secret' };
      const options = { rejectUnauthorized: false, headers };
      https.get(`${world.api.url}${configMaps}`, options, (answer) => resolve(answer.resume().statusCode));
    });
    assert.equal(code, 401);
    const [, refused] = await world.events(2);
    assert.deepEqual(refused?.['user'], {});
    assert.match(JSON.stringify(refused?.['responseStatus']), /"code":401/);
    assert.doesNotMatch(world.text(), /very-secret/);
  });

  test('that are too long lose their bodies', async () => {
    await using world = await startWorld(everything);
    await world.send({
      method: 'POST',
      path: configMaps,
      body: { metadata: { name: 'a' }, data: { x: 'y'.repeat(200_000) } },
    });
    const [, event] = await world.events(2);
    assert.equal('requestObject' in (event ?? {}), false);
    assert.match(JSON.stringify(event?.['annotations']), /"audit\.k8s\.io\/truncated":"true"/);
  });
});

test('by default no body is recorded, and no error repeats what is confidential', async () => {
  await using world = await startWorld();
  const data = { password: Buffer.from('hunter2').toString('base64') };
  await world.send({ method: 'POST', path: secrets, body: { metadata: { name: 's' }, data } });
  await world.send({ method: 'GET', path: `${secrets}/s` });
  const strict = `${secrets}/s?fieldValidation=Strict`;
  const contentType = 'application/merge-patch+json';
  const refused = await world.send({
    method: 'PATCH',
    path: strict,
    contentType,
    body: { unknown: 'x', data: { other: 'c2VjcmV0Mg==' } },
  });
  assert.match(refused.body, /c2VjcmV0Mg==/, 'the client is told its own');
  await world.send({
    method: 'POST',
    path: secrets,
    body: { metadata: { name: 't' }, data: { password: ['hunter2'] } },
  });
  await world.send({ method: 'GET', path: '/readyz' });
  const events = await world.events(4);
  assert.equal(events.length, 4);
  assert.ok(events.every(({ stage, level }) => stage === 'ResponseComplete' && level === 'Metadata'));
  for (const word of ['hunter2', data.password, 'c2VjcmV0Mg==']) assert.ok(!world.text().includes(word), word);
});
