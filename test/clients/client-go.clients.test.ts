/** Programs on client-go: ours, built twice. Each of its checks is a test. */
import { test } from 'node:test';
import { runProgram, TestPlatform } from '#testing/platform.ts';
import { CLIENT_GO_JSON, CLIENT_GO_PROTOBUF, programOf } from '../../scripts/clients/catalogue.ts';
import { judgeCheck, needsClient } from './clients.ts';

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
/** They need a server that has forgotten its beginning, as every one that was started again. */
const AFTER_A_RESTART = ['watch-from-too-long-ago', 'informers-from-too-long-ago'];

for (const client of [CLIENT_GO_JSON, CLIENT_GO_PROTOBUF]) {
  test(`a program on ${client.name}`, needsClient(client, 'root', 'runc', 'compiler'), async (t) => {
    await using platform = await TestPlatform.start();
    const run = (...checks: readonly string[]) =>
      runProgram(programOf(client), checks, { env: { KUBECONFIG: platform.paths.kubeconfig } });
    const output = await run(...CHECKS);
    for (const check of CHECKS) await t.test(check, () => judgeCheck(check, output));
    await platform.down();
    await platform.up();
    const later = await run(...AFTER_A_RESTART);
    for (const check of AFTER_A_RESTART) await t.test(check, () => judgeCheck(check, later));
  });
}
