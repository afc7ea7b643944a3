/**
 * What kubectl 1.32 was seen to print of pods that run, compared with what it prints on a platform of ours.
 * `kubectl-platform-left-out.json` says what is otherwise here, and why; what is as recorded all the same fails.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { Connection } from '#testing/http-replay/connection.ts';
import { leftOut, testOptions, wholeCase } from '#testing/http-replay/left-out.ts';
import { kubectlCases } from '#testing/kubectl-replay/case.ts';
import { type Cluster, replayKubectl } from '#testing/kubectl-replay/replay.ts';
import { TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

/** Each is a program that is mostly busy starting. */
const PARALLEL_CASES = 2;

const real = needs('root', 'runc', 'compiler', 'kubectl 1.32 or later');
const forPlatform = new Set(leftOut('kubectl').flatMap((one) => (one.isForPlatform ? [one.case] : [])));
const cases = kubectlCases().filter(({ name }) => forPlatform.has(name));
const exceptions = leftOut('kubectl-platform');

describe('recorded commands of kubectl about pods', { concurrency: PARALLEL_CASES, ...real }, () => {
  const stack = new AsyncDisposableStack();
  let cluster: Cluster | undefined;

  before(async () => {
    const platform = stack.use(await TestPlatform.start({ images: ['dev.local/oracle:1'] }));
    const { kubeconfig } = platform.paths;
    const connection = stack.use(new Connection(loadKubeconfig(kubeconfig)));
    const cache = stack.use(new TemporaryFolder('kubectl-cache-'));
    const [node] = (await platform.client.list(Node, {})).items;
    cluster = { connection, kubeconfig, cacheFolder: cache.path, nodeName: node?.metadata.name ?? '' };
  });
  after(() => stack.disposeAsync());

  for (const recorded of cases) {
    test(`${recorded.name}: ${recorded.why}`, testOptions(wholeCase(exceptions, recorded.name)), async () => {
      assert(cluster);
      const found = await replayKubectl(cluster, recorded, exceptions);
      assert.equal(found.join('\n'), '');
    });
  }
});

test('everything that is left out is recorded', () => {
  assert.ok(cases.length > 0);
  assert.deepEqual(
    exceptions.filter((one) => !forPlatform.has(one.case)),
    [],
  );
});
