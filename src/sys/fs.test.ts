import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import {
  DIRECTORY_FLAGS,
  linkAt,
  makeDirectoryAt,
  openBeneath,
  openInRoot,
  removeFileAt,
  setTimesAt,
  symlinkAt,
} from '#sys/directory.ts';
import { mkfifo, pipeSize, setPipeSize, tryLock } from '#sys/fs.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'pinnace-fs-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (...parts: string[]) => path.join(folder, ...parts);

test('a FIFO opened read-write neither blocks nor breaks, and can be made larger', () => {
  mkfifo(at('fifo'), 0o600);
  assert.ok(lstatSync(at('fifo')).isFIFO());
  const fd = openSync(at('fifo'), constants.O_RDWR | constants.O_NONBLOCK);
  assert.equal(setPipeSize(fd, 1 << 20), 1 << 20);
  assert.equal(pipeSize(fd), 1 << 20);
  closeSync(fd);
  assert.throws(() => mkfifo(at('fifo'), 0o600), { code: 'EEXIST' });
});

test('a lock is held until its last descriptor closes', () => {
  const [first, second] = [openSync(at('lock'), 'w'), openSync(at('lock'), 'w')];
  assert.equal(tryLock(first), true);
  assert.equal(tryLock(second), false);
  assert.equal(tryLock(second, 'shared'), false);
  closeSync(first);
  assert.equal(tryLock(second), true);
  closeSync(second);
  assert.throws(() => tryLock(second), { code: 'EBADF' });
});

const root = at('root');
mkdirSync(path.join(root, 'etc'), { recursive: true });
writeFileSync(path.join(root, 'etc', 'inside'), 'inside');
writeFileSync(at('outside'), 'outside');
symlinkSync('/etc', path.join(root, 'absolute'));
symlinkSync('../../../../../../etc', path.join(root, 'climbing'));
symlinkSync('etc', path.join(root, 'relative'));
const rootFd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
after(() => closeSync(rootFd));

const HOSTILE = [
  ['..', 'EXDEV'],
  ['../outside', 'EXDEV'],
  ['etc/../../outside', 'EXDEV'],
  ['/etc/inside', 'EXDEV'],
  ['absolute/inside', 'ELOOP'],
  ['climbing/inside', 'ELOOP'],
  ['relative/inside', 'ELOOP'],
] as const;

for (const [name, code] of HOSTILE) {
  test(`openBeneath refuses ${name}`, () => {
    assert.throws(() => openBeneath(rootFd, name, { flags: constants.O_RDONLY }), { code, syscall: 'openat2' });
  });
}

for (const name of ['absolute/inside', 'climbing/inside', 'relative/inside', '../../etc/inside', '/etc/inside']) {
  test(`openInRoot stays inside on ${name}`, () => {
    const fd = openInRoot(rootFd, name, { flags: constants.O_RDONLY });
    assert.equal(readFileSync(fd, 'utf8'), 'inside');
    closeSync(fd);
  });
}

test('openInRoot climbs also while others rename', async () => {
  mkdirSync(path.join(folder, 'busy'));
  const busy =
    "const fs = require('node:fs'); for (;;) { fs.renameSync('busy', 'calm'); fs.renameSync('calm', 'busy'); }";
  const renamer = spawn(process.execPath, ['-e', busy], { cwd: folder, stdio: 'ignore', timeout: 30_000 });
  try {
    await once(renamer, 'spawn');
    const endsAt = systemClock.monotonicMs() + 500;
    while (systemClock.monotonicMs() < endsAt) {
      closeSync(openInRoot(rootFd, 'etc/../etc/../etc/../etc/../etc/inside', { flags: constants.O_RDONLY }));
    }
  } finally {
    renamer.kill('SIGKILL');
    await once(renamer, 'exit');
  }
});

test('entries are made and removed relative to a directory, and links are not followed', () => {
  const etc = openBeneath(rootFd, 'etc', { flags: DIRECTORY_FLAGS });
  makeDirectoryAt(etc, 'sub', 0o755);
  symlinkAt('/nowhere', etc, 'dangling');
  setTimesAt(etc, 'dangling', 86_400_000);
  assert.equal(lstatSync(path.join(root, 'etc', 'dangling')).mtimeMs, 86_400_000);
  linkAt({ dirfd: etc, name: 'inside' }, { dirfd: etc, name: 'second' });
  assert.equal(statSync(path.join(root, 'etc', 'second')).nlink, 2);
  const file = openBeneath(etc, 'made', {
    flags: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
    mode: 0o640,
  });
  closeSync(file);
  assert.equal(statSync(path.join(root, 'etc', 'made')).mode & 0o777, 0o640);
  for (const name of ['dangling', 'second', 'made']) removeFileAt(etc, name);
  assert.throws(() => removeFileAt(etc, 'made'), { code: 'ENOENT', path: 'made' });
  closeSync(etc);
});
