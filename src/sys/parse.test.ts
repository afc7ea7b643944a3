import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupFolders, controllerFolder, detectCgroups } from '#sys/cgroup-layout.ts';
import { SystemError, hasCode } from '#sys/errors.ts';
import { encodeDevice } from '#sys/fs.ts';
import { overlayOptions } from '#sys/mount.ts';
import { mountsBelow, parseMountInfo } from '#sys/mounts.ts';
import { listeningInodes } from '#sys/owner.ts';
import { parsePids, parseProcessStat } from '#sys/proc.ts';
import { parseWaitStatus } from '#sys/process.ts';
import { decodeSocketAddress, encodeSocketAddress } from '#sys/sockaddr.ts';

// Field 3 on; 22 is the start time, 52 how it ended.
const STAT_TAIL = `S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 11 0 987654 ${'1 '.repeat(29)}10752`;

const STATS = [
  ['a plain command', `42 (node) ${STAT_TAIL}`, 'node'],
  ['a command with spaces and parentheses', `42 (a) R 9 (b) ${STAT_TAIL}`, 'a) R 9 (b'],
] as const;

for (const [name, text, command] of STATS) {
  test(`a process line with ${name} is read`, () => {
    assert.deepEqual(parseProcessStat(text), {
      pid: 42,
      command,
      state: 'S',
      parent: 1,
      startTicks: 987_654,
      waitStatus: 10_752,
    });
  });
}

for (const text of ['', 'x (y) S 1', '42 node S 1']) {
  test(`${JSON.stringify(text)} is no process line`, () => assert.equal(parseProcessStat(text), undefined));
}

test('lists of pids may be empty or end with a space', () => {
  assert.deepEqual(parsePids('12 345 \n'), [12, 345]);
  assert.deepEqual(parsePids(''), []);
  assert.deepEqual(parsePids(undefined), []);
});

const WAIT_STATUSES = [
  ['exit 0', 0x0000, { exitCode: 0 }],
  ['exit 255', 0xff00, { exitCode: 255 }],
  ['killed', 0x0009, { signal: 9 }],
  ['a core dump', 0x008b, { signal: 11 }],
  ['stopped, which is no end', 0x137f, undefined],
] as const;

for (const [name, status, expected] of WAIT_STATUSES) {
  test(`wait status: ${name}`, () => assert.deepEqual(parseWaitStatus(status), expected));
}

test('mounts are read with escapes and optional fields', () => {
  const text = [
    '36 35 98:0 / /mnt/with\\040space rw,noatime master:1 shared:2 - ext4 /dev/sda1 rw,errors=continue',
    '37 35 0:4 net:[4026532000] /run/netns/a rw shared:5 - nsfs nsfs rw',
    '',
  ].join('\n');
  const [first, second] = parseMountInfo(text);
  assert.equal(first?.target, '/mnt/with space');
  assert.deepEqual(first?.superOptions, ['rw', 'errors=continue']);
  assert.equal(second?.root, 'net:[4026532000]');
  assert.equal(second?.type, 'nsfs');
});

test('mounts below a folder include it and no namesake', () => {
  const mounts = ['/a', '/a/b', '/ab', '/a/b/c'].map((target) => `1 2 0:1 / ${target} rw - tmpfs x rw`).join('\n');
  const below = mountsBelow('/a', parseMountInfo(mounts));
  assert.deepEqual(
    below.map(({ target }) => target),
    ['/a', '/a/b', '/a/b/c'],
  );
});

const cgroup1 = (name: string) => `1 2 0:1 / /sys/fs/cgroup/${name} rw - cgroup cgroup rw,${name}`;
const CGROUPS = [
  ['v2', ['1 2 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'], 'v2'],
  ['v1', [cgroup1('memory'), cgroup1('cpu,cpuacct'), cgroup1('xattr,name=systemd')], 'v1'],
  ['hybrid', [cgroup1('memory'), '1 2 0:1 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw'], 'hybrid'],
  ['none', ['1 2 0:1 / / rw - ext4 /dev/sda rw'], undefined],
] as const;

for (const [name, lines, version] of CGROUPS) {
  test(`control groups: ${name}`, () => {
    assert.equal(detectCgroups(parseMountInfo(lines.join('\n')))?.version, version);
  });
}

test('a group has one folder per tree', () => {
  const lines = [cgroup1('memory'), cgroup1('cpu,cpuacct'), cgroup1('xattr,name=systemd')].join('\n');
  const layout = detectCgroups(parseMountInfo(lines));
  assert.ok(layout);
  assert.deepEqual(cgroupFolders(layout, '/p/x'), [
    '/sys/fs/cgroup/memory/p/x',
    '/sys/fs/cgroup/cpu,cpuacct/p/x',
    '/sys/fs/cgroup/xattr,name=systemd/p/x',
  ]);
  assert.equal(controllerFolder(layout, 'cpuacct', 'p'), '/sys/fs/cgroup/cpu,cpuacct/p');
  assert.equal(controllerFolder(layout, 'freezer', 'p'), undefined);
});

test('overlay options escape what would end a path', () => {
  const options = overlayOptions({ target: '/t', lower: ['/a:b', String.raw`/c\d`], upper: '/u,1', work: '/w' });
  assert.equal(options, String.raw`lowerdir=/a\:b:/c\\d,upperdir=/u\,1,workdir=/w`);
});

test('socket addresses go both ways', () => {
  for (const address of [
    { address: '10.1.2.3', port: 8080 },
    { address: '2001:db8::1', port: 65_535 },
  ]) {
    assert.deepEqual(decodeSocketAddress(encodeSocketAddress(address)), address);
  }
  assert.throws(() => encodeSocketAddress({ address: 'localhost', port: 1 }), /not an IP address: localhost/);
  assert.equal(decodeSocketAddress(Buffer.alloc(128)), undefined);
});

test('listening sockets of a port are found, connections to it are not', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0',
    '   1: 0100007F:1F90 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0',
    '   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0',
  ].join('\n');
  assert.deepEqual(listeningInodes(table, 8080), ['111']);
});

test('device numbers have the kernel’s form', () => {
  assert.equal(encodeDevice({ major: 1, minor: 3 }), 0x103);
  assert.equal(encodeDevice({ major: 259, minor: 0x12345 }), 0x12310345);
});

test('a system error says what was attempted, and has the code that Node would give', () => {
  const error = new SystemError(2, 'mount', '/x');
  assert.equal(error.message, "ENOENT: no such file or directory, mount '/x'");
  assert.ok(hasCode(error, 'EPERM', 'ENOENT'));
  assert.ok(!hasCode(new Error('plain'), 'ENOENT'));
  assert.equal(new SystemError(9_999, 'x').code, 'E9999');
});
