/** Jobs on a platform with real containers, driven and looked at by kubectl. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Job } from '#kube/kinds/batch/job.ts';
import type { JobStatus } from '#kube/kinds/batch/job-spec.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { eventually } from '#testing/eventually.ts';
import { TestPlatform } from '#testing/platform.ts';
import { needs } from '#testing/requirements.ts';

const real = needs('root', 'runc', 'compiler', 'kubectl 1.32 or later');
const IMAGE = 'dev.local/oracle:1';
const SHELL = 'test/shell:1';
const WITHIN_MS = 20_000;

let platform: TestPlatform;

before(async () => {
  if (real.skip === undefined) platform = await TestPlatform.start({ images: [IMAGE, SHELL] });
});
after(() => platform?.[Symbol.asyncDispose]());

interface Shape {
  readonly command: readonly string[];
  readonly image?: string;
  readonly spec?: Record<string, unknown>;
  readonly restartPolicy?: string;
}

async function apply(name: string, { command, image = IMAGE, spec = {}, restartPolicy = 'Never' }: Shape) {
  const containers = [{ name: 'app', image, command }];
  const template = { spec: { restartPolicy, terminationGracePeriodSeconds: 1, containers } };
  const manifest = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { ...spec, template } };
  await platform.kubectl(['apply', '-f', '-'], JSON.stringify(manifest));
}

/** Waits until `check` passes. */
async function until(check: () => void | Promise<void>): Promise<void> {
  const passes = async () => {
    await check();
    return true;
  };
  await eventually(passes, { timeoutMs: WITHIN_MS });
}

const refOf = (name: string) => ({ namespace: 'default', name });

async function podsOf(name: string): Promise<Pod[]> {
  const labelSelector = `batch.kubernetes.io/job-name=${name}`;
  return (await platform.client.list(Pod, { namespace: 'default', labelSelector })).items;
}

async function statusWith(name: string, type: string): Promise<JobStatus> {
  return eventually(
    async () => {
      const { status = {} } = await platform.client.get(Job, refOf(name));
      assert.ok(
        status.conditions?.some((one) => one.type === type && one.status === 'True'),
        JSON.stringify(status),
      );
      return status;
    },
    { timeoutMs: WITHIN_MS },
  );
}

function reasonOf({ conditions = [] }: JobStatus, type: string): string | undefined {
  return conditions.find((one) => one.type === type)?.reason;
}

test('a Job that succeeds keeps its pod and its log, and nothing else', real, async () => {
  await apply('good', { command: ['/app', 'say', 'done'] });
  const status = await statusWith('good', 'Complete');
  assert.equal(status.succeeded, 1);
  assert.equal(await platform.kubectl(['logs', 'job/good']), 'done\n');
  const [pod] = await podsOf('good');
  assert.equal(pod?.status?.phase, 'Succeeded');
  assert.equal(pod.metadata.finalizers, undefined);
  assert.equal(pod.status.conditions?.find(({ type }) => type === 'Ready')?.reason, 'PodCompleted');
  const { pods, bundles, ociRoot } = platform.paths;
  const uid = pod.metadata.uid ?? '';
  await until(() => assert.ok(!existsSync(`${pods}/${uid}`) && !existsSync(`${bundles}/${uid}`)));
  assert.deepEqual(readdirSync(ociRoot), []);
  const described = await platform.kubectl(['describe', 'job', 'good']);
  assert.match(described, /Pods Statuses: +0 Active \(0 Ready\) \/ 1 Succeeded \/ 0 Failed/);
  assert.match(described, /Normal +Completed .*job-controller +Job completed/);
});

test('a Job that fails says why, and how its pod ended', real, async () => {
  await apply('bad', { command: ['/app', 'fail', '2'], spec: { backoffLimit: 0 } });
  const status = await statusWith('bad', 'Failed');
  assert.equal(reasonOf(status, 'Failed'), 'BackoffLimitExceeded');
  assert.equal(status.failed, 1);
  const [pod] = await podsOf('bad');
  assert.equal(pod?.status?.phase, 'Failed');
  assert.equal(pod.status.containerStatuses?.[0]?.state?.terminated?.exitCode, 2);
  const { stderr } = await platform.tryKubectl(['wait', '--for=condition=Complete', 'job/bad', '--timeout=1s']);
  assert.match(stderr, /timed out waiting/);
});

test('with OnFailure the container is started again in its pod', real, async () => {
  const command = ['/bin/sh', '-c', 'test -e /tmp/again/x && exit 0; echo > /tmp/again/x; exit 1'];
  const manifest = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'again' },
    spec: {
      template: {
        spec: {
          restartPolicy: 'OnFailure',
          containers: [{ name: 'app', image: SHELL, command, volumeMounts: [{ name: 'v', mountPath: '/tmp/again' }] }],
          volumes: [{ name: 'v', emptyDir: {} }],
        },
      },
    },
  };
  await platform.kubectl(['apply', '-f', '-'], JSON.stringify(manifest));
  const status = await statusWith('again', 'Complete');
  assert.equal(status.failed, undefined);
  const pods = await podsOf('again');
  assert.deepEqual(
    pods.map((pod) => pod.status?.containerStatuses?.[0]?.restartCount),
    [1],
  );
});

test('an indexed Job tells each pod its index', real, async () => {
  const command = ['/bin/sh', '-c', 'echo $JOB_COMPLETION_INDEX $(cat /etc/hostname)'];
  const spec = { completionMode: 'Indexed', completions: 3, parallelism: 3 };
  await apply('parts', { image: SHELL, command, spec });
  const status = await statusWith('parts', 'Complete');
  assert.equal(status.completedIndexes, '0-2');
  const logs = await platform.kubectl(['logs', '-l', 'job-name=parts']);
  assert.deepEqual(logs.trim().split('\n').sort(), ['0 parts-0', '1 parts-1', '2 parts-2']);
});

test('a Job is suspended and resumed, and the pods of a Job that fails are counted', real, async () => {
  await apply('rest', { image: SHELL, command: ['/bin/sleep', '600'], spec: { parallelism: 2, completions: 2 } });
  const isRunning = async (count: number) => {
    const pods = (await podsOf('rest')).filter(({ status }) => status?.phase === 'Running');
    assert.equal(pods.length, count);
  };
  await until(() => isRunning(2));
  await platform.kubectl(['patch', 'job', 'rest', '-p', '{"spec":{"suspend":true}}']);
  await statusWith('rest', 'Suspended');
  await until(async () => assert.deepEqual(await podsOf('rest'), []));
  assert.match(await platform.kubectl(['get', 'job', 'rest']), /rest +Suspended +0\/2/);
  const body = '{"spec":{"suspend":false,"activeDeadlineSeconds":4}}';
  await platform.kubectl(['patch', 'job', 'rest', '-p', body]);
  await until(() => isRunning(2));
  const status = await statusWith('rest', 'Failed');
  assert.equal(reasonOf(status, 'Failed'), 'DeadlineExceeded');
  assert.equal(status.failed, 2);
});

test('a pod with a deadline of its own fails by it, and its Job knows', real, async () => {
  const containers = [{ name: 'app', image: SHELL, command: ['/bin/sleep', '600'] }];
  const pod = { restartPolicy: 'Never', activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 1, containers };
  const spec = { backoffLimit: 0, template: { spec: pod } };
  const manifest = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'late' }, spec };
  await platform.kubectl(['apply', '-f', '-'], JSON.stringify(manifest));
  assert.equal(reasonOf(await statusWith('late', 'Failed'), 'Failed'), 'BackoffLimitExceeded');
  const [late] = await podsOf('late');
  assert.deepEqual([late?.status?.phase, late?.status?.reason], ['Failed', 'DeadlineExceeded']);
});

test('a Job with a time to live goes, and takes its pods along', real, async () => {
  await apply('brief', { command: ['/app', 'say', 'x'], spec: { ttlSecondsAfterFinished: 1 } });
  await statusWith('brief', 'Complete');
  await platform.kubectl(['wait', '--for=delete', 'job/brief', '--timeout=20s']);
  await until(async () => assert.deepEqual(await podsOf('brief'), []));
});

test('deleting a Job that runs ends its pods', real, async () => {
  await apply('gone', { image: SHELL, command: ['/bin/sleep', '600'] });
  await until(async () => assert.equal((await podsOf('gone'))[0]?.status?.phase, 'Running'));
  await platform.kubectl(['delete', 'job', 'gone']);
  await until(async () => assert.deepEqual(await podsOf('gone'), []));
});
