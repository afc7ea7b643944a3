/** Programs on client-go: ours, built twice. Each of its checks is a test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Output, runProgram, TestPlatform } from '#testing/platform.ts';
import { GO_CLIENTS, programOf } from '../../scripts/clients/catalogue.ts';
import { needsClient } from './clients.ts';

const CHECKS = [
  'typed-objects',
  'errors',
  'patches',
  'server-side-apply',
  'retry-on-conflict',
  'dynamic-objects',
  'metadata-only',
  'pages',
  'deployments',
  'events',
  'access-review',
  'discovery',
  'rest-mapper',
  'informers',
  'informers-that-lose-their-connection',
  'dynamic-informers',
  'retry-watcher',
  'bookmarks',
  'leader-election',
  'pod-exec-and-logs',
  'service-account-token',
  'dynamic-knative-service',
  'knative-clientset',
];
/** Needs a server that has forgotten its beginning, as every one that was started again. */
const AFTER_A_RESTART = 'watch-from-too-long-ago';

for (const id of ['client-go-0.31', 'client-go-0.35'] as const) {
  const { name } = GO_CLIENTS[id];
  test(`a program on ${name}`, needsClient(id, 'root', 'runc', 'compiler'), async (t) => {
    await using platform = await TestPlatform.start();
    const run = (...checks: readonly string[]) =>
      runProgram(programOf(GO_CLIENTS[id]), checks, { env: { KUBECONFIG: platform.paths.kubeconfig } });
    const output = await run(...CHECKS);
    for (const check of CHECKS) await t.test(check, () => judge(check, output));
    await t.test(AFTER_A_RESTART, async () => {
      await platform.down();
      await platform.up();
      judge(AFTER_A_RESTART, await run(AFTER_A_RESTART));
    });
  });
}

function judge(check: string, { stdout, stderr }: Output): void {
  const line = stdout.split('\n').find((one) => one === `ok ${check}` || one.startsWith(`failed ${check}:`));
  assert.equal(line ?? stderr, `ok ${check}`);
}
