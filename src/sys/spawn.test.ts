import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'node:test';
import { closeDescriptor } from '#sys/libc.ts';
import { duplicateFrom, openPipe } from '#sys/pipe.ts';
import { reapOrphans } from '#sys/process.ts';
import { spawnProcess } from '#sys/spawn.ts';
import { eventually } from '#testing/eventually.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const { SIGKILL, SIGTERM } = constants.signals;

/** Runs a shell command and answers how it ended and what it wrote. */
async function shell(command: string, ...args: string[]) {
  using folder = new TemporaryFolder('pinnace-spawn-');
  const file = `${folder.path}/out`;
  const [stdin, stdout] = [openSync('/dev/null', 'r'), openSync(file, 'w')];
  const child = spawnProcess({
    executable: '/bin/sh',
    args: ['-c', command, 'sh', ...args],
    stdio: [stdin, stdout, stdout],
  });
  for (const fd of [stdin, stdout]) closeSync(fd);
  return { ...(await child.exit), output: readFileSync(file, 'utf8') };
}

test('a process gets its arguments, the environment and the working directory, and tells its exit code', async () => {
  const { exitCode, output } = await shell('printf "%s|" "$@" "$PATH" "$PWD"; exit 37', '', 'ä b', '$HOME');
  assert.equal(output, `|ä b|$HOME|${process.env['PATH']}|${process.cwd()}|`);
  assert.equal(exitCode, 37);
});

test('it gets the descriptors that are named, whatever their numbers here, and no other', async () => {
  const pipe = openPipe();
  const other = openSync('/dev/null', 'r');
  const low = duplicateFrom(pipe.writeEnd, 3);
  const command = 'echo one; echo two >&2; echo three >&4; [ -e /proc/$$/fd/$1 ] || echo closed';
  const args = ['-c', command, 'sh', String(pipe.readEnd)];
  const child = spawnProcess({ executable: '/bin/sh', args, stdio: [other, low, low, other, low] });
  for (const fd of [pipe.writeEnd, low]) closeDescriptor(fd);
  assert.deepEqual(await child.exit, { exitCode: 0 });
  const bytes = Buffer.alloc(1024);
  const text = bytes.toString('utf8', 0, readSync(pipe.readEnd, bytes));
  assert.equal(text, 'one\ntwo\nthree\nclosed\n');
  closeDescriptor(pipe.readEnd);
  closeSync(other);
});

test('our own standard streams may change places', async () => {
  const child = spawnProcess({
    executable: '/bin/sh',
    args: [
      '-c',
      '[ "$(readlink /proc/$$/fd/0)" = "$1" ] && [ "$(readlink /proc/$$/fd/1)" = "$2" ]',
      'sh',
      link(1),
      link(0),
    ],
    stdio: [1, 0, 2],
  });
  assert.deepEqual(await child.exit, { exitCode: 0 });
});

test('no signal is ignored or blocked in it', async () => {
  // Node ignores SIGPIPE; a program that inherited that would not end when its reader has gone.
  const { output } = await shell('grep -E "^Sig(Blk|Ign)" /proc/self/status');
  assert.deepEqual(output.match(/[0-9a-f]{16}/g), ['0000000000000000', '0000000000000000']);
});

test('it can be killed, by any signal, until it has ended', async () => {
  for (const signal of [SIGTERM, SIGKILL]) {
    const child = spawnProcess({ executable: '/bin/sleep', args: ['30'], stdio: [] });
    child.kill(signal);
    assert.deepEqual(await child.exit, { signal });
    child.kill(signal);
  }
});

test('who reaps orphans leaves it alone', async () => {
  const child = spawnProcess({ executable: '/bin/sh', args: ['-c', 'exit 5'], stdio: [] });
  let isDone = false;
  const exit = child.exit.finally(() => (isDone = true));
  await eventually(
    () => {
      reapOrphans((orphan) => assert.notEqual(orphan.pid, child.pid));
      return isDone;
    },
    { intervalMs: 0 },
  );
  assert.deepEqual(await exit, { exitCode: 5 });
});

test('what cannot be started says why, at once, and leaves no descriptor open', () => {
  const before = openDescriptors();
  const start = (executable: string, ...args: string[]) => spawnProcess({ executable, args, stdio: [0, 1, 2] });
  assert.throws(() => start('/no/such/program'), { code: 'ENOENT', path: '/no/such/program' });
  assert.throws(() => start('/etc/passwd'), { code: 'EACCES' });
  assert.throws(() => start('/bin/echo', 'a\0b'), { code: 'EINVAL' });
  assert.deepEqual(openDescriptors(), before);
});

function link(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}

function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd');
}
