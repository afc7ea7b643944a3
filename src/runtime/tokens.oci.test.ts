/** The token of its service account as a container sees it, looked at through /proc/PID/root. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Pod } from '#kube/kinds/core/pod.ts';
import { type AgentWorld, startAgentWorld } from '#testing/agent-world.ts';
import { needs } from '#testing/requirements.ts';

const real = needs('root', 'runc', 'compiler');

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
const app = {
  name: 'app',
  image: 'test/app:1',
  ports: [{ containerPort: 8080, protocol: 'TCP' as const }],
  readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
};
const spec = { containers: [app], terminationGracePeriodSeconds: 1 };
const isReady = (pod: Pod) => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');

/** Starts the pod; answers where its container's root is. */
async function start(world: AgentWorld, name: string, more: Partial<Pod['spec']> = {}): Promise<string> {
  await world.createPod(name, { ...spec, ...more });
  await world.until(name, isReady, `${name} is ready`);
  return rootOf(world, name);
}

function rootOf(world: AgentWorld, name: string): string {
  const life = world.running().agent.runner('default', name)?.state.containers['app']?.life;
  assert(life?.type === 'running');
  return `/proc/${life.pid}/root`;
}

const ownership = (file: string) => {
  const { mode, uid, gid } = statSync(file);
  return [(mode & 0o7777).toString(8), uid, gid];
};

describe('a pod with the token of its account', real, () => {
  test('shows token, authority and namespace; the token is of this pod, and ends with it', async () => {
    await using world = await startAgentWorld({ podTokens: 'projected' });
    const root = await start(world, 'web');
    const at = (name: string) => `${root}${FOLDER}/${name}`;
    assert.equal(readFileSync(at('namespace'), 'utf8'), 'default');
    assert.equal(readFileSync(at('ca.crt'), 'utf8'), 'CA');
    const token = readFileSync(at('token'), 'utf8');
    const { metadata } = await world.pod('web');
    const { user } = world.tokens.authenticate(token);
    assert.equal(user?.name, 'system:serviceaccount:default:default');
    assert.deepEqual(user.extra?.['authentication.kubernetes.io/pod-uid'], [metadata.uid]);
    assert.deepEqual(ownership(at('token')), ['644', 0, 0]);
    assert.throws(() => readFileSync(at('token'), { flag: 'r+' }), { code: 'EROFS' });
    assert.match(
      readFileSync(`${root}/etc/hosts`, 'utf8'),
      /\tkubernetes\tkubernetes\.default\tkubernetes\.default\.svc\tkubernetes\.default\.svc\.cluster\.local\n/,
    );
    await world.client.delete(Pod, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 });
    assert.equal(world.tokens.authenticate(token).user, undefined);
  });

  test('is nowhere on disk: neither the token nor the place that it is mounted on', async () => {
    await using world = await startAgentWorld({ podTokens: 'projected' });
    const root = await start(world, 'web');
    const token = readFileSync(`${root}${FOLDER}/token`, 'utf8');
    const { metadata } = await world.pod('web');
    const files = globSync('**/*', { cwd: `${world.paths.pods}/${metadata.uid}`, withFileTypes: true });
    assert(files.length > 0);
    assert.deepEqual(
      files.filter(({ name }) => name === 'serviceaccount' || name === 'token').map(({ name }) => name),
      [],
    );
    const texts = files
      .filter((one) => one.isFile())
      .map((one) => readFileSync(`${one.parentPath}/${one.name}`, 'utf8'));
    assert(!texts.some((text) => text.includes(token)));
  });

  test('gets a new token without being started anew, also from the next agent', async () => {
    await using world = await startAgentWorld({ podTokens: 'projected' });
    const root = await start(world, 'web');
    const read = () => readFileSync(`${root}${FOLDER}/token`, 'utf8');
    const first = read();
    await world.running().agent.runner('default', 'web')?.refreshVolumes();
    assert.equal(read(), first);
    await world.restartAgent();
    await world.running().agent.runner('default', 'web')?.refreshVolumes();
    assert.equal(rootOf(world, 'web'), root);
    assert.notEqual(read(), first);
    assert(world.tokens.authenticate(read()).user);
  });

  test('is read by its group, or by its user, alone', async () => {
    await using world = await startAgentWorld({ podTokens: 'projected' });
    const ofGroup = await start(world, 'group', { securityContext: { fsGroup: 4711 } });
    assert.deepEqual(ownership(`${ofGroup}${FOLDER}/token`), ['640', 0, 4711]);
    const ofUser = await start(world, 'user', { securityContext: { runAsUser: 815 } });
    assert.deepEqual(ownership(`${ofUser}${FOLDER}/token`), ['600', 815, 0]);
    assert.deepEqual(ownership(`${ofUser}${FOLDER}/ca.crt`), ['644', 0, 0]);
  });

  test('has none where it is not wanted', async () => {
    await using world = await startAgentWorld({ podTokens: 'projected' });
    const root = await start(world, 'web', { automountServiceAccountToken: false });
    assert.equal(existsSync(`${root}${FOLDER}`), false);
  });
});
