/** Jobs from creation to their end, against a real API server in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Job } from '#kube/kinds/batch/job.ts';
import { Node } from '#kube/kinds/core/node.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { typed } from '#kube/kind.ts';
import { indexLabel, jobOf, JobWorld, NAME, NAMESPACE } from '#workloads/job/fixtures/world.ts';

const REF = { namespace: NAMESPACE, name: NAME };

async function withNode(w: JobWorld): Promise<void> {
  const node = typed(Node, {
    metadata: { name: 'here' },
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } },
  });
  await w.api.client.create(Node, node);
  await w.settled();
}

test('a Job makes its pod, counts its success and is complete', async () => {
  await using w = await JobWorld.start();
  await w.create({});
  const [pod] = await w.pods();
  assert.match(pod?.metadata.name ?? '', /^work-[a-z0-9]{5}$/);
  assert.deepEqual(pod?.metadata.finalizers, ['batch.kubernetes.io/job-tracking']);
  assert.equal(pod.metadata.ownerReferences?.[0]?.kind, 'Job');
  assert.equal((await w.status()).active, 1);
  await w.runAll();
  assert.equal((await w.status()).ready, 1);
  await w.end('Succeeded');
  const status = await w.status();
  const now = status.startTime;
  assert.deepEqual(
    { ...status, conditions: await w.conditions() },
    {
      conditions: ['SuccessCriteriaMet=True:CompletionsReached', 'Complete=True:CompletionsReached'],
      startTime: now,
      completionTime: now,
      succeeded: 1,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
    },
  );
  assert.equal((await w.pods())[0]?.metadata.finalizers, undefined);
  assert.deepEqual(await w.events(), ['Completed: Job completed', 'SuccessfulCreate: Created pod: work-…']);
});

test('once it has ended, and while it waits, nothing is written any more', async () => {
  await using w = await JobWorld.start();
  await withNode(w);
  await w.create({ completions: 2, parallelism: 1 });
  await w.runAll();
  const waiting = w.api.store.revision;
  await w.pass(11 * 60_000);
  assert.equal(w.api.store.revision, waiting);
  await w.end('Succeeded');
  await w.end('Succeeded');
  assert.equal((await w.status()).succeeded, 2);
  const ended = w.api.store.revision;
  await w.pass(11 * 60_000);
  assert.equal(w.api.store.revision, ended);
});

test('parallelism and the completions that are left bound the active pods', async () => {
  await using w = await JobWorld.start();
  await w.create({ completions: 5, parallelism: 3 });
  assert.equal((await w.active()).length, 3);
  await w.end('Succeeded', { count: 1 });
  assert.equal((await w.active()).length, 3);
  await w.end('Succeeded');
  assert.equal((await w.active()).length, 1);
  await w.change({ parallelism: 0 });
  assert.equal((await w.active()).length, 0);
  await w.change({ parallelism: 3 });
  assert.equal((await w.active()).length, 1);
  await w.end('Succeeded');
  assert.equal((await w.status()).succeeded, 5);
  assert.equal((await w.status()).failed, undefined);
});

test('a work queue starts nothing more once one has succeeded, and is done when the others have ended', async () => {
  await using w = await JobWorld.start();
  await w.create({ parallelism: 3 });
  await w.end('Succeeded', { count: 1 });
  assert.equal((await w.active()).length, 2);
  await w.end('Failed', { count: 1 });
  assert.equal((await w.active()).length, 1);
  await w.end('Succeeded');
  assert.deepEqual((await w.conditions()).at(-1), 'Complete=True:CompletionsReached');
  assert.equal((await w.status()).succeeded, 2);
  assert.equal((await w.status()).failed, 1);
});

test('failed pods are replaced after ten seconds, then twice as long each time, up to backoffLimit', async () => {
  await using w = await JobWorld.start();
  await w.create({ backoffLimit: 2 });
  for (const waitMs of [10_000, 20_000]) {
    await w.end('Failed');
    await w.pass(waitMs - 1_000);
    assert.equal((await w.active()).length, 0, `still waiting before ${waitMs} ms`);
    await w.pass(1_000);
    assert.equal((await w.active()).length, 1, `after ${waitMs} ms`);
  }
  await w.end('Failed');
  assert.deepEqual(await w.conditions(), [
    'FailureTarget=True:BackoffLimitExceeded',
    'Failed=True:BackoffLimitExceeded',
  ]);
  const status = await w.status();
  assert.equal(status.failed, 3);
  assert.equal(status.completionTime, undefined);
  assert.ok((await w.events()).includes('BackoffLimitExceeded: Job has reached the specified backoff limit'));
});

test('a success in between begins the back-off anew', async () => {
  await using w = await JobWorld.start();
  await w.create({ completions: 3, parallelism: 1 });
  await w.end('Failed');
  await w.pass(10_000);
  await w.end('Failed');
  await w.pass(20_000);
  await w.pass(1_000);
  await w.end('Succeeded');
  await w.pass(1_000);
  await w.end('Failed');
  await w.pass(10_000);
  assert.equal((await w.active()).length, 1);
});

test('other pods of a Job that fails are removed, and count as failed', async () => {
  await using w = await JobWorld.start();
  await withNode(w);
  await w.create({ completions: 3, parallelism: 3, backoffLimit: 0 });
  await w.runAll();
  await w.end('Failed', { count: 1 });
  assert.deepEqual(await w.conditions(), ['FailureTarget=True:BackoffLimitExceeded']);
  assert.equal((await w.status()).terminating, 2);
  await w.buryPods();
  assert.deepEqual((await w.conditions()).at(-1), 'Failed=True:BackoffLimitExceeded');
  assert.equal((await w.status()).failed, 3);
});

test('with restartPolicy OnFailure the restarts of containers are what backoffLimit counts', async () => {
  await using w = await JobWorld.start();
  await w.create({ restartPolicy: 'OnFailure', backoffLimit: 2 });
  const [pod] = await w.pods();
  assert.ok(pod);
  const restarted = (restartCount: number) => ({
    ...w.running(),
    containerStatuses: [{ name: 'app', image: '', imageID: '', ready: true, restartCount, state: {}, lastState: {} }],
  });
  await w.setStatus(pod, restarted(1));
  await w.settled();
  assert.deepEqual(await w.conditions(), []);
  await w.setStatus(pod, restarted(2));
  await w.settled();
  assert.deepEqual((await w.conditions()).at(-1), 'Failed=True:BackoffLimitExceeded');
});

test('an indexed Job gives each pod an index, a hostname and a variable', async () => {
  await using w = await JobWorld.start();
  await w.create({ completionMode: 'Indexed', completions: 4, parallelism: 2 });
  const pods = await w.pods();
  assert.deepEqual(pods.map(indexLabel), ['0', '1']);
  assert.deepEqual(
    pods.map(({ spec }) => spec.hostname),
    ['work-0', 'work-1'],
  );
  assert.match(pods[0]?.metadata.name ?? '', /^work-0-[a-z0-9]{5}$/);
  assert.equal(pods[0]?.metadata.annotations?.['batch.kubernetes.io/job-completion-index'], '0');
  const [variable] = pods[0].spec.containers[0]?.env ?? [];
  assert.equal(variable?.name, 'JOB_COMPLETION_INDEX');
  assert.equal(variable.valueFrom?.fieldRef?.fieldPath, "metadata.labels['batch.kubernetes.io/job-completion-index']");
  await w.end('Succeeded', { index: 1 });
  assert.equal((await w.status()).completedIndexes, '1');
  await w.end('Succeeded', { index: 0 });
  await w.end('Succeeded', { index: 3 });
  assert.equal((await w.status()).completedIndexes, '0,1,3');
  await w.end('Succeeded');
  assert.equal((await w.status()).completedIndexes, '0-3');
  assert.equal((await w.status()).succeeded, 4);
  assert.deepEqual((await w.conditions()).at(-1), 'Complete=True:CompletionsReached');
});

test('an index that failed too often is given up, and the Job fails once all are done', async () => {
  await using w = await JobWorld.start();
  await w.create({ completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 1 });
  await w.end('Failed', { index: 0 });
  await w.pass(10_000);
  const [again] = (await w.active()).filter((pod) => indexLabel(pod) === '0');
  assert.equal(again?.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'], '1');
  await w.end('Failed', { index: 0 });
  assert.equal((await w.status()).failedIndexes, '0');
  await w.pass(600_000);
  assert.deepEqual((await w.active()).map(indexLabel), ['1']);
  await w.end('Succeeded');
  assert.deepEqual((await w.conditions()).at(-1), 'Failed=True:FailedIndexes');
  const { succeeded, failed, completedIndexes } = await w.status();
  assert.deepEqual({ succeeded, failed, completedIndexes }, { succeeded: 1, failed: 2, completedIndexes: '1' });
});

test('maxFailedIndexes ends the Job before the other indexes are done', async () => {
  await using w = await JobWorld.start();
  const limits = { backoffLimitPerIndex: 0, maxFailedIndexes: 1 };
  await w.create({ completionMode: 'Indexed', completions: 5, parallelism: 5, ...limits });
  await w.end('Failed', { count: 1 });
  assert.deepEqual(await w.conditions(), []);
  await w.end('Failed', { count: 1 });
  assert.deepEqual((await w.conditions()).at(-1), 'Failed=True:MaxFailedIndexesExceeded');
});

test('successPolicy ends the Job early, and pods that are removed for it count as nothing', async () => {
  await using w = await JobWorld.start();
  await withNode(w);
  const successPolicy = { rules: [{ succeededIndexes: '0' }] };
  await w.create({ completionMode: 'Indexed', completions: 3, parallelism: 3, successPolicy });
  await w.runAll();
  await w.end('Succeeded', { index: 1 });
  assert.deepEqual(await w.conditions(), []);
  await w.end('Succeeded', { index: 0 });
  assert.deepEqual(await w.conditions(), ['SuccessCriteriaMet=True:SuccessPolicy']);
  await w.buryPods();
  assert.deepEqual((await w.conditions()).at(-1), 'Complete=True:SuccessPolicy');
  const { succeeded, failed } = await w.status();
  assert.deepEqual({ succeeded, failed }, { succeeded: 2, failed: undefined });
});

test('podFailurePolicy ignores, counts and fails', async () => {
  await using w = await JobWorld.start();
  const rules = [
    { action: 'FailJob' as const, onExitCodes: { operator: 'In' as const, values: [42] } },
    { action: 'Ignore' as const, onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
  ];
  await w.create({ completions: 2, parallelism: 1, backoffLimit: 6, podFailurePolicy: { rules } });
  await w.end('Failed', { condition: 'DisruptionTarget' });
  assert.equal((await w.status()).failed, undefined);
  assert.equal((await w.pods())[0]?.metadata.finalizers, undefined);
  await w.pass(10_000);
  await w.end('Failed', { exitCode: 1 });
  assert.equal((await w.status()).failed, 1);
  await w.pass(20_000);
  await w.end('Failed', { exitCode: 42 });
  assert.deepEqual((await w.conditions()).at(-1), 'Failed=True:PodFailurePolicy');
  const [condition] = (await w.status()).conditions ?? [];
  assert.match(
    condition?.message ?? '',
    /^Container app for pod default\/work-\w+ failed with exit code 42 matching FailJob rule at index 0$/,
  );
});

test('activeDeadlineSeconds ends the Job', async () => {
  await using w = await JobWorld.start();
  await w.create({ activeDeadlineSeconds: 30 });
  await w.pass(29_000);
  assert.deepEqual(await w.conditions(), []);
  await w.pass(1_000);
  assert.deepEqual((await w.conditions()).at(-1), 'Failed=True:DeadlineExceeded');
});

test('a suspended Job has no pods; resumed, it starts anew', async () => {
  await using w = await JobWorld.start();
  await w.create({ suspend: true, activeDeadlineSeconds: 30 });
  assert.deepEqual(await w.conditions(), ['Suspended=True:JobSuspended']);
  assert.equal((await w.status()).startTime, undefined);
  assert.deepEqual(await w.pods(), []);
  await w.pass(60_000);
  await w.change({ suspend: false });
  assert.deepEqual(await w.conditions(), ['Suspended=False:JobResumed']);
  assert.equal((await w.active()).length, 1);
  await w.change({ suspend: true });
  assert.deepEqual(await w.active(), []);
  await w.pass(60_000);
  await w.change({ suspend: false });
  await w.end('Succeeded');
  const { succeeded, failed } = await w.status();
  assert.deepEqual({ succeeded, failed }, { succeeded: 1, failed: undefined });
  const reasons = (await w.events()).map((text) => text.split(':')[0]);
  assert.deepEqual(reasons, [
    'Completed',
    'Resumed',
    'Resumed',
    'SuccessfulCreate',
    'SuccessfulCreate',
    'SuccessfulDelete',
    'Suspended',
    'Suspended',
  ]);
});

test('pods that are ending because the Job was suspended hold up none of the next ones', async () => {
  await using w = await JobWorld.start();
  await withNode(w);
  await w.create({});
  await w.runAll();
  await w.change({ suspend: true });
  await w.change({ suspend: false });
  assert.equal((await w.active()).length, 1);
  assert.equal((await w.pods()).length, 2);
});

test('a Job is deleted with its pods when its time to live is over', async () => {
  await using w = await JobWorld.start();
  await w.create({ ttlSecondsAfterFinished: 60 });
  await w.end('Succeeded');
  await w.pass(59_000);
  assert.ok(await w.job());
  await w.pass(2_000);
  assert.equal(await w.api.client.find(Job, REF), undefined);
  assert.deepEqual(await w.pods(), []);
});

test('with podReplacementPolicy Failed a pod that is ending is replaced once it has ended', async () => {
  await using w = await JobWorld.start();
  await withNode(w);
  await w.create({ podReplacementPolicy: 'Failed' });
  await w.runAll();
  const [pod] = await w.pods();
  await w.api.client.delete(Pod, { namespace: NAMESPACE, name: pod?.metadata.name ?? '' });
  await w.pass(60_000);
  assert.equal((await w.status()).terminating, 1);
  assert.equal((await w.status()).failed, undefined);
  assert.equal((await w.pods()).length, 1);
  await w.buryPods();
  assert.equal((await w.status()).failed, 1);
  await w.pass(10_000);
  assert.equal((await w.active()).length, 1);
});

test('a pod that is deleted behind its back counts as failed and is replaced', async () => {
  await using w = await JobWorld.start();
  await w.create({});
  const [pod] = await w.pods();
  await w.api.client.delete(Pod, { namespace: NAMESPACE, name: pod?.metadata.name ?? '' });
  await w.settled();
  assert.equal((await w.status()).failed, 1);
  assert.deepEqual(await w.pods(), []);
  await w.pass(10_000);
  assert.equal((await w.active()).length, 1);
});

test('a Job that others manage is left alone', async () => {
  await using w = await JobWorld.start();
  await w.create({ managedBy: 'example.com/queue' });
  assert.deepEqual(await w.pods(), []);
  assert.deepEqual(await w.status(), {});
});

test('a Job takes in pods that its selector means, and lets go of those that it no longer means', async () => {
  await using w = await JobWorld.start();
  const { client } = w.api;
  const { metadata, spec } = jobOf({ manualSelector: true, labels: { app: 'x' } }).spec.template;
  const orphan = typed(Pod, { metadata: { ...metadata, namespace: NAMESPACE, name: 'orphan' }, spec });
  await client.create(Pod, orphan);
  await w.create({ manualSelector: true, selector: { matchLabels: { app: 'x' } }, labels: { app: 'x' } });
  const [taken, ...others] = await w.pods();
  assert.deepEqual(others, []);
  assert.equal(taken?.metadata.ownerReferences?.[0]?.name, NAME);
  assert.deepEqual(taken.metadata.finalizers, ['batch.kubernetes.io/job-tracking']);
  const labels = { app: 'other' };
  await client.patch(Pod, { namespace: NAMESPACE, name: 'orphan' }, { type: 'merge', body: { metadata: { labels } } });
  await w.settled();
  const pods = await w.pods();
  const left = pods.find(({ metadata: meta }) => meta.name === 'orphan');
  assert.equal(left?.metadata.ownerReferences, undefined);
  assert.equal(left?.metadata.finalizers, undefined);
  assert.equal(pods.length, 2);
});

for (const propagationPolicy of ['Background', 'Foreground'] as const) {
  test(`deletion in the ${propagationPolicy.toLowerCase()} takes the pods along`, async () => {
    await using w = await JobWorld.start();
    await withNode(w);
    await w.create({ completions: 2, parallelism: 2 });
    await w.runAll();
    await w.api.client.delete(Job, REF, { propagationPolicy });
    await w.settled();
    await w.buryPods();
    await w.pass(1_000);
    assert.deepEqual(await w.pods(), []);
    assert.equal(await w.api.client.find(Job, REF), undefined);
  });
}

test('deletion that orphans leaves the pods, and nothing holds them', async () => {
  await using w = await JobWorld.start();
  await w.create({});
  await w.api.client.delete(Job, REF, { propagationPolicy: 'Orphan' });
  await w.settled();
  await w.pass(1_000);
  const [pod] = await w.pods();
  assert.equal(pod?.metadata.ownerReferences, undefined);
  assert.equal(pod?.metadata.finalizers, undefined);
  assert.equal(await w.api.client.find(Job, REF), undefined);
});
