/** How the agent learns what became of a process: by the record that its parent writes. */
import assert from 'node:assert/strict';
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ExitRecord } from '#protocol/platform.ts';
import { type Exit, ExitWatcher, UNSEEN_START } from '#runtime/pod/exits.ts';
import { eventually } from '#testing/eventually.ts';
import { FakeClock } from '#testing/fake-clock.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

/** No process has such a number. */
const PID = 2 ** 22 + 1;

function world() {
  const folder = new TemporaryFolder();
  const clock = new FakeClock();
  const watcher = new ExitWatcher(folder.at('exits'), clock);
  const write = (startTicks: number, exitCode: number, pid = PID) => {
    const record: ExitRecord = { pid, startTicks, exitCode, at: 7 };
    writeFileSync(folder.at('half'), JSON.stringify(record));
    renameSync(folder.at('half'), folder.at('exits', `${pid}-${startTicks}`));
  };
  const seen: Exit[] = [];
  const waitFor = (startTicks: number) => watcher.waitFor({ pid: PID, startTicks }, (exit) => void seen.push(exit));
  const dispose = () => {
    watcher[Symbol.dispose]();
    folder[Symbol.dispose]();
  };
  return { clock, folder, watcher, write, waitFor, seen, [Symbol.dispose]: dispose };
}

test('a record that was there before', () => {
  using it = world();
  it.write(500, 3);
  it.waitFor(500);
  assert.deepEqual(it.seen, [{ exitCode: 3, signal: undefined, at: 7 }]);
});

test('a record that comes', async () => {
  using it = world();
  it.waitFor(500);
  it.write(500, 3);
  await eventually(() => it.seen.length === 1);
  assert.equal(it.seen[0]?.exitCode, 3);
});

test('a process that was gone before its start time could be read: the newest record of its pid', () => {
  using it = world();
  it.write(400, 1);
  it.write(1_000, 3);
  it.write(2_000, 4, PID + 1);
  it.waitFor(UNSEEN_START);
  assert.deepEqual(
    it.seen.map(({ exitCode }) => exitCode),
    [3],
  );
});

test('a record stays until what it says is dealt with: a death in between loses no exit', async () => {
  using it = world();
  it.write(500, 3);
  const dealtWith = Promise.withResolvers<void>();
  it.watcher.waitFor({ pid: PID, startTicks: 500 }, () => dealtWith.promise);
  it.watcher.sweep();
  using next = new ExitWatcher(it.folder.at('exits'), it.clock);
  const seen: Exit[] = [];
  next.waitFor({ pid: PID, startTicks: 500 }, (exit) => void seen.push(exit));
  assert.equal(seen[0]?.exitCode, 3);
  dealtWith.resolve();
  await eventually(() => readdirSync(it.folder.at('exits')).length === 0);
});

test('the record of an earlier process with the same pid is not ours', async () => {
  using it = world();
  it.write(400, 1);
  it.waitFor(500);
  assert.deepEqual(it.seen, []);
  await it.clock.advance(1_000);
  assert.deepEqual(
    it.seen.map(({ exitCode }) => exitCode),
    [undefined],
    'gone without a record: nobody knows',
  );
});
