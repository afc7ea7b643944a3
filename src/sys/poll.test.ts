import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { hasExited, pidfdOf, pidfdOpen, pidfdSendSignal, signalProcess, watchExit } from '#sys/pidfd.ts';
import { identityOf, isRunning, processStat } from '#sys/proc.ts';
import { eventually } from '#testing/eventually.ts';

test('the exit of a process is announced at once, and promises made then go on', async () => {
  const child = spawn('sleep', ['30'], { stdio: 'ignore' });
  const pidfd = pidfdOpen(child.pid!);
  const announced = Promise.withResolvers<string>();
  using _watch = watchExit(pidfd, () => void Promise.resolve('ended').then(announced.resolve));
  assert.equal(hasExited(pidfd), false);
  const before = systemClock.monotonicMs();
  child.kill('SIGKILL');
  assert.equal(await announced.promise, 'ended');
  assert.ok(systemClock.monotonicMs() - before < 1_000);
  assert.equal(hasExited(pidfd), true);
  closeSync(pidfd);
});

test('a disposed watch stays silent, also when the event is there already', async () => {
  const child = spawn('true', { stdio: 'ignore' });
  const pidfd = pidfdOpen(child.pid!);
  const heard: string[] = [];
  const watch = watchExit(pidfd, () => heard.push('disposed'));
  const other = Promise.withResolvers<void>();
  // Another descriptor of the same process: a loop watches a descriptor once.
  const second = pidfdOpen(child.pid!);
  using _other = watchExit(second, other.resolve);
  // Without giving the event loop a turn, so that the event is pending and not yet told.
  while (!hasExited(pidfd));
  watch[Symbol.dispose]();
  watch[Symbol.dispose]();
  await other.promise;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(heard, []);
  closeSync(pidfd);
});

test('many watches at once are each told once and leave no descriptor behind', async () => {
  const children = Array.from({ length: 20 }, () => spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] }));
  const told = new Map<number, number>();
  const watches = children.map(({ pid }) => {
    const pidfd = pidfdOpen(pid!);
    const watch = watchExit(pidfd, () => told.set(pid!, (told.get(pid!) ?? 0) + 1));
    return { pidfd, watch };
  });
  for (const child of children) child.stdin.end();
  await eventually(() => told.size === children.length);
  assert.deepEqual(new Set(told.values()), new Set([1]));
  for (const { pidfd, watch } of watches) {
    watch[Symbol.dispose]();
    closeSync(pidfd);
  }
});

test('an identity is a pid with its start time', async () => {
  const child = spawn('sleep', ['30'], { stdio: 'ignore' });
  const identity = identityOf(child.pid!)!;
  const other = { ...identity, startTicks: identity.startTicks - 1 };
  assert.equal(isRunning(identity), true);
  assert.equal(isRunning(other), false);
  assert.equal(pidfdOf(other), undefined);
  assert.equal(signalProcess(other, 9), false);
  assert.equal(processStat(child.pid!)?.parent, process.pid);

  const pidfd = pidfdOf(identity)!;
  assert.equal(signalProcess(identity, 9), true);
  await once(child, 'exit');
  assert.equal(child.signalCode, 'SIGKILL');
  assert.equal(isRunning(identity), false);
  assert.equal(pidfdSendSignal(pidfd, 9), false);
  assert.equal(signalProcess(identity, 9), false);
  closeSync(pidfd);
});
