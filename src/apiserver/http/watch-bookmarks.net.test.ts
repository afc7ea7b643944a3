/** Bookmarks: each minute, and shortly before the watch ends, so that the next one begins where this one was. */
import assert from 'node:assert/strict';
import https from 'node:https';
import { test } from 'node:test';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { ConfigMap } from '#kube/kinds/core/config-map.ts';
import { eventually } from '#testing/eventually.ts';
import { FakeClock } from '#testing/fake-clock.ts';
import { startHttpsApi } from '#testing/https-api.ts';

const SECONDS = 90;
const PATH = `/api/v1/configmaps?watch=true&resourceVersion=0&timeoutSeconds=${SECONDS}`;

test('a quiet watch tells how far it is', async () => {
  const clock = new FakeClock();
  await using server = await startHttpsApi({ kinds: [ConfigMap], clock });
  const asked = await open(server.kubeconfig, `${PATH}&allowWatchBookmarks=true`);
  const silent = await open(server.kubeconfig, PATH);
  for (const [advanceMs, bookmarks] of [
    [59_999, 0],
    [1, 1],
    [SECONDS * 1_000 - 2_000 - 60_000 - 1, 1],
    [1, 2],
  ] as const) {
    await clock.advance(advanceMs);
    await eventually(() => asked.lines().length === bookmarks, { what: `${bookmarks} bookmarks` });
  }
  const [first = ''] = asked.lines();
  const revision = String(server.store.revision);
  assert.deepEqual(JSON.parse(first), {
    type: 'BOOKMARK',
    object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: revision, creationTimestamp: null } },
  });
  await clock.advance(2_000);
  await eventually(() => asked.isOver() && silent.isOver(), { what: 'the end of both' });
  assert.deepEqual([asked.lines().length, silent.lines().length], [2, 0]);
});

async function open(kubeconfig: string, path: string) {
  const { server, caCertificate: ca, clientCertificate: cert, clientKey: key } = loadKubeconfig(kubeconfig);
  let text = '';
  let isOver = false;
  await new Promise<void>((resolve, reject) => {
    const request = https.get(new URL(path, server), { ca, cert, key, agent: false }, (response) => {
      response.on('data', (piece: Buffer) => (text += piece.toString('utf8')));
      response.on('end', () => (isOver = true));
      resolve();
    });
    request.once('error', reject);
  });
  return { lines: () => text.split('\n').slice(0, -1), isOver: () => isOver };
}
