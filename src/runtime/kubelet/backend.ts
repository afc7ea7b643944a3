/**
 * What the endpoint asks of the node agent: which pods are here, what became of their containers, where their logs
 * are, and the driver that runs commands in them. The answers are of the moment and are not kept.
 */
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { ContainerDriver } from '#runtime/drivers/driver.ts';
import type { LogSource } from '#runtime/logs/log-reader.ts';
import type { Life, Sandbox } from '#runtime/pod/state.ts';
import type { ContainerStreams } from '#runtime/stdio/streams.ts';

export interface KubeletBackend {
  readonly driver: Pick<ContainerDriver, 'exec'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined when no such pod is on this node. */
  findPod(namespace: string, name: string): KubeletPod | undefined;
}

export interface KubeletPod {
  readonly pod: Pod;
  /** Address and network namespace; undefined until the pod has them, and once it has ended. */
  readonly sandbox: Sandbox | undefined;
  /** Init containers as well. Undefined when the pod has none of that name. */
  findContainer(name: string): KubeletContainer | undefined;
}

export interface KubeletContainer {
  readonly spec: Container;
  /** As the pod's status shows it: a container that waits for its next start after a crash is `waiting`. */
  readonly life: Life;
  /** The log of the newest life that began; `live` while it is being written. */
  readonly current: LogSource | undefined;
  /** The log of the life that the status shows as the last one. */
  readonly previous: LogSource | undefined;
  /** Of the container that runs, for attach. */
  readonly streams: AttachedStreams | undefined;
}

export type AttachedStreams = Pick<ContainerStreams, 'showUnfinished' | 'openInput' | 'endInput' | 'resize'>;

/** `NAME_NAMESPACE`, as the kubelet calls pods in its messages. */
export function podFullName({ metadata }: Pod): string {
  return `${metadata.name ?? ''}_${metadata.namespace ?? ''}`;
}
