/** Volumes, users and resources as a container sees them, looked at through /proc/PID/root. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { typed } from '#kube/kind.ts';
import { podPaths } from '#runtime/pod/record.ts';
import { VolumeError } from '#runtime/volumes/volume-error.ts';
import { containerMounts } from '#runtime/volumes/mounts.ts';
import { type AgentWorld, startAgentWorld } from '#testing/agent-world.ts';
import { eventually } from '#testing/eventually.ts';
import { needs } from '#testing/requirements.ts';
import { controllerFolder, detectCgroups } from '#sys/cgroup-layout.ts';

const real = needs('root', 'runc', 'compiler');

type Container = Pod['spec']['containers'][number];
const app = (more: Partial<Container> = {}): Container => ({
  name: 'app',
  image: 'test/app:1',
  ports: [{ containerPort: 8080, protocol: 'TCP' }],
  readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
  ...more,
});
const isReady = (pod: Pod) => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
const short = { terminationGracePeriodSeconds: 1 };

interface Inside {
  read(file: string): string;
  mode(file: string): number;
  readonly status: string;
  readonly id: string;
  readonly uid: string;
  readonly root: string;
}

async function inside(world: AgentWorld, name: string, spec: Pod['spec']): Promise<Inside> {
  await world.createPod(name, { ...short, ...spec });
  const { metadata } = await world.until(name, isReady, `${name} is ready`);
  const life = world.running().agent.runner('default', name)?.state.containers['app']?.life;
  assert.ok(life?.type === 'running');
  const root = `/proc/${life.pid}/root`;
  return {
    read: (file) => readFileSync(`${root}${file}`, 'utf8'),
    mode: (file) => statSync(`${root}${file}`).mode & 0o7777,
    status: readFileSync(`/proc/${life.pid}/status`, 'utf8'),
    id: life.id,
    uid: metadata.uid,
    root,
  };
}

test('ConfigMaps, Secrets and facts about the pod as files; changes show, all at once', real, async () => {
  await using world = await startAgentWorld();
  const { client } = world;
  await client.create(
    ConfigMap,
    typed(ConfigMap, { metadata: { namespace: 'default', name: 'cm' }, data: { a: '1', b: '2' } }),
  );
  const token = Buffer.from('t0ken').toString('base64');
  await client.create(Secret, typed(Secret, { metadata: { namespace: 'default', name: 'sec' }, data: { token } }));
  const it = await inside(world, 'files', {
    containers: [
      app({
        volumeMounts: [
          { name: 'cm', mountPath: '/cm' },
          { name: 'sec', mountPath: '/sec' },
          { name: 'all', mountPath: '/all' },
          { name: 'cm', mountPath: '/one', subPath: 'a' },
        ],
      }),
    ],
    volumes: [
      { name: 'cm', configMap: { name: 'cm' } },
      { name: 'sec', secret: { secretName: 'sec', defaultMode: 0o400, items: [{ key: 'token', path: 'deep/token' }] } },
      {
        name: 'all',
        projected: {
          sources: [
            { configMap: { name: 'cm', items: [{ key: 'b', path: 'bee' }] } },
            {
              downwardAPI: {
                items: [{ path: 'labels', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.labels' } }],
              },
            },
          ],
        },
      },
    ],
  });
  assert.deepEqual([it.read('/cm/a'), it.read('/cm/b'), it.read('/one')], ['1', '2', '1']);
  assert.deepEqual([it.read('/sec/deep/token'), it.mode('/sec/deep/token')], ['t0ken', 0o400]);
  assert.deepEqual([it.read('/all/bee'), it.read('/all/labels')], ['2', 'app="files"']);
  await client.modify(ConfigMap, { namespace: 'default', name: 'cm' }, (cm) => ({ ...cm, data: { a: 'new', c: '3' } }));
  await world.running().agent.runner('default', 'files')?.refreshVolumes();
  await eventually(() => it.read('/cm/a') === 'new' && it.read('/cm/c') === '3', { what: 'the change shows' });
  assert.throws(() => it.read('/cm/b'));
  assert.equal(it.read('/one'), '1', 'a sub-path stays what it was, as in Kubernetes');
});

test('an empty directory is shared by the containers of a pod, with sub-paths that cannot lead out', real, async () => {
  await using world = await startAgentWorld();
  const mount = { name: 'data', mountPath: '/data' };
  const it = await inside(world, 'shared', {
    containers: [
      app({
        volumeMounts: [
          mount,
          { name: 'memory', mountPath: '/memory' },
          { name: 'data', mountPath: '/sub', subPath: 'x/y' },
        ],
      }),
    ],
    volumes: [
      { name: 'data', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    ],
  });
  assert.equal(it.mode('/data'), 0o777);
  assert.ok(it.mode('/data/x/y') > 0);
  assert.match(readFileSync(`/proc/self/mountinfo`, 'utf8'), /volumes\/memory .* tmpfs/);
  const planted = mkdtempSync(path.join(tmpdir(), 'pinnace-volume-'));
  symlinkSync('/etc', path.join(planted, 'link'));
  const escape = (subPath: string) =>
    containerMounts({
      container: app({ volumeMounts: [{ ...mount, subPath }] }),
      volumes: new Map([['data', planted]]),
      readOnlyVolumes: new Set(),
      subPathRoot: path.join(planted, '.subpaths'),
      env: new Map(),
    });
  try {
    for (const subPath of ['link', 'link/passwd', '../../etc', '/etc'])
      assert.throws(() => escape(subPath), VolumeError, subPath);
  } finally {
    rmSync(planted, { recursive: true, force: true });
  }
});

test('users, groups and privileges are those that were asked for', real, async () => {
  await using world = await startAgentWorld();
  const image = await inside(world, 'image', { containers: [app()] });
  assert.match(image.status, /^Uid:\t65532\t/m);
  assert.match(image.status, /^NoNewPrivs:\t1$/m);
  assert.match(image.status, /^Seccomp:\t2$/m);
  const own = await inside(world, 'own', {
    securityContext: { fsGroup: 3000, supplementalGroups: [4000] },
    containers: [
      app({
        securityContext: {
          runAsUser: 1000,
          runAsGroup: 2000,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      }),
    ],
    volumes: [{ name: 'data', emptyDir: {} }],
  });
  assert.match(own.status, /^Uid:\t1000\t/m);
  assert.match(own.status, /^Gid:\t2000\t/m);
  assert.match(own.status, /^Groups:\t(?=.*\b3000\b)(?=.*\b4000\b)/m);
  assert.match(own.status, /^CapBnd:\t0{16}$/m);
  assert.equal(own.mode('/data'), 0o2777);
});

test('the runtime contract: files, devices, limits', real, async () => {
  await using world = await startAgentWorld();
  const limits = { cpu: '500m', memory: '64Mi' };
  const it = await inside(world, 'contract', { hostname: 'renamed', containers: [app({ resources: { limits } })] });
  assert.equal(it.read('/etc/hostname'), 'renamed\n');
  assert.match(it.read('/etc/hosts'), /^10\.\S+\trenamed$/m);
  assert.match(it.read('/etc/resolv.conf'), /^search default\.svc\.cluster\.local /m);
  assert.equal(it.mode('/etc/resolv.conf'), 0o644);
  // What a container adds is its own, on disk with the rest that it writes.
  appendFileSync(`${it.root}/etc/hosts`, '10.0.0.1 added\n');
  assert.match(it.read('/etc/hosts'), /^10\.0\.0\.1 added$/m);
  const { upper, etcLayer } = podPaths(world.paths, it.uid).container('app');
  assert.match(readFileSync(path.join(upper, 'etc/hosts'), 'utf8'), /added/);
  assert.doesNotMatch(readFileSync(path.join(etcLayer, 'etc/hosts'), 'utf8'), /added/);
  assert.equal(it.mode('/tmp'), 0o1777);
  for (const device of ['full', 'null', 'random', 'tty', 'urandom', 'zero'])
    assert.ok(it.mode(`/dev/${device}`) >= 0, device);
  assert.throws(() => it.mode('/dev/console'));
  const layout = detectCgroups();
  assert.ok(layout);
  const pod = await world.pod('contract');
  const group = `/${world.running().env.cgroup}/pod${pod.metadata.uid}/${it.id}`;
  const limit = layout.version === 'v2' ? 'memory.max' : 'memory.limit_in_bytes';
  assert.equal(
    readFileSync(`${controllerFolder(layout, 'memory', group)}/${limit}`, 'utf8').trim(),
    String(64 * 1024 * 1024),
  );
});
