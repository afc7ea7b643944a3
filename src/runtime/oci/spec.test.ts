import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { ALL_CAPABILITIES, capabilitiesOf, DEFAULT_CAPABILITIES } from '#runtime/oci/capabilities.ts';
import { ociResources } from '#runtime/oci/resources.ts';
import type { SeccompProfile } from '#runtime/oci/seccomp.ts';
import { containerSpec, type SpecInput } from '#runtime/oci/spec.ts';
import { pod } from '#testing/objects.ts';

const container = (more: Partial<Container> = {}): Container => ({ name: 'app', image: 'dev.local/app:1', ...more });

function spec(more: Partial<Container> = {}, change: Partial<SpecInput> = {}, podSpec: Partial<Pod['spec']> = {}) {
  const p = pod({ name: 'p' });
  return containerSpec({
    pod: { ...p, spec: { ...p.spec, ...podSpec } },
    container: container(more),
    args: ['/app'],
    env: ['A=1'],
    workingDir: '',
    user: { uid: 65532, gid: 65532, additionalGids: [7] },
    rootfs: '/r',
    hostname: 'p',
    netns: '/n',
    mounts: [],
    cgroupsPath: '/c',
    cgroupVersion: 1,
    arch: 'x64',
    ...change,
  });
}

function refused(profile: SeccompProfile | undefined): readonly string[] {
  return (
    profile?.syscalls
      .filter(({ action, args }) => action === 'SCMP_ACT_ERRNO' && !args)
      .flatMap(({ names }) => names) ?? []
  );
}

test('secure by default', () => {
  const { process, linux, root, hostname, mounts } = spec();
  assert.equal(process['noNewPrivileges'], true);
  assert.equal(process['terminal'], false);
  assert.equal(process['cwd'], '/');
  assert.ok(!('rlimits' in process));
  assert.deepEqual(
    linux.namespaces.map(({ type }) => type),
    ['mount', 'pid', 'ipc', 'uts', 'network'],
  );
  assert.ok(refused(linux.seccomp).includes('mount') && refused(linux.seccomp).includes('userfaultfd'));
  assert.ok(linux.maskedPaths.includes('/proc/kcore') && linux.readonlyPaths.includes('/proc/sys'));
  assert.deepEqual(linux.resources.devices, [{ allow: false, access: 'rwm' }]);
  assert.equal(root.readonly, false);
  assert.equal(hostname, 'p');
  const cgroup = mounts.find(({ destination }) => destination === '/sys/fs/cgroup');
  assert.ok(cgroup?.options.includes('ro'));
});

const rows: [name: string, actual: () => unknown, expected: unknown][] = [
  ['a read-only root', () => spec({ securityContext: { readOnlyRootFilesystem: true } }).root.readonly, true],
  [
    'escalation only when allowed',
    () => spec({ securityContext: { allowPrivilegeEscalation: true } }).process['noNewPrivileges'],
    false,
  ],
  [
    'RuntimeDefault refuses what it does not name',
    () => spec({ securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }).linux.seccomp?.defaultAction,
    'SCMP_ACT_ERRNO',
  ],
  [
    'a RuntimeDefault pod',
    () =>
      spec({}, {}, { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }).linux.seccomp?.defaultAction,
    'SCMP_ACT_ERRNO',
  ],
  [
    'a capability brings the calls that need it, and no other',
    () => {
      const names = refused(spec({ securityContext: { capabilities: { add: ['SYS_TIME'] } } }).linux.seccomp);
      return ['settimeofday', 'mount', 'keyctl'].map((name) => names.includes(name));
    },
    [false, true, true],
  ],
  [
    'an unconfined profile',
    () => spec({ securityContext: { seccompProfile: { type: 'Unconfined' } } }).linux.seccomp,
    undefined,
  ],
  [
    'an unconfined pod',
    () => spec({}, {}, { securityContext: { seccompProfile: { type: 'Unconfined' } } }).linux.seccomp,
    undefined,
  ],
  [
    'host network: no namespace, no sysctl, the host name of the machine',
    () => {
      const { linux, hostname } = spec({}, { netns: undefined }, { hostNetwork: true });
      return [linux.namespaces.map(({ type }) => type), linux.sysctl, hostname];
    },
    [['mount', 'pid', 'ipc'], {}, undefined],
  ],
  [
    'cgroup v2 gets a namespace of its own',
    () => spec({}, { cgroupVersion: 2 }).linux.namespaces.at(-1),
    { type: 'cgroup' },
  ],
  ['low ports without privileges', () => spec().linux.sysctl['net.ipv4.ip_unprivileged_port_start'], '0'],
  [
    'a read-only bind',
    () => spec({}, { mounts: [{ source: '/s', destination: '/d', access: 'read-only' }] }).mounts.at(-1),
    {
      destination: '/d',
      type: 'bind',
      source: '/s',
      options: ['rbind', 'rprivate', 'ro'],
    },
  ],
  [
    'privileged: all devices, nothing masked',
    () => {
      const { linux } = spec({ securityContext: { privileged: true } });
      return [linux.resources.devices[0]?.allow, linux.maskedPaths, linux.seccomp];
    },
    [true, [], undefined],
  ],
];
for (const [name, actual, expected] of rows) test(`spec: ${name}`, () => assert.deepEqual(actual(), expected));

const capabilities: [string, Parameters<typeof capabilitiesOf>, (names: string[]) => boolean][] = [
  ['the default list', [{}, false], (names) => names.length === DEFAULT_CAPABILITIES.length],
  ['drop ALL', [{ drop: ['ALL'] }, false], (names) => names.length === 0],
  [
    'drop ALL, add one back',
    [{ drop: ['ALL'], add: ['NET_BIND_SERVICE'] }, false],
    (names) => names.join() === 'CAP_NET_BIND_SERVICE',
  ],
  [
    'drop one, with or without prefix',
    [{ drop: ['CAP_MKNOD', 'net_raw'] }, false],
    (names) => !names.includes('CAP_MKNOD') && !names.includes('CAP_NET_RAW'),
  ],
  ['add ALL', [{ add: ['ALL'] }, false], (names) => names.length === ALL_CAPABILITIES.length],
  ['privileged', [{ drop: ['ALL'] }, true], (names) => names.length === ALL_CAPABILITIES.length],
];
for (const [name, args, holds] of capabilities)
  test(`capabilities: ${name}`, () => assert.ok(holds(capabilitiesOf(...args))));

const resources: [string, Parameters<typeof ociResources>[0], object][] = [
  ['nothing asked for: the least share', undefined, { cpu: { shares: 2 } }],
  ['a request becomes shares', { requests: { cpu: '500m' } }, { cpu: { shares: 512 } }],
  [
    'a limit becomes a quota, and the request where there is none',
    { limits: { cpu: '2' } },
    { cpu: { shares: 2048, quota: 200_000, period: 100_000 } },
  ],
  [
    'a tiny limit has the least quota',
    { limits: { cpu: '1m' }, requests: { cpu: '1m' } },
    { cpu: { shares: 2, quota: 1_000, period: 100_000 } },
  ],
  [
    'memory without swap',
    { limits: { memory: '64Mi' } },
    { cpu: { shares: 2 }, memory: { limit: 67_108_864, swap: 67_108_864 } },
  ],
];
for (const [name, input, expected] of resources) {
  test(`resources: ${name}`, () => {
    const { devices: _devices, pids: _pids, ...rest } = ociResources(input, false);
    assert.deepEqual(rest, expected);
  });
}
