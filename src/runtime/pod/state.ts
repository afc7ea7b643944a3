/**
 * What the agent knows of one pod: its sandbox and each container's present and last life. It is also what is written
 * beside the pod (`record.ts`), so that a new agent continues where a killed one stopped. Plain data.
 */
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { StartMarks } from '#protocol/timeline.ts';

export interface Sandbox {
  /** Path of the mounted network namespace; undefined with hostNetwork. */
  readonly netns: string | undefined;
  readonly address: string;
}

/** Not running, for a reason that the user should know. */
export interface Waiting {
  readonly type: 'waiting';
  /** `ContainerCreating`, `ErrImagePull`, `CrashLoopBackOff`, … */
  readonly reason: string;
  readonly message?: string | undefined;
}

export interface Running {
  readonly type: 'running';
  readonly id: string;
  readonly pid: number;
  /** With the pid, the identity of the process. */
  readonly startTicks: number;
  readonly startedAt: number;
  /** Passed its startup probe, or has none. */
  readonly isStarted: boolean;
  readonly isReady: boolean;
  /** What its probes last said while it was not ready. */
  readonly trouble?: string | undefined;
}

export interface Terminated {
  readonly type: 'terminated';
  readonly id: string;
  readonly exitCode: number;
  readonly signal?: number | undefined;
  /** `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerStatusUnknown`. */
  readonly reason: string;
  readonly message?: string | undefined;
  readonly startedAt: number;
  readonly finishedAt: number;
}

export type Life = Waiting | Running | Terminated;

export interface ContainerState {
  readonly name: string;
  readonly life: Life;
  /** How it ended the last time, when it was started again since. */
  readonly last?: Terminated | undefined;
  /** Number of the present life, from 0. */
  readonly attempt: number;
  readonly imageId?: string | undefined;
  readonly image?: string | undefined;
  /** Failures in a row that count for the back-off, and when it may be started again. */
  readonly failures: number;
  readonly notBefore: number;
}

export interface PodState {
  /** The pod as the agent last took it over from the API. */
  readonly pod: Pod;
  readonly sandbox?: Sandbox | undefined;
  readonly containers: Readonly<Record<string, ContainerState>>;
  readonly startTime: number;
  readonly marks: StartMarks;
  /** The application listens on its loopback only. */
  readonly usesLoopback: boolean;
  /** Set once the pod ends: when it was told to, ms since the epoch. */
  readonly endingSince?: number | undefined;
  /** Set once the pod has been active for longer than its `activeDeadlineSeconds`; ms since the epoch. */
  readonly expiredSince?: number | undefined;
}

/** The number of the life that follows those that the status tells of. */
function nextAttempt({ status }: Pod, container: string): number {
  const known = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const { restartCount = 0, state, lastState } = known.find(({ name }) => name === container) ?? {};
  const hasLived = (state?.running ?? state?.terminated ?? lastState?.terminated) !== undefined;
  return hasLived ? restartCount + 1 : restartCount;
}

function newContainerState(name: string): ContainerState {
  return { name, life: { type: 'waiting', reason: 'ContainerCreating' }, attempt: 0, failures: 0, notBefore: 0 };
}

/** Of a pod that nothing is known of but what the API says: a new one, or one that ran before the machine was started anew. */
export function newPodState(pod: Pod, now: number): PodState {
  const names = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name);
  const containers = Object.fromEntries(
    names.map((name) => [name, { ...newContainerState(name), attempt: nextAttempt(pod, name) }]),
  );
  return { pod, containers, startTime: now, marks: {}, usesLoopback: false };
}
