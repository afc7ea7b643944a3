/** The way of a plain Knative manifest, as a user walks it: with kubectl, on real containers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '#testing/eventually.ts';
import { SHORT_WINDOWS, TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';

const real = needs('root', 'runc', 'compiler', 'kubectl');

const service = (name: string, image = 'test/app:1', template: object = {}) =>
  JSON.stringify({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name },
    spec: { template: { ...template, spec: { containers: [{ image, imagePullPolicy: 'IfNotPresent' }] } } },
  });

const SERVED = ['ksvc', 'rev', 'rt', 'cfg', 'king', 'sks', 'pa', 'deploy', 'rs', 'po', 'svc', 'ep'].join(',');

test('applied, ready, answered, at zero, held and answered, split, deleted', real, async () => {
  await using platform = await TestPlatform.start({ images: ['test/app:1', 'test/app:2'], config: SHORT_WINDOWS });
  await platform.kubectl(['apply', '-f', '-'], service('greeter'));
  await platform.kubectl(['wait', '--for=condition=Ready', 'ksvc/greeter', '--timeout=20s']);
  const url = await platform.kubectl(['get', 'ksvc', 'greeter', '-o', 'jsonpath={.status.url}']);
  const first = await platform.get(url);
  assert.equal(first.status, 200);
  assert.match(first.body, /greeter-00001/);

  const pods = ['get', 'pods', '-l', 'serving.knative.dev/service=greeter', '-o', 'name'];
  assert.match(await platform.kubectl(pods), /^pod\/greeter-00001-deployment-/);
  await eventually(async () => (await platform.kubectl(pods)) === '', { timeoutMs: 30_000, what: 'zero pods' });
  const woken = await platform.get(url);
  assert.equal(woken.status, 200);
  assert.match(woken.body, /greeter-00001/);

  await platform.kubectl(['apply', '-f', '-'], service('greeter', 'test/app:2'));
  await platform.kubectl(['wait', '--for=condition=Ready', 'ksvc/greeter', '--timeout=20s']);
  const traffic = [
    { revisionName: 'greeter-00001', percent: 80 },
    { revisionName: 'greeter-00002', percent: 20 },
    { revisionName: 'greeter-00002', tag: 'staging' },
  ];
  await platform.kubectl(['patch', 'ksvc', 'greeter', '--type', 'merge', '-p', JSON.stringify({ spec: { traffic } })]);
  await platform.kubectl(['wait', '--for=condition=Ready', 'ksvc/greeter', '--timeout=20s']);
  const tagged = await platform.kubectl([
    'get',
    'ksvc',
    'greeter',
    '-o',
    'jsonpath={.status.traffic[?(@.tag=="staging")].url}',
  ]);
  assert.match((await platform.get(tagged)).body, /greeter-00002/);
  const bodies = await Promise.all(Array.from({ length: 100 }, async () => (await platform.get(url)).body));
  const second = bodies.filter((body) => body.includes('greeter-00002')).length;
  assert.equal(second, 20, 'the split is exact over a hundred requests');
  const requests = /^pinnace_gateway_requests_total\{namespace="default",revision="greeter-00002",code="200"\} 2\d$/m;
  await eventually(async () => requests.test(await platform.kubectl(['get', '--raw', '/metrics'])), {
    what: 'the figures of the gateway',
  });

  await platform.kubectl(['delete', 'ksvc', 'greeter']);
  await eventually(async () => (await platform.kubectl(['get', SERVED, '-o', 'name'])).match(/greeter/) === null, {
    timeoutMs: 20_000,
    what: 'nothing of the Service is left',
  });
});
