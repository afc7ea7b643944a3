/** What kubectl makes of the OpenAPI document in protobuf, and that every kind has a place in it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { builtinKinds } from '#kube/kinds/all.ts';
import { knativeKinds } from '#knative/kinds/all.ts';
import { swaggerProtobuf } from '#apiserver/openapi/protobuf.ts';
import { type HttpsApi, startHttpsApi } from '#testing/https-api.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const KINDS = [...builtinKinds, ...knativeKinds];

test('a member without a number is an error, not a gap', () => {
  assert.throws(() => swaggerProtobuf({ swagger: '2.0', nonsense: 1 }), /nonsense has no number in protobuf/);
});

for (const { what, document, bytes } of [
  { what: 'text', document: { swagger: '2.0' }, bytes: '0a03322e30' },
  { what: 'a message', document: { info: { title: 'T', version: '1' } }, bytes: '12060a0154120131' },
  { what: 'an extension', document: { 'x-a': 1 }, bytes: '82010b0a03782d6112041202310a' },
]) {
  test(`in bytes: ${what}`, () => {
    assert.equal(Buffer.from(swaggerProtobuf(document)).toString('hex'), bytes);
  });
}

describe('kubectl', needs('kubectl 1.32 or later'), () => {
  const stack = new AsyncDisposableStack();
  let api: HttpsApi;
  let home: TemporaryFolder;

  before(async () => {
    api = stack.use(await startHttpsApi({ kinds: KINDS }));
    home = stack.use(new TemporaryFolder('kubectl-home-'));
  });
  after(() => stack.disposeAsync());

  async function kubectl(args: readonly string[], input = '') {
    const env = { PATH: process.env['PATH'], HOME: home.path, KUBECONFIG: api.kubeconfig };
    const child = spawn('kubectl', args, { env });
    child.stdin.end(input);
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code: child.exitCode, stdout, stderr };
  }

  for (const { apiVersion, kind } of [
    { apiVersion: 'apps/v1', kind: 'StatefulSet' },
    { apiVersion: 'example.com/v1', kind: 'Thing' },
  ]) {
    test(`says that ${kind} is not served`, async () => {
      const manifest = JSON.stringify({ apiVersion, kind, metadata: { name: 'x' } });
      const { code, stderr } = await kubectl(['apply', '-f', '-'], manifest);
      assert.equal(code, 1);
      const from = 'resource mapping not found for name: "x" namespace: "" from "STDIN"';
      const why = `no matches for kind "${kind}" in version "${apiVersion}"\nensure CRDs are installed first`;
      assert.equal(stderr, `error: ${from}: ${why}\n`);
    });
  }

  for (const { path, expected } of [
    {
      path: 'pods.spec.containers.resources',
      expected: /RESOURCE: resources <Object>[\s\S]*limits\t<map\[string\]string>/,
    },
    { path: 'ksvc', expected: /KIND: +Service\nVERSION: +serving\.knative\.dev\/v1/ },
  ]) {
    test(`explains ${path}`, async () => {
      const { stdout, stderr } = await kubectl(['explain', '--output=plaintext-openapiv2', path]);
      assert.equal(stderr, '');
      assert.match(stdout, expected);
    });
  }
});
