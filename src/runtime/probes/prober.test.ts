/** What becomes of single checks: when a container counts as started, ready, and beyond help. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container } from '#kube/kinds/core/container.ts';
import { CheckNotMade } from '#runtime/probes/check.ts';
import { runProbes } from '#runtime/probes/prober.ts';
import { FakeClock } from '#testing/fake-clock.ts';

/** What the command of a probe does, check by check; the last one goes on. */
type Result = 'ok' | 'fails' | 'missing';

const exec = { exec: { command: ['check'] }, periodSeconds: 10, failureThreshold: 2, successThreshold: 1 };

async function watch(probes: Partial<Container>, results: readonly Result[], seconds: number): Promise<string[]> {
  const clock = new FakeClock();
  const said: string[] = [];
  const stop = new AbortController();
  let checks = 0;
  const run = async () => {
    const result = results[Math.min(checks, results.length - 1)];
    checks += 1;
    if (result === 'missing') throw new CheckNotMade('no such command');
    return { code: result === 'ok' ? 0 : 1, output: 'broken' };
  };
  const target = {
    container: { name: 'app', ...probes } as Container,
    address: '127.0.0.1',
    connect: () => Promise.reject(new Error('unused')),
    exec: run,
  };
  const events = {
    onStarted: () => said.push('started'),
    onReady: (isReady: boolean) => said.push(isReady ? 'ready' : 'unready'),
    onUnhealthy: (kind: string) => said.push(`${kind} unhealthy`),
    onTrouble: (kind: string, { outcome }: { outcome: string }) => said.push(`${kind} ${outcome}`),
  };
  const ended = runProbes({ clock, target, events }, stop.signal);
  for (let passed = 0; passed < seconds * 10; passed += 1) await clock.advance(100);
  stop.abort();
  await ended;
  return said;
}

const times = (count: number, text: string) => Array.from({ length: count }, () => text);

test('liveness: failures in a row, and no others, end a container', async () => {
  const results: Result[] = ['fails', 'ok', 'fails', 'fails'];
  assert.deepEqual(await watch({ livenessProbe: exec }, results, 45), [
    'started',
    'ready',
    ...times(3, 'liveness failure'),
    'liveness unhealthy',
  ]);
});

test('liveness: a command that is missing ends nothing, however often', async () => {
  const said = await watch({ livenessProbe: exec }, ['missing'], 65);
  assert.deepEqual(said, ['started', 'ready', ...times(6, 'liveness unknown')]);
});

test('liveness: a check that was not made neither adds to failures nor forgives them', async () => {
  const said = await watch({ livenessProbe: exec }, ['fails', 'missing', 'fails'], 35);
  assert.deepEqual(said.slice(2), ['liveness failure', 'liveness unknown', 'liveness failure', 'liveness unhealthy']);
});

test('startup: a command that is missing keeps the container starting', async () => {
  const said = await watch({ startupProbe: exec }, ['missing', 'missing', 'missing', 'ok'], 45);
  assert.deepEqual(said, [...times(3, 'startup unknown'), 'started', 'ready']);
});

test('readiness: who is ready stays so while checks cannot be made, and goes when they fail', async () => {
  const results: Result[] = ['ok', 'missing', 'missing', 'missing', 'fails', 'fails', 'ok'];
  assert.deepEqual(await watch({ readinessProbe: exec }, results, 65), [
    'started',
    'ready',
    ...times(3, 'readiness unknown'),
    ...times(2, 'readiness failure'),
    'unready',
    'ready',
  ]);
});
