/** `kubectl auth` and `--as` beyond what was recorded of them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { builtinKinds } from '#kube/kinds/all.ts';
import { Namespace } from '#kube/kinds/core/namespace.ts';
import { typed } from '#kube/kind.ts';
import { startHttpsApi } from '#testing/https-api.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const manifest = (verbs: string) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: default}
rules:
- {apiGroups: [""], resources: [pods], verbs: [${verbs}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: default}
roleRef: {kind: Role, name: reader, apiGroup: rbac.authorization.k8s.io}
subjects:
- {kind: User, name: bob, apiGroup: rbac.authorization.k8s.io}
`;

interface Printed {
  readonly code: number;
  readonly text: string;
}

async function start() {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await startHttpsApi({ kinds: builtinKinds }));
  await api.client.create(Namespace, typed(Namespace, { metadata: { name: 'default' } }));
  const folder = stack.use(new TemporaryFolder('kubectl-auth-'));
  const kubectl = (...args: string[]) =>
    new Promise<Printed>((resolve) => {
      const env = { ...process.env, KUBECONFIG: api.kubeconfig };
      const all = ['--cache-dir', folder.path, ...args];
      execFile('kubectl', all, { env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), text: `${stdout}${stderr}`.trim() });
      });
    });
  const owned = stack.move();
  return { kubectl, file: path.join(folder.path, 'roles.yaml'), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

describe('kubectl auth', needs('kubectl'), () => {
  test('reconcile adds what is missing, and takes away what it is told to', async () => {
    await using running = await start();
    const { kubectl, file } = running;
    const reconcile = async (verbs: string, ...args: string[]) => {
      writeFileSync(file, manifest(verbs));
      return kubectl('auth', 'reconcile', '-f', file, ...args);
    };
    const may = async (verb: string) => (await kubectl('auth', 'can-i', verb, 'pods', '--as=bob')).text;
    assert.match((await reconcile('get')).text, /reconciliation required create/);
    assert.deepEqual([await may('get'), await may('list')], ['yes', 'no']);
    assert.match((await reconcile('list')).text, /reconciliation required update\n\tmissing rules added/);
    assert.deepEqual([await may('get'), await may('list')], ['yes', 'yes']);
    assert.equal((await reconcile('list', '--remove-extra-permissions')).code, 0);
    assert.deepEqual([await may('get'), await may('list')], ['no', 'yes']);
    assert.equal((await reconcile('list')).text.includes('required'), false);
  });

  test('who may not give rights is told which are missing', async () => {
    await using running = await start();
    const { kubectl } = running;
    await kubectl('create', 'role', 'writer', '--verb=create', '--resource=roles,rolebindings');
    await kubectl('create', 'rolebinding', 'writer', '--role=writer', '--user=eve');
    const { code, text } = await kubectl('create', 'role', 'up', '--verb=get', '--resource=secrets', '--as=eve');
    assert.equal(code, 1);
    assert.match(
      text,
      /^Error from server \(Forbidden\): roles\.rbac\.authorization\.k8s\.io "up" is forbidden: user "eve"/,
    );
    assert.match(text, /\{APIGroups:\[""\], Resources:\["secrets"\], Verbs:\["get"\]\}$/);
  });

  test('can-i says why not, where a role is missing', async () => {
    await using running = await start();
    const { kubectl } = running;
    await kubectl('create', 'rolebinding', 'gone', '--role=gone', '--user=ann');
    const { text } = await kubectl('auth', 'can-i', 'get', 'pods', '--as=ann');
    assert.equal(text, 'no - RBAC: role.rbac.authorization.k8s.io "gone" not found');
  });

  test('a review in a file is answered in whole', async () => {
    await using running = await start();
    const { kubectl, file } = running;
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' };
    const spec = { user: 'x', extra: { a: ['b', 'c'] }, nonResourceAttributes: { path: '/version', verb: 'get' } };
    writeFileSync(file, JSON.stringify({ ...review, spec: { ...spec, groups: ['system:unauthenticated'] } }));
    const { text } = await kubectl('create', '-f', file, '-o', 'jsonpath={.status}{.spec.extra}');
    const reason =
      'RBAC: allowed by ClusterRoleBinding \\"system:public-info-viewer\\" of ClusterRole \\"system:public-info-viewer\\" to Group \\"system:unauthenticated\\"';
    assert.equal(text, `{"allowed":true,"reason":"${reason}"}{"a":["b","c"]}`);
  });
});
