/** The agent's pods as the kubelet endpoint asks for them. */
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { KubeletContainer, KubeletPod } from '#runtime/kubelet/backend.ts';
import type { PodRunner } from '#runtime/pod/pod-runner.ts';
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

function containersOf({ spec }: Pod) {
  return [...(spec.initContainers ?? []), ...spec.containers];
}
