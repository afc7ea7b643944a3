/**
 * What kubectl 1.32 was seen to print with a real cluster, compared with what it prints with our server.
 * `kubectl-left-out.json` says what our server is not held to, and why; what is as
 * recorded all the same fails.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { typed } from '#kube/kind.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { startControlPlane } from '#testing/control-plane.ts';
import { Connection } from '#testing/http-replay/connection.ts';
import { leftOut, testOptions, wholeCase } from '#testing/http-replay/left-out.ts';
import { kubectlCases } from '#testing/kubectl-replay/case.ts';
import { type Cluster, replayKubectl } from '#testing/kubectl-replay/replay.ts';
import type { HttpsApi } from '#testing/https-api.ts';
import { playKubelet } from '#testing/play-kubelet.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

/** Each is a program that is mostly busy starting. */
const PARALLEL_CASES = 3;

/** How often the node looks at its pods. */
const NODE_PERIOD_MS = 100;

const cases = kubectlCases();
const exceptions = leftOut('kubectl');

describe('recorded commands of kubectl', { concurrency: PARALLEL_CASES, ...needs('kubectl 1.32 or later') }, () => {
  const stack = new AsyncDisposableStack();
  let cluster: Cluster | undefined;

  before(async () => {
    const { api } = stack.use(await startControlPlane());
    await startNode(api, stack);
    const connection = stack.use(new Connection(loadKubeconfig(api.kubeconfig)));
    const cache = stack.use(new TemporaryFolder('kubectl-cache-'));
    cluster = { connection, kubeconfig: api.kubeconfig, cacheFolder: cache.path };
  });
  after(() => stack.disposeAsync());

  for (const recorded of cases) {
    const options = testOptions(wholeCase(exceptions, recorded.name));
    test(`${recorded.name}: ${recorded.why}`, options, async () => {
      assert(cluster);
      const found = await replayKubectl(cluster, recorded, exceptions);
      assert.equal(found.join('\n'), '');
    });
  }
});

/** A node that plays that pods run. */
async function startNode({ client }: HttpsApi, stack: AsyncDisposableStack): Promise<void> {
  const conditions = [{ type: 'Ready', status: 'True' } as const];
  await client.create(Node, typed(Node, { metadata: { name: 'node1' }, status: { conditions } }));
  const ignoreLateWrites = () => {};
  const timer = systemClock.every(NODE_PERIOD_MS, () => void playKubelet(client, systemClock).catch(ignoreLateWrites));
  stack.use(timer);
}

test('everything that is left out is recorded', () => {
  const unknown = exceptions.filter((one) => one.case !== '*' && !cases.some(({ name }) => name === one.case));
  assert.deepEqual(unknown, []);
});
