import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import type { ContainerDriver } from '#runtime/drivers/driver.ts';
import { RuntimeError } from '#runtime/drivers/driver.ts';
import { stopContainer } from '#runtime/pod/stop-container.ts';
import { FakeClock } from '#testing/fake-clock.ts';

test('a signal that the runtime cannot send is sent again, until the container has ended', async () => {
  const clock = new FakeClock();
  const ended = Promise.withResolvers<void>();
  const sent: string[] = [];
  const driver = {
    kill: async (_id: string, signal: string) => {
      sent.push(signal);
      if (sent.length < 4) throw new RuntimeError('kill', 'the machine is out of processes');
      ended.resolve();
    },
  } as unknown as ContainerDriver;
  const request = {
    container: { name: 'app' },
    id: 'one',
    address: '',
    stopSignal: 'TERM',
    deadline: () => Date.UTC(2026, 0, 1) + 1_000,
    ended: ended.promise,
  };
  const stopped = stopContainer({ clock, logger: silentLogger, driver }, request, new AbortController().signal);
  for (let passed = 0; passed < 50; passed += 1) await clock.advance(100);
  await stopped;
  assert.deepEqual(sent, ['TERM', 'KILL', 'KILL', 'KILL']);
});

test('an agent that goes stops trying', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const driver = {
    kill: async () => {
      stop.abort(new Error('the agent goes'));
      throw new RuntimeError('kill', 'no');
    },
  } as unknown as ContainerDriver;
  const never = new Promise<void>(() => {});
  const request = {
    container: { name: 'app' },
    id: 'one',
    address: '',
    stopSignal: 'TERM',
    deadline: () => Date.UTC(2026, 0, 1) + 1_000,
    ended: never,
  };
  await assert.rejects(stopContainer({ clock, logger: silentLogger, driver }, request, stop.signal), /the agent goes/);
});
