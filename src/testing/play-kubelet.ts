/**
 * Plays the node: pods start and become ready, or fare as their container's MODE says; pods that are ending go. One
 * step per call, so that a test sees what happens in between.
 */
import type { Client } from '#client/client.ts';
import type { Clock } from '#base/clock.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import type { PodStatus } from '#kube/kinds/core/pod-status.ts';
import type { Stored } from '#kube/object.ts';
import { formatTime } from '#kube/time.ts';
import { deepEqual } from '#base/json.ts';

type ContainerStatus = NonNullable<PodStatus['containerStatuses']>[number];

let lastAddress = 1;

/** True when something was written. */
export async function playKubelet(client: Client, clock: Clock): Promise<boolean> {
  let hasWritten = false;
  for (const pod of (await client.list(Pod)).items) {
    const ref = { namespace: pod.metadata.namespace, name: pod.metadata.name };
    if (pod.metadata.deletionTimestamp) {
      await client.remove(Pod, ref, { gracePeriodSeconds: 0 });
      hasWritten = true;
    } else {
      const status = nextStatus(pod, clock.now());
      if (deepEqual(pod.status, status)) continue;
      await client.derived.modify(Pod, ref, (current) => ({ ...current, status }), 'status');
      hasWritten = true;
    }
  }
  return hasWritten;
}

function nextStatus(pod: Stored<Pod>, nowMs: number): PodStatus {
  const now = pod.status?.startTime ?? formatTime(nowMs);
  const containerStatuses = pod.spec.containers.map((container) => containerStatus(container, now));
  const isReady = containerStatuses.every(({ ready }) => ready);
  const condition = (type: string, isTrue: boolean) => {
    const status = isTrue ? 'True' : 'False';
    const before = pod.status?.conditions?.find((one) => one.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(nowMs);
    return { type, status, lastTransitionTime };
  };
  return {
    ...pod.status,
    phase: containerStatuses.some(({ state }) => state?.running) ? 'Running' : 'Pending',
    podIP: pod.status?.podIP ?? nextAddress(),
    startTime: now,
    conditions: [condition('Ready', isReady), condition('PodScheduled', true)],
    containerStatuses,
  };
}

function nextAddress(): string {
  lastAddress += 1;
  return `10.1.${lastAddress >> 8}.${lastAddress & 255}`;
}

type Container = Pod['spec']['containers'][number];

function containerStatus({ name, image = '', env, imagePullPolicy, command }: Container, now: string): ContainerStatus {
  const base = { name, image, imageID: image, restartCount: 0, ready: false };
  const mode = env?.find((one) => one.name === 'MODE')?.value ?? 'ok';
  const secret = env?.find((one) => one.valueFrom?.secretKeyRef)?.valueFrom?.secretKeyRef?.name;
  if (secret) {
    const message = `secret "${secret}" not found`;
    return { ...base, state: { waiting: { reason: 'CreateContainerConfigError', message } } };
  }
  if (imagePullPolicy === 'Never') {
    const message = `Container image "${image}" is not present with pull policy of Never`;
    return { ...base, state: { waiting: { reason: 'ErrImageNeverPull', message } } };
  }
  if (mode === 'crash') return crashed(base, { exitCode: 3, message: 'boom\n' }, now);
  if (command?.[0] === '/nope') return crashed(base, { exitCode: 128, message: 'no such file or directory' }, now);
  const isServing = name.startsWith('user-container');
  return { ...base, ready: mode !== 'deaf' || !isServing, state: { running: { startedAt: now } } };
}

function crashed(base: ContainerStatus, end: { exitCode: number; message: string }, now: string): ContainerStatus {
  const waiting = { reason: 'CrashLoopBackOff', message: `back-off 10s restarting failed container=${base.name}` };
  const terminated = { ...end, reason: 'Error', startedAt: now, finishedAt: now };
  return { ...base, restartCount: 1, state: { waiting }, lastState: { terminated } };
}
