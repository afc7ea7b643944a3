/** ResourceQuotas through the API: what they refuse, one row per rule, and that nobody slips past. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { ResourceQuota } from '#kube/kinds/core/resource-quota.ts';
import { Service } from '#kube/kinds/core/service.ts';
import { typed } from '#kube/kind.ts';
import { StatusError } from '#kube/status.ts';
import { startTestApi, type TestApi } from '#testing/api.ts';

const namespace = 'default';

type Amounts = Record<string, string>;

async function quota(api: TestApi, hard: Amounts, more: object = {}, name = 'q'): Promise<void> {
  const body = { metadata: { namespace, name }, spec: { hard, ...more } };
  await api.client.create(ResourceQuota, typed(ResourceQuota, body));
}

let made = 0;

interface PodShape {
  readonly requests?: Amounts;
  readonly limits?: Amounts;
  readonly spec?: object;
  readonly name?: string;
}

function podOf({ requests, limits, spec = {}, name = `p${(made += 1)}` }: PodShape = {}): Pod {
  const resources = { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) };
  return typed(Pod, {
    metadata: { namespace, name },
    spec: { containers: [{ name: 'app', image: 'x', resources }], ...spec },
  });
}

const createPod = (api: TestApi, shape?: PodShape) => api.client.create(Pod, podOf(shape));

async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    assert.equal(error.status.code, 403);
    return (error.status.message ?? '').replace(/^pods "p\d+" is forbidden: /, '');
  }
}

const cpu = (amount: string) => ({ requests: { cpu: amount } });

interface Row {
  readonly name: string;
  readonly hard: Amounts;
  readonly more?: object;
  readonly before?: readonly PodShape[];
  readonly asks: PodShape;
  readonly answer: string | undefined;
}

const rows: readonly Row[] = [
  { name: 'room for one more', hard: { pods: '2' }, before: [{}], asks: {}, answer: undefined },
  {
    name: 'no room',
    hard: { pods: '1' },
    before: [{}],
    asks: {},
    answer: 'exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
  },
  {
    name: 'only what is over is told, in order',
    hard: { pods: '5', 'requests.memory': '1Gi', 'requests.cpu': '1' },
    before: [{ requests: { cpu: '500m', memory: '512Mi' } }],
    asks: { requests: { cpu: '600m', memory: '768Mi' } },
    answer:
      'exceeded quota: q, requested: requests.cpu=600m,requests.memory=768Mi, used: requests.cpu=500m,requests.memory=512Mi, limited: requests.cpu=1,requests.memory=1Gi',
  },
  {
    name: 'cpu is what is requested',
    hard: { cpu: '1' },
    asks: cpu('1500m'),
    answer: 'exceeded quota: q, requested: cpu=1500m, used: cpu=0, limited: cpu=1',
  },
  { name: 'cpu must be said', hard: { cpu: '1' }, asks: {}, answer: 'failed quota: q: must specify cpu for: app' },
  {
    name: 'limits must be said',
    hard: { 'limits.cpu': '1', 'limits.memory': '1Gi' },
    asks: { limits: { cpu: '1' } },
    answer: 'failed quota: q: must specify limits.memory for: app',
  },
  {
    name: 'by every container',
    hard: { 'requests.cpu': '1' },
    asks: {
      spec: {
        containers: [
          { name: 'b', image: 'x' },
          { name: 'a', image: 'x' },
        ],
      },
    },
    answer: 'failed quota: q: must specify requests.cpu for: a,b',
  },
  {
    name: 'init containers run before the others',
    hard: { 'requests.cpu': '1' },
    asks: { ...cpu('1'), spec: { initContainers: [{ name: 'i', image: 'x', resources: { requests: { cpu: '1' } } }] } },
    answer: undefined,
  },
  {
    name: 'the largest of them counts',
    hard: { 'requests.cpu': '1' },
    asks: {
      ...cpu('1'),
      spec: {
        initContainers: [{ name: 'i', image: 'x', resources: { requests: { cpu: '2' } } }],
        containers: [{ name: 'app', image: 'x', resources: { requests: { cpu: '1' } } }],
      },
    },
    answer: 'exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=0, limited: requests.cpu=1',
  },
  {
    name: 'objects of a kind',
    hard: { 'count/pods': '0' },
    asks: {},
    answer: 'exceeded quota: q, requested: count/pods=1, used: count/pods=0, limited: count/pods=0',
  },
  { name: 'of another kind', hard: { 'count/secrets': '0', services: '0' }, asks: {}, answer: undefined },
  {
    name: 'scope BestEffort, and it is none',
    hard: { pods: '0' },
    more: { scopes: ['BestEffort'] },
    asks: cpu('1'),
    answer: undefined,
  },
  {
    name: 'scope BestEffort, and it is one',
    hard: { pods: '0' },
    more: { scopes: ['BestEffort'] },
    asks: {},
    answer: 'exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
  },
  {
    name: 'scope Terminating',
    hard: { pods: '0' },
    more: { scopes: ['Terminating'] },
    asks: { spec: { activeDeadlineSeconds: 5 } },
    answer: 'exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
  },
  {
    name: 'scope NotTerminating',
    hard: { pods: '0' },
    more: { scopes: ['NotTerminating'] },
    asks: { spec: { activeDeadlineSeconds: 5 } },
    answer: undefined,
  },
  {
    name: 'a priority class that is meant',
    hard: { pods: '0' },
    more: {
      scopeSelector: {
        matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical'] }],
      },
    },
    asks: { spec: { priorityClassName: 'system-node-critical' } },
    answer: 'exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
  },
  {
    name: 'a priority class that is not',
    hard: { pods: '0' },
    more: { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['other'] }] } },
    asks: {},
    answer: undefined,
  },
];
for (const { name, hard, more, before = [], asks, answer } of rows) {
  test(`quota: ${name}`, async () => {
    await using api = await startTestApi();
    await quota(api, hard, more);
    for (const shape of before) await createPod(api, shape);
    assert.equal(await refusal(createPod(api, asks)), answer);
  });
}

test('pods that have ended make room, but not among all objects', async () => {
  await using api = await startTestApi();
  await quota(api, { pods: '1' });
  await quota(api, { 'count/pods': '2' }, {}, 'z');
  await createPod(api, { name: 'done' });
  const ref = { namespace, name: 'done' };
  await api.client.patch(Pod, ref, { type: 'merge', body: { status: { phase: 'Succeeded' } }, subresource: 'status' });
  await createPod(api);
  const answer = 'exceeded quota: z, requested: count/pods=1, used: count/pods=2, limited: count/pods=2';
  assert.equal(await refusal(createPod(api)), 'exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1');
  await api.client.delete(ResourceQuota, { namespace, name: 'q' });
  assert.equal(await refusal(createPod(api)), answer);
  await api.client.delete(Pod, ref);
  assert.equal(await refusal(createPod(api)), undefined);
});

test('a Service uses more when its type changes', async () => {
  await using api = await startTestApi();
  await quota(api, { services: '2', 'services.nodeports': '1' });
  const service = (name: string, type: string) =>
    typed(Service, { metadata: { namespace, name }, spec: { type, ports: [{ port: 80 }] } } as never);
  await api.client.create(Service, service('a', 'NodePort'));
  await api.client.create(Service, service('b', 'ClusterIP'));
  const patch = (type: string) =>
    api.client.patch(Service, { namespace, name: 'b' }, { type: 'merge', body: { spec: { type } } });
  assert.match(
    (await refusal(patch('NodePort'))) ?? '',
    /exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1$/,
  );
  await api.client.patch(
    Service,
    { namespace, name: 'a' },
    { type: 'merge', body: { metadata: { labels: { a: 'b' } } } },
  );
  await api.client.delete(Service, { namespace, name: 'a' });
  assert.equal(await refusal(patch('NodePort')), undefined);
});

test('a dry run is refused as well, and takes no room', async () => {
  await using api = await startTestApi();
  await quota(api, { pods: '1' });
  await api.client.create(Pod, podOf(), { dryRun: true });
  await createPod(api);
  assert.match((await refusal(api.client.create(Pod, podOf(), { dryRun: true }))) ?? '', /^exceeded quota/);
});

test('other namespaces are left alone', async () => {
  await using api = await startTestApi();
  await api.createNamespace('other');
  await quota(api, { configmaps: '0' });
  await api.client.create(ConfigMap, typed(ConfigMap, { metadata: { namespace: 'other', name: 'c' } }));
});

test('of many creations at once exactly as many pass as there is room for', async () => {
  const plans = fc.record({ room: fc.integer({ min: 0, max: 8 }), wanted: fc.integer({ min: 1, max: 20 }) });
  await fc.assert(
    fc.asyncProperty(plans, async ({ room, wanted }) => {
      await using api = await startTestApi();
      await quota(api, { pods: String(room) });
      const answers = await Promise.all(Array.from({ length: wanted }, () => refusal(createPod(api))));
      const passed = answers.filter((answer) => answer === undefined).length;
      assert.equal(passed, Math.min(room, wanted));
      assert.equal((await api.client.list(Pod, { namespace })).items.length, passed);
    }),
    { numRuns: 25 },
  );
});

test('a creation that fails takes no room', async () => {
  await using api = await startTestApi();
  await quota(api, { pods: '2' });
  await createPod(api, { name: 'taken' });
  await assert.rejects(createPod(api, { name: 'taken' }), /already exists/);
  assert.equal(await refusal(createPod(api)), undefined);
});

const refusals: [name: string, spec: object, problem: RegExp][] = [
  [
    'an unknown resource',
    { hard: { things: '1' } },
    /^spec.hard\[things\]: Invalid value: "things": must be a standard resource for quota$/,
  ],
  ['half a pod', { hard: { pods: '500m' } }, /^spec.hard\[pods\]: Invalid value: "500m": must be an integer$/],
  [
    'less than nothing',
    { hard: { cpu: '-1' } },
    /^spec.hard\[cpu\]: Invalid value: "-1": must be greater than or equal to 0$/,
  ],
  [
    'a scope of pods on Services',
    { hard: { services: '1' }, scopes: ['NotBestEffort'] },
    /^spec.scopes: Invalid value: \[\]core.ResourceQuotaScope\{"NotBestEffort"\}: unsupported scope applied to resource$/,
  ],
  ['scopes that exclude each other', { scopes: ['BestEffort', 'NotBestEffort'] }, /conflicting scopes$/],
  [
    'an operator without values',
    { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In' }] } },
    /^spec.scopeSelector.matchExpressions.values: Required value: must be at least one value/,
  ],
];
for (const [name, spec, problem] of refusals) {
  test(`refused: ${name}`, async () => {
    await using api = await startTestApi();
    const body = typed(ResourceQuota, { metadata: { namespace, name: 'q' }, spec });
    await assert.rejects(api.client.create(ResourceQuota, body), (error) => {
      assert.ok(error instanceof StatusError);
      const causes = (error.status.details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
      return causes.some((text) => problem.test(text)) || assert.fail(causes.join('\n'));
    });
  });
}
