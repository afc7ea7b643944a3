/** A client inside a container: the API by its name in the cluster, with what is mounted into every pod. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { HttpTransport } from '#client/http-transport.ts';
import { loadKubeconfig } from '#client/kubeconfig.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { Secret } from '#kube/kinds/core/secret.ts';
import { typed } from '#kube/kind.ts';
import { eventually } from '#testing/eventually.ts';
import { TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
const NAMESPACE = 'default';
const CURL_COULD_NOT_CONNECT = 7;

const real = needs('root', 'runc', 'compiler', 'curl', 'kubectl');

describe('a client inside a container', real, () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await TestPlatform.start({ images: ['test/curl:1'] });
    await start('inside');
  });
  after(() => platform[Symbol.asyncDispose]());

  async function start(name: string): Promise<void> {
    const spec = { containers: [{ name: 'main', image: 'test/curl:1' }], terminationGracePeriodSeconds: 1 };
    await platform.client.create(Pod, typed(Pod, { metadata: { namespace: NAMESPACE, name }, spec }));
    const isRunning = async () =>
      (await platform.client.get(Pod, { namespace: NAMESPACE, name })).status?.phase === 'Running';
    await eventually(isRunning, { timeoutMs: 30_000, what: `${name} runs` });
  }

  const inside = (script: string) => platform.kubectl(['exec', 'inside', '--', 'sh', '-c', script]);
  const curl = `curl -sS --max-time 20 --cacert ${FOLDER}/ca.crt -w '\\n%{http_code}'`;
  const bearer = `-H "Authorization: Bearer $(cat ${FOLDER}/token)"`;

  /** Status and body of what the API answers. */
  async function ask(path: string, by = bearer): Promise<[status: number, body: string]> {
    const lines = (await inside(`${curl} ${by} ${path}`)).split('\n');
    return [Number(lines.pop()), lines.join('\n')];
  }

  for (const name of [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ])
    test(`reaches the API as ${name}`, async () => {
      assert.match((await ask(`https://${name}/version`)).join('\n'), /^200\n[\s\S]*"gitVersion"/);
    });

  test('reaches it by its environment, as client libraries do', async () => {
    const [status] = await ask('https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT_HTTPS/version');
    assert.equal(status, 200);
    const service = await platform.kubectl([
      'get',
      'service',
      'kubernetes',
      '-o',
      'jsonpath={.spec.clusterIP}:{.spec.ports[0].port}',
    ]);
    assert.equal((await inside('echo -n $KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT')).trim(), service);
  });

  test('is its service account, of this pod', async () => {
    const body = `--json '{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}'`;
    const review = 'https://kubernetes.default.svc/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const [status, text] = await ask(review, `${bearer} ${body}`);
    assert.equal(status, 201, text);
    const { userInfo } = (JSON.parse(text) as { status: { userInfo: Record<string, unknown> } }).status;
    assert.equal(userInfo['username'], 'system:serviceaccount:default:default');
    const extra = userInfo['extra'] as Record<string, string[]>;
    assert.deepEqual(extra['authentication.kubernetes.io/pod-name'], ['inside']);
  });

  test('may do what its roles allow, and nothing else', async () => {
    const secrets = 'https://kubernetes.default.svc/api/v1/namespaces/default/secrets';
    const configMaps = 'https://kubernetes.default.svc/api/v1/namespaces/default/configmaps';
    const [status, text] = await ask(secrets);
    assert.equal(status, 403);
    assert.match(text, /User \\"system:serviceaccount:default:default\\" cannot list resource \\"secrets\\"/);
    assert.equal((await ask(configMaps))[0], 403);
    await platform.kubectl(['create', 'role', 'reader', '--verb=list', '--resource=configmaps']);
    await platform.kubectl(['create', 'rolebinding', 'reader', '--role=reader', '--serviceaccount=default:default']);
    const [allowed, list] = await ask(configMaps);
    assert.equal(allowed, 200);
    assert.match(list, /"kube-root-ca\.crt"/);
    assert.equal((await ask(secrets))[0], 403);
  });

  test('is nobody without its token', async () => {
    const [status, text] = await ask('https://kubernetes.default.svc/api/v1/namespaces/default/pods', '');
    assert.equal(status, 403);
    assert.match(text, /User \\"system:anonymous\\" cannot list resource/);
  });

  test('knows its namespace', async () => {
    assert.equal(await inside(`cat ${FOLDER}/namespace`), NAMESPACE);
  });

  test('may use a token from a Secret, which the platform fills in', async () => {
    const type = 'kubernetes.io/service-account-token';
    const annotations = { 'kubernetes.io/service-account.name': 'default' };
    const metadata = { namespace: NAMESPACE, name: 'kept', annotations };
    await platform.client.create(Secret, typed(Secret, { metadata, type }));
    const data = await eventually(async () => (await platform.client.get(Secret, metadata)).data);
    const token = Buffer.from(data['token'] ?? '', 'base64').toString();
    const url = 'https://kubernetes.default.svc/version';
    assert.equal((await ask(url, `-H "Authorization: Bearer ${token}"`))[0], 200);
    await platform.client.delete(Secret, metadata);
    assert.equal((await ask(url, `-H "Authorization: Bearer ${token}"`))[0], 401);
  });

  test('has a token that ends with its pod', async () => {
    await start('short');
    const token = await platform.kubectl(['exec', 'short', '--', 'cat', `${FOLDER}/token`]);
    const { server, caCertificate, namespace } = loadKubeconfig(platform.paths.kubeconfig);
    const access = { server, caCertificate, namespace, insecureSkipTlsVerify: false, token };
    using transport = new HttpTransport({ access, userAgent: 'test' });
    const request = { method: 'GET', path: '/version' } as const;
    assert.equal((await transport.send(request)).status, 200);
    await platform.kubectl(['delete', 'pod', 'short', '--grace-period=0', '--force']);
    assert.equal((await transport.send(request)).status, 401);
  });

  test('is never refused a connection, also while control is started again', async () => {
    const once = `curl -s --max-time 20 -o /tmp/body --cacert ${FOLDER}/ca.crt -w '%{http_code} %{exitcode}\\n' ${bearer}`;
    const url = 'https://kubernetes.default.svc/version';
    const asked = 40;
    await inside(`(n=0; while [ $n -lt ${asked} ]; do ${once} ${url}; n=$((n+1)); done) > /tmp/answers 2>&1 &`);
    process.kill(await platform.pidOf('control'), 'SIGKILL');
    const answers = await eventually(
      async () => {
        const lines = (await inside('cat /tmp/answers')).trim().split('\n');
        return lines.length === asked ? lines : undefined;
      },
      { timeoutMs: 60_000, what: 'all answers' },
    );
    assert.deepEqual(
      answers.filter((line) => line.endsWith(` ${CURL_COULD_NOT_CONNECT}`)),
      [],
    );
    assert.equal(answers.at(-1), '200 0');
  });
});
