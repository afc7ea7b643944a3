import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { foreignExitStatus, pidfdExitStatus, pidfdGetfd, pidfdOf, pidfdOpen, watchExit } from '#sys/pidfd.ts';
import { childPids, identityOf, processStat } from '#sys/proc.ts';
import { becomeSubreaper, onChildSignal, type OrphanExit, reapOrphans, setProcessName } from '#sys/process.ts';
import { boundAddress, listenTcp } from '#sys/socket.ts';
import { eventually } from '#testing/eventually.ts';

/** Starts a shell that leaves `command` behind as an orphan, and answers the orphan's pid. */
async function orphan(command: string): Promise<number> {
  // The job writes nowhere that we read, so the shell's own end closes the pipe.
  const shell = spawn('sh', ['-c', `(${command}) >/dev/null 2>&1 & echo $!`], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [[line]] = (await Promise.all([once(shell.stdout, 'data'), once(shell, 'exit')])) as [[Buffer], unknown];
  return Number(line.toString());
}

test('a subreaper gets the exit of each orphaned grandchild and leaves its own children alone', async () => {
  becomeSubreaper();
  const reaped: OrphanExit[] = [];
  using _watch = onChildSignal(() => reapOrphans((exit) => reaped.push(exit)));

  const exiting = await orphan('sleep 0.1; exit 37');
  const killed = await orphan('exec sleep 30');
  const identity = identityOf(killed);
  const child = spawn('sh', ['-c', 'sleep 0.05; exit 5'], { stdio: 'ignore' });
  assert.ok(childPids().includes(killed));
  process.kill(killed, 'SIGKILL');

  assert.deepEqual(await once(child, 'exit'), [5, null]);
  await eventually(() => reaped.filter(({ pid }) => pid === exiting || pid === killed).length === 2);
  assert.equal(reaped.find(({ pid }) => pid === exiting)?.exitCode, 37);
  assert.deepEqual(
    reaped.find(({ pid }) => pid === killed),
    { pid: killed, startTicks: identity?.startTicks, signal: 9 },
  );
  assert.ok(!reaped.some(({ pid }) => pid === child.pid));
  assert.equal(processStat(killed), undefined);
});

test('processes that worker threads start are theirs, however many and however short', async () => {
  const moduleUrl = JSON.stringify(import.meta.resolve('#sys/process.ts'));
  const code = `
    const { parentPort } = require('node:worker_threads');
    const { spawn } = require('node:child_process');
    import(${moduleUrl}).then(async () => {
      let codes = 0;
      for (let round = 0; round < 150; round += 1) {
        const child = spawn('sh', ['-c', 'exit 7'], { stdio: 'ignore' });
        codes += await new Promise((resolve) => child.once('exit', resolve));
      }
      parentPort.postMessage(codes);
    });`;
  const stolen: OrphanExit[] = [];
  let calls = 0;
  const workers = [0, 1].map(() => new Worker(code, { eval: true }));
  const answers = Promise.all(workers.map((worker) => once(worker, 'message')));
  let isDone = false;
  void answers.then(() => (isDone = true));
  await eventually(
    () => {
      reapOrphans((exit) => stolen.push(exit));
      calls += 1;
      return isDone;
    },
    { intervalMs: 0 },
  );
  assert.deepEqual(await answers, [[1_050], [1_050]]);
  assert.deepEqual(stolen, []);
  assert.ok(calls > 50);
});

test('an exit that could not be recorded is there the next time', async () => {
  const pid = await orphan('sleep 0.1; exit 3');
  const seen: OrphanExit[] = [];
  const full = () => reapOrphans(() => assert.fail('no space left'));
  await eventually(() => processStat(pid)?.state === 'Z');
  assert.throws(full, /no space left/);
  assert.throws(full, /no space left/);
  reapOrphans((exit) => seen.push(exit));
  assert.deepEqual(
    seen.map(({ pid, exitCode }) => [pid, exitCode]),
    [[pid, 3]],
  );
  reapOrphans(() => assert.fail('seen twice'));
});

test('the exit code of a process that somebody else waited for is known', async () => {
  // The shell between us is no child of ours but the parent that waits.
  const shell = spawn('sh', ['-c', 'sh -c "sleep 0.2; exit 42" & echo $!; wait; sleep 1'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  const pidfd = pidfdOf(identityOf(Number(line.toString()))!)!;
  assert.equal(pidfdExitStatus(pidfd), undefined);
  const ended = Promise.withResolvers<void>();
  using _watch = watchExit(pidfd, ended.resolve);
  await ended.promise;
  assert.deepEqual(await eventually(() => pidfdExitStatus(pidfd)), { exitCode: 42 });
  closeSync(pidfd);
  shell.kill('SIGKILL');
});

test('the exit code of a process that nobody has waited for yet is known', async () => {
  // The sleep that the shell becomes does not know that it has a child.
  const parent = spawn('sh', ['-c', 'sh -c "sleep 0.1; exit 43" & echo $!; exec sleep 30'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  await eventually(() => processStat(pid)?.state === 'Z');
  const identity = { pid, startTicks: processStat(pid)!.startTicks };
  const pidfd = pidfdOf(identity)!;
  assert.deepEqual(foreignExitStatus(identity, pidfd), { exitCode: 43 });
  parent.kill('SIGKILL');
  closeSync(pidfd);
});

test('a listener is taken from another process by its descriptor', async () => {
  const fd = listenTcp({ address: '127.0.0.1', port: 0 });
  const port = boundAddress(fd)?.port;
  const holder = spawn('sleep', ['30'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  closeSync(fd);
  const pidfd = pidfdOpen(holder.pid!);
  const taken = pidfdGetfd(pidfd, 3);
  assert.equal(boundAddress(taken)?.port, port);
  assert.throws(() => pidfdGetfd(pidfd, 77), { code: 'EBADF', syscall: 'pidfd_getfd' });
  closeSync(taken);
  closeSync(pidfd);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
});

test('a process can take a name', () => {
  setProcessName('pinnace-test');
  assert.equal(processStat(process.pid)?.command, 'pinnace-test');
});
