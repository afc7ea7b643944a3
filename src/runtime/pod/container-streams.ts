/** Where the standard streams of a pod's container are, and who keeps them. */
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { uidOf } from '#kube/object.ts';
import type { LogFile } from '#runtime/logs/log-file.ts';
import type { AgentEnvironment } from '#runtime/pod/agent-environment.ts';
import { containerCgroup, podPaths } from '#runtime/pod/record.ts';
import { releaseStreams, type StreamsRequest } from '#runtime/stdio/streams.ts';

type Environment = Pick<AgentEnvironment, 'clock' | 'cgroup' | 'cgroups' | 'exits' | 'podFolders'>;

export interface ContainerLifeName {
  readonly pod: Pod;
  readonly container: Container;
  /** Runtime id of the life. */
  readonly id: string;
}

export function streamsOf(env: Environment, of: ContainerLifeName, log: LogFile): StreamsRequest {
  const { pod, container } = of;
  const { root } = podPaths(env.podFolders, uidOf(pod)).container(container.name);
  return { container, folder: root, keeper: keeperOf(env, of), log, clock: env.clock };
}

/** That life is over: nobody keeps anything open for it any more. */
export function releaseStreamsOf(env: Environment, of: ContainerLifeName): Promise<void> {
  return releaseStreams({ container: of.container, keeper: keeperOf(env, of), clock: env.clock });
}

function keeperOf({ cgroup, cgroups, exits }: Environment, { pod, id }: ContainerLifeName) {
  return {
    layout: cgroups,
    group: `${containerCgroup(cgroup, pod, id)}-stdio`,
    // Its record, like a container's, is somebody's to remove.
    onEnd: (keeper: Parameters<AgentEnvironment['exits']['waitFor']>[0]) => exits.waitFor(keeper, () => undefined),
  };
}
