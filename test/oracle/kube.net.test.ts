/**
 * What kube-apiserver 1.33 was seen to answer, replayed against our server over HTTPS with our controllers behind it.
 * `kube-left-out.json` says what our server is not held to, and why; what is as
 * recorded all the same fails.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { startControlPlane } from '#testing/control-plane.ts';
import { httpCases } from '#testing/http-replay/case.ts';
import { Connection } from '#testing/http-replay/connection.ts';
import { leftOut, testOptions, wholeCase } from '#testing/http-replay/left-out.ts';
import { replayCase } from '#testing/http-replay/replay.ts';

const PARALLEL_CASES = 8;

const cases = httpCases();
const exceptions = leftOut('kube');

describe('recorded exchanges', { concurrency: PARALLEL_CASES }, () => {
  const stack = new AsyncDisposableStack();
  let connection: Connection | undefined;

  before(async () => {
    const { api } = stack.use(await startControlPlane());
    connection = stack.use(new Connection(loadKubeconfig(api.kubeconfig)));
  });
  after(() => stack.disposeAsync());

  for (const recorded of cases) {
    const options = testOptions(wholeCase(exceptions, recorded.name));
    test(`${recorded.name}: ${recorded.why}`, options, async () => {
      assert(connection);
      const found = await replayCase(connection, recorded, exceptions);
      assert.equal(found.join('\n'), '');
    });
  }
});

test('everything that is left out is recorded', () => {
  const unknown = exceptions.filter((one) => one.case !== '*' && !cases.some(({ name }) => name === one.case));
  assert.deepEqual(unknown, []);
});
