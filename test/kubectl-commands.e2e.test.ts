/** The real kubectl's commands for workloads, Nodes and Knative Services, on a platform with real containers. */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { eventually } from '#testing/eventually.ts';
import { type Output, runProgram, TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const real = needs('root', 'runc', 'compiler', 'kubectl 1.32 or later');

const web = (name: string, image = 'test/app:1') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: app, image: "${image}", imagePullPolicy: Never, ports: [{containerPort: 8080}]}]
`;

const HELLO = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello}
spec:
  template:
    spec:
      containers: [{image: "dev.local/hello:1"}]
`;

describe('kubectl', real, () => {
  const stack = new AsyncDisposableStack();
  let platform: TestPlatform;
  let folder: TemporaryFolder;

  const kubectl = (...args: string[]): Promise<string> => platform.kubectl(args);
  const outcome = (args: readonly string[], input = ''): Promise<Output> => platform.tryKubectl(args, input);
  const refusal = async (...args: string[]) => {
    const { code, stderr } = await outcome(args);
    assert.notEqual(code, 0);
    return stderr.trim();
  };
  const path = async (name: string, expression: string) => kubectl('get', name, `-o=jsonpath={${expression}}`);
  const rolledOut = (name: string) => kubectl('rollout', 'status', name, '--timeout=20s');

  before(async () => {
    folder = stack.use(new TemporaryFolder('kubectl-commands-'));
    const images = ['test/app:1', 'test/app:2', 'dev.local/hello:1'] as const;
    platform = stack.use(await TestPlatform.start({ images }));
    await platform.kubectl(['apply', '-f', '-'], web('web'));
    await rolledOut('deployment/web');
  });
  after(() => stack.disposeAsync());

  test('rollout: status, history, undo, pause, resume, restart', async () => {
    const imageOf = () => path('deployment/web', '.spec.template.spec.containers[0].image');
    await kubectl('set', 'image', 'deployment/web', 'app=test/app:2');
    assert.match(await rolledOut('deployment/web'), /deployment "web" successfully rolled out/);
    await kubectl('annotate', 'deployment/web', 'kubernetes.io/change-cause=another image');
    await eventually(async () => /^2 +another image$/m.test(await kubectl('rollout', 'history', 'deployment/web')));
    assert.match(await kubectl('rollout', 'history', 'deployment/web', '--revision=1'), /Image:\s+test\/app:1/);
    assert.equal(await kubectl('rollout', 'undo', 'deployment/web'), 'deployment.apps/web rolled back\n');
    assert.equal(await imageOf(), 'test/app:1');
    assert.match(
      await refusal('rollout', 'undo', 'deployment/web', '--to-revision=99'),
      /^error: unable to find specified revision 99 in history$/,
    );
    await kubectl('rollout', 'pause', 'deployment/web');
    assert.match(await refusal('rollout', 'pause', 'deployment/web'), /deployments.apps "web" is already paused/);
    assert.match(await refusal('rollout', 'undo', 'deployment/web'), /you cannot rollback a paused deployment/);
    await kubectl('rollout', 'resume', 'deployment/web');
    await kubectl('rollout', 'restart', 'deployment/web');
    await rolledOut('deployment/web');
  });

  test('set: env, resources, serviceaccount, selector', async () => {
    await kubectl('set', 'env', 'deployment/web', 'A=b', 'C=d');
    assert.equal(
      await kubectl('set', 'env', 'deployment/web', '--list'),
      '# Deployment web, container app\nA=b\nC=d\n',
    );
    await kubectl('set', 'env', 'deployment/web', 'A-');
    await kubectl('set', 'resources', 'deployment/web', '--limits=memory=64Mi', '--requests=cpu=10m');
    await kubectl('set', 'serviceaccount', 'deployment/web', 'default');
    const spec = JSON.parse(await path('deployment/web', '.spec.template.spec')) as Record<string, unknown>;
    assert.equal(spec['serviceAccountName'], 'default');
    const [{ env, resources } = {}] = spec['containers'] as { env?: unknown; resources?: unknown }[];
    assert.deepEqual(env, [{ name: 'C', value: 'd' }]);
    assert.deepEqual(resources, { limits: { memory: '64Mi' }, requests: { cpu: '10m' } });
    await kubectl('expose', 'deployment/web', '--port=80', '--target-port=8080');
    await kubectl('set', 'selector', 'service/web', 'app=other');
    assert.equal(await path('service/web', '.spec.selector'), '{"app":"other"}');
    await rolledOut('deployment/web');
  });

  test('scale, autoscale, expose, run', async () => {
    assert.equal(await kubectl('scale', 'deployment/web', '--replicas=1'), 'deployment.apps/web scaled\n');
    assert.match(
      await refusal('scale', 'deployment/web', '--replicas=3', '--current-replicas=5'),
      /Expected replicas to be 5, was 1/,
    );
    await kubectl('autoscale', 'deployment/web', '--min=1', '--max=3', '--cpu-percent=50');
    assert.equal(await path('hpa/web', '.spec.maxReplicas'), '3');
    await kubectl('delete', 'hpa/web');
    await kubectl('expose', 'deployment/web', '--name=node', '--port=80', '--type=NodePort');
    assert.match(await path('service/node', '.spec.ports[0].nodePort'), /^3\d{4}$/);
    const args = ['--image=test/app:1', '--port=8080', '--expose', '--labels=a=b', '--env=X=Y'];
    assert.match(await kubectl('run', 'ran', ...args, '--dry-run=server'), /pod\/ran created \(server dry run\)/);
    assert.match(await refusal('expose', 'pod/none', '--port=80'), /pods "none" not found/);
  });

  test('label, annotate, edit, diff, replace', async () => {
    await kubectl('label', 'deployment/web', 'x=y');
    assert.match(await refusal('label', 'deployment/web', 'x=z'), /'x' already has a value \(y\), and --overwrite is/);
    await kubectl('label', 'deployment/web', 'x=z', '--overwrite');
    await kubectl('annotate', 'deployment/web', 'note=this');
    assert.equal(await path('deployment/web', '.metadata.annotations.note'), 'this');
    const editor = folder.at('editor.sh');
    writeFileSync(editor, '#!/bin/sh\nexec sed -i "s/note: this/note: that/" "$1"\n');
    chmodSync(editor, 0o755);
    const env = { KUBECONFIG: platform.paths.kubeconfig, KUBE_EDITOR: editor };
    const edited = await runProgram('kubectl', ['edit', 'deployment/web'], { env });
    assert.equal(edited.stdout, 'deployment.apps/web edited\n', edited.stderr);
    assert.equal(await path('deployment/web', '.metadata.annotations.note'), 'that');
    const differing = await outcome(['diff', '-f', '-'], web('web', 'test/app:2'));
    assert.equal(differing.code, 1);
    assert.match(differing.stdout, /^-.*image: test\/app:1$[^]*^\+.*image: test\/app:2$/m);
    const { stdout } = await outcome(['replace', '--force', '-f', '-'], web('web'));
    assert.equal(stdout, 'deployment.apps "web" deleted\ndeployment.apps/web replaced\n');
    await rolledOut('deployment/web');
  });

  test('wait: conditions, members, creation, deletion', async () => {
    const wait = (...args: string[]) => kubectl('wait', ...args, '--timeout=10s');
    assert.equal(await wait('--for=condition=Available', 'deployment/web'), 'deployment.apps/web condition met\n');
    await wait('--for=jsonpath={.status.readyReplicas}=2', 'deployment/web');
    const created = wait('--for=create', 'configmap/late');
    await kubectl('create', 'configmap', 'late');
    await created;
    const deleted = wait('--for=delete', 'configmap/late');
    await kubectl('delete', 'configmap', 'late');
    await deleted;
    assert.match(
      await refusal('wait', '--for=condition=Other', 'deployment/web', '--timeout=100ms'),
      /timed out waiting for the condition on deployments\/web/,
    );
  });

  test('get: watches, pages; events', async () => {
    const watched = outcome(['get', 'configmaps', '-w', '--output-watch-events', '--request-timeout=2s']);
    await kubectl('create', 'configmap', 'seen');
    await kubectl('delete', 'configmap', 'seen');
    assert.match((await watched).stdout, /^ADDED +seen .*\n(.*\n)*DELETED +seen /m);
    const names = async (...flags: string[]) => kubectl('get', 'pods', '-A', '-o', 'name', ...flags);
    assert.equal(await names('--chunk-size=1'), await names());
    const [pod = ''] = (await names()).split('\n');
    assert.match(await kubectl('events', '--for', pod), /Normal +Started +Pod\/web-\S+ +Started container app/);
  });

  test('delete: dependents go, wait for their owner, or stay', async () => {
    await platform.kubectl(['apply', '-f', '-'], web('left'));
    await rolledOut('deployment/left');
    const dependents = () => kubectl('get', 'replicasets,pods', '-l', 'app=left', '-o', 'name');
    await kubectl('delete', 'deployment/left', '--cascade=orphan');
    assert.equal((await dependents()).trim().split('\n').length, 3);
    await kubectl('delete', 'replicaset', '-l', 'app=left', '--cascade=foreground');
    assert.equal(await dependents(), '');
  });

  test('cordon, drain, uncordon', async () => {
    const node = (await kubectl('get', 'nodes', '-o', 'name')).trim().replace('node/', '');
    await kubectl('run', 'single', '--image=test/app:1', '--image-pull-policy=Never');
    await kubectl('wait', '--for=condition=Ready', 'pod/single', '--timeout=10s');
    await kubectl('cordon', node);
    assert.match(await kubectl('get', 'nodes'), /Ready,SchedulingDisabled/);
    assert.match(
      await refusal('drain', node),
      /Pods that declare no controller \(use --force to override\): default\/single/,
    );
    const drained = await kubectl('drain', node, '--force', '--grace-period=0', '--timeout=20s');
    assert.match(drained, /pod\/single evicted[^]*node\/\S+ drained/);
    const phases = () => kubectl('get', 'pods', '-o=jsonpath={.items[*].status.phase}');
    await eventually(async () => (await phases()) === 'Pending Pending');
    await kubectl('uncordon', node);
    await eventually(async () => (await phases()) === 'Running Running');
  });

  test('the cluster: info, resources, versions, configuration, no metrics', async () => {
    assert.match(await kubectl('cluster-info'), /Kubernetes control plane is running at https:\/\/127\.0\.0\.1:\d+/);
    assert.match(await kubectl('api-resources'), /^deployments +deploy +apps\/v1 +true +Deployment$/m);
    assert.match(await kubectl('api-versions'), /^serving\.knative\.dev\/v1$/m);
    assert.match(await kubectl('version'), /^Server Version: v1\.33\.\d+/m);
    assert.match(await kubectl('config', 'view'), /client-key-data: DATA\+OMITTED/);
    for (const what of ['pods', 'nodes']) assert.equal(await refusal('top', what), 'error: Metrics API not available');
    assert.match(await refusal('get', 'daemonsets'), /^error: the server doesn't have a resource type "daemonsets"$/);
  });

  test('Knative Services: watched, waited for, explained, not scaled', async () => {
    const watched = outcome(['get', 'ksvc', '-w', '--request-timeout=4s']);
    await platform.kubectl(['apply', '-f', '-'], HELLO);
    const ready = await kubectl('wait', 'ksvc/hello', '--for=condition=Ready', '--timeout=15s');
    assert.equal(ready, 'service.serving.knative.dev/hello condition met\n');
    assert.match((await watched).stdout, /^hello +http:\S+ +hello-00001 +hello-00001 +True/m);
    assert.match(await kubectl('explain', 'ksvc', '--recursive'), /^ {8}containers\t<\[\]Object> -required-$/m);
    assert.match(await kubectl('explain', 'ksvc.spec.template.spec.containers.image'), /^FIELD: image <string>$/m);
    assert.match(
      await refusal('scale', 'ksvc/hello', '--replicas=3'),
      /^Error from server \(NotFound\): services\.serving\.knative\.dev "hello" not found$/,
    );
    assert.match(
      await refusal('autoscale', 'ksvc/hello', '--max=2'),
      /cannot autoscale a Service: could not find scale/,
    );
    const logs = await kubectl('logs', '-l', 'serving.knative.dev/service=hello', '-c', 'user-container');
    assert.match(logs, /listening on 8080/);
    assert.match(await kubectl('get', 'all'), /^service\.serving\.knative\.dev\/hello +http/m);
    assert.equal(await kubectl('delete', 'ksvc/hello'), 'service.serving.knative.dev "hello" deleted\n');
  });
});
