import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { closeSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { type PlatformSettings, type PlatformState, statePaths } from '#protocol/platform.ts';
import { CHILD_FDS, LISTENERS, listenerRequests, listenerStates } from '#supervisor/listeners.ts';
import { rotateLogs } from '#supervisor/log-files.ts';
import { findRole, ROLE_FD, ROLES, takeLock, takeLockPatiently } from '#supervisor/roles.ts';
import { readPlatformState, writeJson } from '#supervisor/state-file.ts';
import { bootId, identityOf } from '#sys/proc.ts';
import { FakeClock } from '#testing/fake-clock.ts';

const root = mkdtempSync(path.join(tmpdir(), 'pinnace-files-'));
after(() => rmSync(root, { recursive: true }));
const paths = statePaths(root);
const never = new AbortController().signal;
for (const folder of [paths.run, paths.locks]) mkdirSync(folder);

const state: PlatformState = {
  version: 'test',
  bootId: bootId(),
  processes: [],
  listeners: [{ name: 'http', address: '127.0.0.1', port: 8080, fd: 3, process: 'gateway' }],
};

test('the report is read back, and leaves no partial file', () => {
  assert.equal(readPlatformState(paths), undefined);
  writeJson(paths.platformState, state);
  assert.deepEqual(readPlatformState(paths), state);
  assert.deepEqual(readdirSync(paths.run), ['platform.json']);
});

for (const [name, text] of [
  ['from before a reboot', JSON.stringify({ ...state, bootId: 'another' })],
  ['that a power cut left empty', ''],
] as const) {
  test(`a report ${name} counts as none`, () => {
    writeFileSync(paths.platformState, text);
    assert.equal(readPlatformState(paths), undefined);
  });
}

test('a role is held by whoever has its lock', () => {
  assert.equal(findRole(paths, 'control', undefined), undefined);
  const lock = takeLock(paths, 'control');
  assert.ok(lock !== undefined);
  assert.equal(takeLock(paths, 'control'), undefined);
  const self = identityOf(process.pid)!;
  const reported = { ...state, processes: [{ name: 'control', restarts: 0, since: 0, ...self }] } as const;
  assert.deepEqual(findRole(paths, 'control', reported), self);
  closeSync(lock);
  assert.equal(findRole(paths, 'control', reported), undefined);
});

test('who takes a lock in earnest outlasts who only looked', async () => {
  const clock = new FakeClock();
  const looking = takeLock(paths, 'supervisor');
  const taken = takeLockPatiently(paths, 'supervisor', clock, never);
  closeSync(looking!);
  await clock.advance(5);
  const lock = await taken;
  assert.ok(lock !== undefined);
  const second = takeLockPatiently(paths, 'supervisor', clock, never);
  await clock.advance(1_000);
  assert.equal(await second, undefined);
  closeSync(lock);
});

test('a log past its limit is cut in place, and its writer goes on', () => {
  mkdirSync(paths.log);
  const file = path.join(paths.log, 'control.log');
  const fd = openSync(file, 'a');
  writeSync(fd, 'x'.repeat(100));
  appendFileSync(path.join(paths.log, 'small.log'), 'x');
  rotateLogs(paths.log, 50);
  assert.equal(statSync(`${file}.1`).size, 100);
  writeSync(fd, 'next');
  assert.equal(readFileSync(file, 'utf8'), 'next');
  assert.equal(statSync(path.join(paths.log, 'small.log')).size, 1);
  closeSync(fd);
});

const settings = {
  listenAddress: '127.0.0.1',
  apiPort: 0,
  httpPort: 80,
  httpsPort: 0,
  podCidr: '10.200.16.0/20',
  serviceCidr: '10.200.32.0/20',
  fallbackPorts: { http: [8080, 0] },
} as unknown as PlatformSettings;

test('ports are asked for in the order of the settings; a port left to chance is first last time’s', () => {
  assert.deepEqual(listenerRequests(settings, undefined), {
    api: { address: '127.0.0.1', ports: [0] },
    http: { address: '127.0.0.1', ports: [80, 8080, 0] },
    https: { address: '127.0.0.1', ports: [0] },
    local: { address: '10.200.16.1', ports: [0], freeBind: true },
    cluster: { address: '10.200.32.1', ports: [443, 6443, 0], freeBind: true, isBesideOurs: true },
  });
  assert.deepEqual(listenerRequests(settings, state).http.ports, [80, 8080, 8080, 0]);
  assert.equal(listenerRequests({ ...settings, localAddress: '127.0.0.1' }, undefined).local.address, '127.0.0.1');
  assert.throws(() => listenerRequests({ ...settings, podCidr: 'x' }, undefined), /podCidr is no address range: x/);
});

test('every child has all listeners, each at a descriptor of its own', () => {
  for (const role of ROLES) {
    const fds = [...LISTENERS.map((name) => CHILD_FDS[role][name]), ROLE_FD];
    assert.deepEqual(
      fds.sort((a, b) => a - b),
      [3, 4, 5, 6, 7, 8],
    );
  }
  const served = listenerStates(LISTENERS.map((name) => ({ name, fd: 99, address: '127.0.0.1', port: 1 })));
  assert.deepEqual(
    served.map(({ name, fd, process: server }) => [name, fd, server]),
    [
      ['api', 3, 'control'],
      ['http', 3, 'gateway'],
      ['https', 4, 'gateway'],
      ['local', 5, 'gateway'],
      ['cluster', 8, 'control'],
    ],
  );
});
