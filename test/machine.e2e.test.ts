/** A machine that lacks something: said at once, with a cure, and nothing is left; or a disk that fills up meanwhile. */
import assert from 'node:assert/strict';
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import { mount, unmount } from '#sys/mount.ts';
import { mountsBelow } from '#sys/mounts.ts';
import { eventually } from '#testing/eventually.ts';
import { PINNACE, runProgram, TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';
import { deploy, podsOf } from '#testing/service.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const NOBODY = '65534';
/** With a capability to look into directories, since the clone may be in a home that is closed to others. */
const AS_NOBODY = [
  `--reuid=${NOBODY}`,
  `--regid=${NOBODY}`,
  '--clear-groups',
  '--inh-caps=+dac_read_search',
  '--ambient-caps=+dac_read_search',
  '--',
];
const SECRETIVE_UMASK = 0o077;
const ANYBODY_MAY_READ = 0o005;
const DISK_BYTES = 96 * 1024 * 1024;

test('without root: up says so before it touches anything', needs('root', 'setpriv'), async () => {
  using folder = new TemporaryFolder();
  const command = [PINNACE, 'up', '--state-dir', folder.at('state')];
  const { code, stderr } = await runProgram('setpriv', [...AS_NOBODY, ...command]);
  assert.equal(code, 1);
  assert.match(stderr, /error: root: runs as user 65534\n.*sudo/);
});

/** Runtimes are hidden in a mount namespace of their own. */
function withoutRuntimes(...command: string[]) {
  const hide = 'for f in /usr/sbin/runc /usr/bin/runc /usr/bin/crun; do [ -e $f ] && mount --bind /dev/null $f; done;';
  return runProgram('unshare', ['--mount', 'sh', '-c', `${hide} exec "$@"`, 'sh', ...command]);
}

test('without an OCI runtime: up and doctor name the package', needs('root', 'runc', 'unshare', 'mount'), async () => {
  using folder = new TemporaryFolder();
  const up = await withoutRuntimes(PINNACE, 'up', '--wait', '--state-dir', folder.at('state'));
  assert.equal(up.code, 1);
  assert.match(up.stderr, /error: OCI runtime: neither crun nor runc is installed\n.*apt-get install runc/);
  const doctor = await withoutRuntimes(PINNACE, 'doctor', '--state-dir', folder.at('state'), '-o', 'json');
  assert.equal(doctor.code, 1);
  const { ready, checks } = JSON.parse(doctor.stdout) as { ready: boolean; checks: { name: string; result: string }[] };
  assert.equal(ready, false);
  assert.deepEqual(
    checks.filter(({ result }) => result === 'failed').map(({ name }) => name),
    ['OCI runtime'],
  );
});

test('doctor is content with a machine that has everything', needs('root', 'runc'), async () => {
  using folder = new TemporaryFolder();
  const { code, stdout } = await runProgram(PINNACE, ['doctor', '--state-dir', folder.at('state')]);
  assert.equal(code, 0, stdout);
  for (const name of ['root', 'control groups', 'OCI runtime', 'overlayfs', 'namespaces', 'disk space', 'names']) {
    assert.match(stdout, new RegExp(`ok +${name}`));
  }
});

test(
  'a full disk refuses writes with its cause, disturbs nothing that runs, and heals',
  needs('root', 'runc', 'compiler'),
  async () => {
    using folder = new TemporaryFolder();
    mount({ source: 'tmpfs', target: folder.path, type: 'tmpfs', options: `size=${DISK_BYTES}` });
    try {
      await using platform = await TestPlatform.start({ parent: folder.path, flags: ['--log-level', 'debug'] });
      const url = await deploy(platform, 'steady', { annotations: { 'autoscaling.knative.dev/min-scale': '1' } });
      const filler = folder.at('filler');
      fill(filler);
      const create = (name: string) =>
        platform.client.create(
          ConfigMap,
          typed(ConfigMap, { metadata: { namespace: 'default', name }, data: { text: 'x'.repeat(500_000) } }),
        );
      await assert.rejects(create('refused'), /full|no space/i);
      assert.equal((await platform.get(url)).status, 200, 'what runs, runs');
      assert.equal((await platform.get(new URL('/exit?code=4', url).href)).status, 502);
      await eventually(async () => (await podsOf(platform, 'steady')).some(hasEnded), { what: 'the end is told' });
      const { processes } = await platform.status();
      assert.deepEqual(
        processes.map(({ restarts }) => restarts),
        [0, 0, 0],
      );
      rmSync(filler);
      await eventually(async () => (await platform.get(url)).status === 200, { what: 'what ended is started again' });
      await eventually(() => create('taken'), { what: 'writes are taken again' });
      assert.equal(await platform.client.find(ConfigMap, { namespace: 'default', name: 'refused' }), undefined);
      const next = await deploy(platform, 'another');
      assert.equal((await platform.get(next)).status, 200);
    } finally {
      unmount(folder.path);
    }
  },
);

test("a shell's umask is not that of root filesystems", needs('root', 'runc', 'compiler'), async () => {
  const usual = process.umask(SECRETIVE_UMASK);
  const starting = TestPlatform.start().finally(() => process.umask(usual));
  await using platform = await starting;
  await deploy(platform, 'one', { annotations: { 'autoscaling.knative.dev/min-scale': '1' } });
  const roots = mountsBelow(platform.stateDir).filter(({ type }) => type === 'overlay');
  assert.equal(roots.length, 1);
  for (const { target } of roots) {
    for (const name of ['.', 'etc', 'tmp']) {
      assert.equal(statSync(path.join(target, name)).mode & ANYBODY_MAY_READ, ANYBODY_MAY_READ, name);
    }
  }
});

function hasEnded({ status }: Pod): boolean {
  const [container] = status?.containerStatuses ?? [];
  return (container?.state?.terminated ?? container?.lastState?.terminated)?.exitCode === 4;
}

function fill(file: string): void {
  const { bavail, bsize } = statfsSync(file.replace(/\/[^/]*$/, ''));
  try {
    writeFileSync(file, Buffer.alloc(bavail * bsize));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  }
}
