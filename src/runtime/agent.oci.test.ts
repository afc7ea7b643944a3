/** The node agent with real containers: starts, readiness, failures, restarts, ends. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { typed } from '#kube/kind.ts';
import { readLog } from '#runtime/logs/log-reader.ts';
import { type AgentWorld, startAgentWorld } from '#testing/agent-world.ts';
import { eventually } from '#testing/eventually.ts';
import { needs } from '#testing/requirements.ts';

const real = needs('root', 'runc', 'compiler');

type Container = Pod['spec']['containers'][number];
const PORTS = [{ containerPort: 8080, protocol: 'TCP' as const }];
const app = (more: Partial<Container> = {}): Container => ({ name: 'app', image: 'test/app:1', ports: PORTS, ...more });
const readiness = { readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } };
const env = (values: Record<string, string>) => ({
  env: Object.entries(values).map(([name, value]) => ({ name, value })),
});
const short = { terminationGracePeriodSeconds: 1 };

const isReady = (pod: Pod) => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
const statusOf = (pod: Pod) => pod.status?.containerStatuses?.[0];
const waitingOf = (pod: Pod) => statusOf(pod)?.state?.waiting;

async function get(pod: Pod, path = '/'): Promise<string> {
  const response = await fetch(`http://${pod.status?.podIP ?? ''}:8080${path}`);
  return response.text();
}

async function logsOf(world: AgentWorld, name: string, which: 'current' | 'previous' = 'current'): Promise<string> {
  const container = world.running().agent.runner('default', name)?.container('app');
  const source = which === 'current' ? container?.currentLog : container?.previousLog;
  assert.ok(source);
  const pieces: Buffer[] = [];
  for await (const piece of readLog({ file: source.file }, {}, new AbortController().signal)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test('a pod runs, is ready the moment it listens, answers, and goes without a trace', real, async () => {
  await using world = await startAgentWorld();
  await world.createPod('web', { containers: [app(readiness)], ...short });
  const pod = await world.until('web', isReady, 'web is ready');
  assert.equal(pod.status?.phase, 'Running');
  assert.match(await get(pod), /\S/);
  assert.equal(statusOf(pod)?.restartCount, 0);
  assert.ok(statusOf(pod)?.containerID?.startsWith('pinnace://'));
  const reasons = (await world.events('web'))
    .map((line) => line.split(':')[0])
    .filter((line) => line !== 'Normal Scheduled');
  assert.deepEqual(reasons, ['Normal Pulled', 'Normal Created', 'Normal Started']);
  await world.client.delete(Pod, { namespace: 'default', name: 'web' });
  await world.gone('web');
  assert.ok(!existsSync(`${world.paths.pods}/${pod.metadata.uid}`));
  assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(pod.metadata.uid));
  await assert.rejects(fetch(`http://${pod.status?.podIP ?? ''}:8080/`, { signal: AbortSignal.timeout(500) }));
});

test('an application that crashes is started again, shows why, and keeps its words', real, async () => {
  await using world = await startAgentWorld();
  await world.createPod('bad', {
    containers: [app({ ...env({ MODE: 'crash' }), terminationMessagePolicy: 'FallbackToLogsOnError' })],
    ...short,
  });
  const pod = await world.until('bad', (one) => waitingOf(one)?.reason === 'CrashLoopBackOff', 'it backs off');
  assert.match(waitingOf(pod)?.message ?? '', /^back-off 10s restarting failed container=app pod=bad_default\(/);
  assert.deepEqual(
    [statusOf(pod)?.lastState?.terminated?.exitCode, statusOf(pod)?.lastState?.terminated?.reason],
    [1, 'Error'],
  );
  assert.equal(statusOf(pod)?.lastState?.terminated?.message, 'boom\n');
  assert.equal(statusOf(pod)?.restartCount, 1);
  assert.equal(await logsOf(world, 'bad', 'previous'), 'boom\n');
  assert.ok(
    (await world.events('bad')).some((line) =>
      line.startsWith('Warning BackOff: Back-off restarting failed container app'),
    ),
  );
});

const failures: [name: string, container: Partial<Container>, reason: string, message: RegExp][] = [
  [
    'a command that is not in the image',
    { command: ['/nope'] },
    'StartError',
    /exec: "\/nope": stat \/nope: no such file or directory/,
  ],
  [
    'an image that is not here and may not be pulled',
    { image: 'dev.local/none:1', imagePullPolicy: 'Never' },
    'ErrImageNeverPull',
    /^Container image "dev.local\/none:1" is not present with pull policy of Never$/,
  ],
  ['a registry where nobody answers', { image: '127.0.0.1:9/none:1' }, 'RegistryUnavailable', /127\.0\.0\.1:9/],
  ['a name that is none', { image: 'Not A Name' }, 'InvalidImageName', /./],
  [
    'a Secret that is not there',
    { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'none', key: 'k' } } }] },
    'CreateContainerConfigError',
    /^secret "none" not found$/,
  ],
  [
    'root where it must not be',
    { securityContext: { runAsUser: 0, runAsNonRoot: true } },
    'CreateContainerConfigError',
    /breaks non-root policy/,
  ],
];
for (const [name, container, reason, message] of failures) {
  test(`not started: ${name}`, real, async () => {
    await using world = await startAgentWorld();
    await world.createPod('bad', { containers: [app(container)], ...short });
    const seen = (pod: Pod) => {
      const { state, lastState } = statusOf(pod) ?? {};
      return [state?.waiting, state?.terminated, lastState?.terminated].find((one) => one?.reason === reason);
    };
    const pod = await world.until('bad', seen, `it shows ${reason}`);
    assert.match(seen(pod)?.message ?? '', message);
  });
}

test('events tell how far a start came', real, async () => {
  await using world = await startAgentWorld();
  await world.createPod('bad', { containers: [app({ command: ['/nope'] })], ...short });
  const reasons = await eventually(
    async () => {
      const told = (await world.events('bad')).map((line) => line.split(/[ :]/)[1]);
      return told.includes('Failed') ? told : undefined;
    },
    { what: 'the failure is told' },
  );
  assert.deepEqual(new Set(reasons), new Set(['Pulled', 'Created', 'Failed']));
});

test('what was missing is noticed when it comes', real, async () => {
  await using world = await startAgentWorld();
  await world.createPod('late', {
    containers: [
      app({ ...readiness, env: [{ name: 'TARGET', valueFrom: { secretKeyRef: { name: 'late', key: 'k' } } }] }),
    ],
    ...short,
  });
  await world.until('late', (pod) => waitingOf(pod)?.reason === 'CreateContainerConfigError', 'the secret is missed');
  const data = { k: Buffer.from('Secrets').toString('base64') };
  await world.client.create(Secret, typed(Secret, { metadata: { namespace: 'default', name: 'late' }, data }));
  const pod = await world.until('late', isReady, 'late is ready');
  assert.match(await get(pod, '/env'), /^TARGET=Secrets$/m);
});

test('more memory than allowed ends it, and says so', real, async () => {
  await using world = await startAgentWorld();
  await world.createPod('big', {
    containers: [app({ ...readiness, resources: { limits: { memory: '32Mi' } } })],
    restartPolicy: 'Never',
    ...short,
  });
  const pod = await world.until('big', isReady, 'big is ready');
  await get(pod, '/alloc?mb=200').catch(() => undefined);
  const after = await world.until('big', (one) => statusOf(one)?.state?.terminated, 'it was killed');
  assert.deepEqual(
    [statusOf(after)?.state?.terminated?.reason, statusOf(after)?.state?.terminated?.exitCode],
    ['OOMKilled', 137],
  );
  assert.equal(after.status?.phase, 'Failed');
});

test('an end lets a request finish; whoever ignores it is killed when the grace is over', real, async () => {
  await using world = await startAgentWorld();
  await world.createPod('polite', { containers: [app(readiness)], terminationGracePeriodSeconds: 10 });
  await world.createPod('deaf', { containers: [app({ ...readiness, ...env({ MODE: 'ignoreterm' }) })], ...short });
  const polite = await world.until('polite', isReady, 'polite is ready');
  await world.until('deaf', isReady, 'deaf is ready');
  const slow = get(polite, '/?sleep=700');
  await eventually(async () => (await get(polite, '/healthz')) !== '', {
    what: 'the server answers beside the slow request',
  });
  const begun = performance.now();
  await world.client.delete(Pod, { namespace: 'default', name: 'polite' });
  await world.client.delete(Pod, { namespace: 'default', name: 'deaf' });
  assert.match(await slow, /\S/);
  await world.gone('polite');
  await world.gone('deaf');
  assert.ok(performance.now() - begun > 900, 'the one that ignores SIGTERM had its second');
});

test('a liveness probe that fails restarts the container', real, async () => {
  await using world = await startAgentWorld();
  const livenessProbe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, failureThreshold: 1 };
  await world.createPod('ill', { containers: [app({ livenessProbe, ...env({ MODE: 'unready' }) })], ...short });
  const pod = await world.until('ill', (one) => (statusOf(one)?.restartCount ?? 0) > 0, 'it was restarted');
  assert.equal(pod.status?.phase, 'Running');
  const events = await world.events('ill');
  assert.ok(
    events.includes('Warning Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503'),
    events.join('\n'),
  );
  assert.ok(events.includes('Normal Killing: Container app failed liveness probe, will be restarted'));
});

test(
  'an agent that goes while a container that failed its probe still ends leaves it to the next one',
  real,
  async () => {
    await using world = await startAgentWorld();
    const livenessProbe = { tcpSocket: { port: 9 }, periodSeconds: 1, failureThreshold: 1 };
    const containers = [app({ livenessProbe, ...env({ MODE: 'ignoreterm' }) })];
    const begun = await world.createPod('stubborn', { containers, terminationGracePeriodSeconds: 60 });
    const isKilling = async () => (await world.events('stubborn')).some((event) => event.startsWith('Normal Killing'));
    await eventually(isKilling, { what: 'it is being stopped' });
    await world.restartAgent();
    const pod = await world.pod('stubborn');
    assert.deepEqual([pod.metadata.uid, statusOf(pod)?.restartCount], [begun.metadata.uid, 0]);
    await world.client.delete(Pod, { namespace: 'default', name: 'stubborn' }, { gracePeriodSeconds: 0 });
    await world.gone('stubborn');
  },
);

test('a startup probe holds the others back; one that never passes restarts', real, async () => {
  await using world = await startAgentWorld();
  const startupProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 10 };
  await world.createPod('slow', {
    containers: [app({ startupProbe, ...readiness, ...env({ MODE: 'slowstart', START_DELAY_MS: '1200' }) })],
    ...short,
  });
  const early = await world.until('slow', (one) => statusOf(one)?.state?.running, 'it runs');
  assert.deepEqual([statusOf(early)?.started, statusOf(early)?.ready], [false, false]);
  const pod = await world.until('slow', isReady, 'slow is ready');
  assert.deepEqual([statusOf(pod)?.started, statusOf(pod)?.restartCount], [true, 0]);
});

test('probes by command and by HTTP; one that answers 503 is not ready', real, async () => {
  await using world = await startAgentWorld();
  await world.createPod('exec', {
    containers: [app({ readinessProbe: { exec: { command: ['/app', 'say', 'hi'] } } })],
    ...short,
  });
  await world.createPod('http', {
    containers: [app({ readinessProbe: { httpGet: { path: '/healthz', port: 8080 } } })],
    ...short,
  });
  await world.createPod('unready', {
    containers: [app({ readinessProbe: { httpGet: { port: 8080 } }, ...env({ MODE: 'unready' }) })],
    ...short,
  });
  await world.until('exec', isReady, 'exec is ready');
  await world.until('http', isReady, 'http is ready');
  const pod = await world.until('unready', (one) => statusOf(one)?.state?.running, 'it runs');
  assert.ok(!isReady(pod));
});

test('a Revision’s application that listens on its loopback only is found from inside', real, async () => {
  await using world = await startAgentWorld();
  const metadata = { namespace: 'default', name: 'shy', labels: { 'serving.knative.dev/revision': 'shy' } };
  const { nodeName } = world.running().env.node.name ? { nodeName: world.running().env.node.name } : { nodeName: '' };
  const spec = { nodeName, containers: [app({ ...readiness, ...env({ MODE: 'loopback' }) })], ...short };
  await world.client.create(Pod, typed(Pod, { metadata, spec }));
  const pod = await world.until('shy', isReady, 'shy is ready');
  const netns = pod.metadata.annotations?.['pinnace.dev/loopback-netns'];
  assert.ok(netns && existsSync(netns), 'the namespace to connect from is named');
  const marks = JSON.parse(pod.metadata.annotations?.['pinnace.dev/start-marks'] ?? '{}') as Record<string, number>;
  const order = ['assigned', 'sandboxReady', 'runtimeStarted', 'listening'].map((name) => marks[name] ?? 0);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
});

test(
  'init containers run one after the other, before the rest; several containers share an address',
  real,
  async () => {
    await using world = await startAgentWorld();
    const init = (name: string): Container => ({ name, image: 'test/app:1', args: ['say', name] });
    const second: Container = { name: 'second', image: 'test/app:1', ...env({ PORT: '9090' }) };
    await world.createPod('many', {
      initContainers: [init('one'), init('two')],
      containers: [app(readiness), second],
      ...short,
    });
    const pod = await world.until('many', isReady, 'many is ready');
    assert.deepEqual(
      pod.status?.initContainerStatuses?.map(({ name, ready, state }) => [name, ready, state?.terminated?.exitCode]),
      [
        ['one', true, 0],
        ['two', true, 0],
      ],
    );
    const response = await fetch(`http://${pod.status?.podIP ?? ''}:9090/healthz`);
    assert.equal(response.status, 200);
  },
);

test('pods that end by themselves: succeeded, failed, tried again on failure', real, async () => {
  await using world = await startAgentWorld();
  const run = (args: string[]): Container => ({ name: 'app', image: 'test/app:1', args });
  await world.createPod('good', { containers: [run(['say', 'done'])], restartPolicy: 'Never' });
  await world.createPod('bad', { containers: [run(['fail', '7'])], restartPolicy: 'Never' });
  await world.createPod('again', { containers: [run(['fail', '7'])], restartPolicy: 'OnFailure' });
  const good = await world.until('good', (pod) => pod.status?.phase === 'Succeeded', 'good succeeds');
  assert.equal(good.status?.conditions?.find(({ type }) => type === 'Ready')?.reason, 'PodCompleted');
  const bad = await world.until('bad', (pod) => pod.status?.phase === 'Failed', 'bad fails');
  assert.equal(statusOf(bad)?.state?.terminated?.exitCode, 7);
  await world.until('again', (pod) => (statusOf(pod)?.restartCount ?? 0) > 0, 'again is tried again');
  assert.equal(await logsOf(world, 'good'), 'done\n');
});
