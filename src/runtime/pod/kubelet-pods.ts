/** The agent's pods as the kubelet endpoint asks for them. */
import type { Pod } from '#kube/kinds/core/pod.ts';
import { existsSync } from 'node:fs';
import type { KubeletContainer, KubeletPod } from '#runtime/kubelet/backend.ts';
import type { LogSource } from '#runtime/logs/log-reader.ts';
import { logPath } from '#runtime/pod/log-path.ts';
import type { PodRunner } from '#runtime/pod/pod-runner.ts';
import type { Life } from '#runtime/pod/state.ts';
import { shownLife } from '#runtime/pod/status.ts';

export function kubeletPod(runner: PodRunner, now: () => number): KubeletPod {
  const { pod, state } = runner;
  return {
    pod,
    sandbox: state.sandbox,
    findContainer: (name) => kubeletContainer(runner, name, now()),
  };
}

function kubeletContainer(runner: PodRunner, name: string, now: number): KubeletContainer | undefined {
  const spec = containersOf(runner.pod).find((one) => one.name === name);
  const known = runner.state.containers[name];
  const container = runner.container(name);
  if (!spec || !known || !container) return undefined;
  const life = shownLife(runner.pod, known, now);
  const { currentLog, previousLog, streams } = container;
  return { spec, life, current: currentLog, previous: previousLog, streams };
}

/** A pod that had ended before this agent was started: its logs are still here. */
export function endedPod(pod: Pod, podLogsDir: string): KubeletPod {
  return { pod, sandbox: undefined, findContainer: (name) => endedContainer(pod, name, podLogsDir) };
}

function endedContainer(pod: Pod, name: string, podLogsDir: string): KubeletContainer | undefined {
  const spec = containersOf(pod).find((one) => one.name === name);
  if (!spec) return undefined;
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const status = [...initContainerStatuses, ...containerStatuses].find((one) => one.name === name);
  const logOf = (attempt: number): LogSource | undefined => {
    const file = logPath(podLogsDir, { pod, container: name, attempt });
    return existsSync(file) ? { file } : undefined;
  };
  const attempt = status?.restartCount ?? 0;
  return { spec, life: endOf(status), current: logOf(attempt), previous: logOf(attempt - 1), streams: undefined };
}

type ShownStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

function endOf(status: ShownStatus | undefined): Life {
  const { waiting, terminated } = status?.state ?? {};
  if (!terminated) return { type: 'waiting', reason: waiting?.reason ?? 'ContainerCreating' };
  const { exitCode, reason = '', startedAt = '', finishedAt = '' } = terminated;
  const times = { startedAt: Date.parse(startedAt), finishedAt: Date.parse(finishedAt) };
  return { type: 'terminated', id: status?.containerID ?? '', exitCode, reason, ...times };
}

function containersOf({ spec }: Pod) {
  return [...(spec.initContainers ?? []), ...spec.containers];
}
