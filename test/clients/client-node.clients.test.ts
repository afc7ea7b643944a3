/** Programs on `@kubernetes/client-node`: ours. Each of its checks is a test. */
import path from 'node:path';
import { test } from 'node:test';
import { runProgram, TestPlatform } from '#testing/platform.ts';
import { CLIENT_NODE } from '../../scripts/clients/catalogue.ts';
import { judgeCheck, needsClient } from './clients.ts';

const CHECKS = [
  'objects',
  'errors',
  'patches',
  'pages',
  'watch',
  'informer',
  'any-kind',
  'knative-service',
  'logs-exec-and-port-forward',
];

test(CLIENT_NODE.name, needsClient(CLIENT_NODE, 'root', 'runc', 'compiler'), async (t) => {
  await using platform = await TestPlatform.start();
  const script = path.join(CLIENT_NODE.folder, 'main.mjs');
  const env = { KUBECONFIG: platform.paths.kubeconfig };
  const output = await runProgram(process.execPath, [script], { env });
  for (const check of CHECKS) await t.test(check, () => judgeCheck(check, output));
});
