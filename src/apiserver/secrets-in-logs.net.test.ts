/**
 * Secrets are in no log: neither ours nor the audit log, whether writes succeed, are refused, meet a disk that is full,
 * or pass webhooks that repeat what they were told.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { createLogger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { HttpTransport } from '#client/http-transport.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import type { HttpRequest } from '#client/paths.ts';
import { AuditLog } from '#apiserver/audit/audit-log.ts';
import { builtinKinds } from '#kube/kinds/all.ts';
import { ValidatingWebhookConfiguration } from '#kube/kinds/admissionregistration/validating-webhook-configuration.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { ServiceAccount } from '#kube/kinds/core/service-account.ts';
import { typed } from '#kube/kind.ts';
import { StoreUnavailable } from '#store/errors.ts';
import type { LogRow } from '#store/log.ts';
import { MemoryLog } from '#store/memory-log.ts';
import { startHttpsApi } from '#testing/https-api.ts';
import { WebhookServer, type WebhookServerOptions } from '#testing/webhook-server.ts';

const WORD = 'correct-horse-battery-staple';
const ENCODED = Buffer.from(WORD).toString('base64');
const secrets = '/api/v1/namespaces/default/secrets';
const namespace = 'default';

/** A disk that can be full. */
class FullDisk extends MemoryLog {
  isFull = false;

  override async commit(rows: readonly LogRow[], reserve: number): Promise<void> {
    if (this.isFull) throw new StoreUnavailable('the disk is full', { diskFull: true });
    await super.commit(rows, reserve);
  }
}

interface World extends AsyncDisposable {
  readonly log: FullDisk;
  send(request: HttpRequest): Promise<{ status: number; body: string }>;
  hook(name: string, options: WebhookServerOptions, failurePolicy: 'Fail' | 'Ignore'): Promise<void>;
  /** Everything that was written down anywhere. */
  written(): Promise<string>;
}

async function startWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(path.join(tmpdir(), 'logs-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const lines: string[] = [];
  const logger = createLogger({ clock: systemClock, level: 'debug', write: (line) => void lines.push(line) });
  const file = path.join(folder, 'audit.log');
  const audit = stack.use(new AuditLog({ file, clock: systemClock, logger, metrics: new MetricRegistry() }));
  const log = new FullDisk();
  const api = stack.use(await startHttpsApi({ kinds: builtinKinds, logger, log, http: { audit } }));
  await api.client.create(Namespace, typed(Namespace, { metadata: { name: namespace } }));
  await api.client.create(ServiceAccount, typed(ServiceAccount, { metadata: { namespace, name: 'default' } }));
  const transport = stack.use(new HttpTransport({ access: loadKubeconfig(api.kubeconfig), userAgent: 'test' }));
  const owned = stack.move();
  return {
    log,
    send: (request) => transport.send(request),
    async hook(name, options, failurePolicy) {
      const server = owned.use(await WebhookServer.start(options));
      const rules = [{ operations: ['*' as const], apiGroups: [''], apiVersions: ['v1'], resources: ['secrets'] }];
      const webhook = { name: `${name}.example.com`, rules, clientConfig: server.clientConfig() };
      const rest = { failurePolicy, sideEffects: 'None' as const, admissionReviewVersions: ['v1'] };
      const body = { metadata: { name }, webhooks: [{ ...webhook, ...rest }] };
      await api.client.create(ValidatingWebhookConfiguration, typed(ValidatingWebhookConfiguration, body));
    },
    async written() {
      await audit.flush();
      return [...lines, readFileSync(file, 'utf8')].join('\n');
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const secret = (name: string, more: object = {}) => ({ metadata: { name }, data: { password: ENCODED }, ...more });
const patch = (type: string, body: unknown, query = ''): HttpRequest => ({
  method: 'PATCH',
  path: `${secrets}/a${query}`,
  contentType: `application/${type}`,
  body,
});

/** Writes that are taken, and those that are not. */
const REQUESTS: readonly HttpRequest[] = [
  { method: 'POST', path: secrets, body: secret('a') },
  { method: 'POST', path: secrets, body: secret('a') },
  { method: 'POST', path: secrets, body: { metadata: { name: 'b' }, stringData: { password: WORD } } },
  { method: 'POST', path: secrets, body: { metadata: { name: 'Bad Name' }, stringData: { password: WORD } } },
  { method: 'POST', path: secrets, body: { metadata: { name: 'c' }, data: { password: [WORD] } } },
  { method: 'POST', path: secrets, body: { metadata: { name: 'd' }, data: { password: WORD } } },
  { method: 'POST', path: `${secrets}?fieldValidation=Strict`, body: secret('e', { unknown: WORD }) },
  { method: 'PUT', path: `${secrets}/a`, body: secret('a', { type: WORD }) },
  { method: 'PUT', path: `${secrets}/a`, body: { ...secret('a'), metadata: { name: 'a', resourceVersion: '1' } } },
  { method: 'GET', path: `${secrets}/a` },
  patch('merge-patch+json', { data: { more: ENCODED } }),
  patch('merge-patch+json', { data: { more: ENCODED }, unknown: WORD }, '?fieldValidation=Strict'),
  patch('json-patch+json', [{ op: 'test', path: '/data/password', value: WORD }]),
  patch('strategic-merge-patch+json', { data: { other: ENCODED }, metadata: { $patch: WORD } }),
  patch('strategic-merge-patch+json', { data: WORD }),
  patch('apply-patch+yaml', { apiVersion: 'v1', kind: 'Secret', ...secret('a'), stringData: WORD }, '?fieldManager=m'),
  { method: 'DELETE', path: `${secrets}/b` },
];

async function expectNothing(world: World): Promise<string> {
  const text = await world.written();
  for (const word of [WORD, ENCODED]) assert.ok(!text.includes(word), `${word} is in: ${text}`);
  return text;
}

test('writes that are taken and writes that are refused', async () => {
  await using world = await startWorld();
  const answers: { status: number; body: string }[] = [];
  for (const request of REQUESTS) answers.push(await world.send(request));
  assert.ok(answers.some(({ status }) => status === 201) && answers.filter(({ status }) => status >= 400).length > 8);
  assert.ok(
    answers.some(({ status, body }) => status >= 400 && body.includes(WORD)),
    'some refusal repeats the secret',
  );
  assert.match(await expectNothing(world), /"resource":"secrets"/);
});

test('a disk that is full', async () => {
  await using world = await startWorld();
  world.log.isFull = true;
  assert.equal((await world.send({ method: 'POST', path: secrets, body: secret('a') })).status, 503);
  world.log.isFull = false;
  await expectNothing(world);
});

test('webhooks that repeat what they are told', async () => {
  await using world = await startWorld();
  const echo = (data: unknown) => JSON.stringify(data);
  await world.hook(
    'a.echo',
    { raw: (response, { object }) => void response.writeHead(500).end(echo(object)) },
    'Ignore',
  );
  await world.hook('b.echo', { raw: (response, { object }) => void response.end(`x${echo(object)}`) }, 'Ignore');
  await world.hook('c.echo', { answer: ({ object }) => ({ allowed: true, warnings: [echo(object)] }) }, 'Ignore');
  await world.hook(
    'd.echo',
    { answer: ({ object }) => ({ allowed: false, status: { message: echo(object) } }) },
    'Fail',
  );
  const refused = await world.send({ method: 'POST', path: secrets, body: secret('a') });
  assert.ok(refused.body.includes(ENCODED), 'who sent it reads it again');
  const text = await expectNothing(world);
  assert.match(text, /an admission webhook failed and was passed over/);
});

test('tokens: those that are issued, and those that nobody knows', async () => {
  await using world = await startWorld();
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default/token`;
  const issued = await world.send({ method: 'POST', path, body: { spec: { expirationSeconds: 600 } } });
  const { token } = (JSON.parse(issued.body) as { status: { token: string } }).status;
  assert.ok(token.length > 100);
  assert.ok(!(await world.written()).includes(token.slice(0, 60)));
  assert.ok(!(await world.written()).includes(token.slice(-40)));
});
