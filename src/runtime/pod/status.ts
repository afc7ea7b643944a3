/**
 * The status of a pod as the API shows it, from what the agent knows. Pure; times of conditions that did not change
 * are kept.
 */
import type { Container } from '#kube/kinds/core/container.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type {
  ContainerStatus,
  ContainerState as ApiState,
  PodCondition,
  PodStatus,
} from '#kube/kinds/core/pod-status.ts';
import { formatTime } from '#kube/time.ts';
import { podOutcome, RESTART_BACKOFF_BASE_MS, RESTART_BACKOFF_MAX_MS } from '#runtime/pod/plan.ts';
import type { ContainerState, Life, PodState, Terminated } from '#runtime/pod/state.ts';

/** Why a pod has failed that was active for longer than its `activeDeadlineSeconds`. */
export const DEADLINE_EXCEEDED = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
};

export interface StatusInput {
  readonly state: PodState;
  /** What the API has now; conditions of others (PodScheduled) are kept. */
  readonly before: PodStatus | undefined;
  readonly hostIp: string;
  readonly now: number;
}

export function podStatus({ state, before, hostIp, now }: StatusInput): PodStatus {
  const { pod, sandbox } = state;
  const status: PodStatus = { phase: phaseOf(state), hostIP: hostIp, hostIPs: [{ ip: hostIp }] };
  if (sandbox) Object.assign(status, { podIP: sandbox.address, podIPs: [{ ip: sandbox.address }] });
  else if (before?.podIP) Object.assign(status, { podIP: before.podIP, podIPs: before.podIPs });
  const trouble = troubleOf(state);
  if (trouble !== undefined) status.message = trouble;
  if (state.expiredSince !== undefined) Object.assign(status, DEADLINE_EXCEEDED);
  status.startTime = formatTime(state.startTime);
  status.qosClass = qosClass(pod);
  const inits = pod.spec.initContainers ?? [];
  if (inits.length > 0)
    status.initContainerStatuses = inits.map((one) => containerStatus(state, one, { isInit: true, now }));
  status.containerStatuses = pod.spec.containers.map((one) => containerStatus(state, one, { isInit: false, now }));
  status.conditions = conditionsOf(state, before, now);
  return status;
}

function phaseOf(state: PodState): NonNullable<PodStatus['phase']> {
  const outcome = podOutcome(state);
  if (outcome === 'succeeded') return 'Succeeded';
  if (outcome === 'failed') return 'Failed';
  const { initContainers = [], containers } = state.pod.spec;
  const lifeOf = ({ name }: Container) => state.containers[name]?.life;
  if (!initContainers.every((one) => isDone(lifeOf(one)))) return 'Pending';
  const begun = containers.filter((one) => hasBegun(state.containers[one.name]));
  return begun.length === containers.length ? 'Running' : 'Pending';
}

/** Why a container that runs is not ready, so that whoever looks at the pod needs no events to see it. */
function troubleOf({ pod, containers }: PodState): string | undefined {
  for (const { name } of pod.spec.containers) {
    const life = containers[name]?.life;
    if (life?.type === 'running' && !life.isReady && life.trouble !== undefined) return life.trouble;
  }
  return undefined;
}

function isDone(life: Life | undefined): boolean {
  return life?.type === 'terminated' && life.exitCode === 0;
}

function hasBegun(container: ContainerState | undefined): boolean {
  return container !== undefined && (container.life.type !== 'waiting' || container.last !== undefined);
}

function containerStatus(
  state: PodState,
  container: Container,
  { isInit, now }: { isInit: boolean; now: number },
): ContainerStatus {
  const known = state.containers[container.name] as ContainerState;
  const { life, last } = known;
  const isReady = isInit ? isDone(life) : life.type === 'running' && life.isReady;
  const isStarted = life.type === 'running' && (isInit || life.isStarted);
  const shown = shownLife(state.pod, known, now);
  const id = life.type === 'waiting' ? last?.id : life.id;
  const status: ContainerStatus = {
    name: container.name,
    state: apiState(shown),
    lastState: shown !== life && life.type === 'terminated' ? lastState(life) : lastState(last),
    ready: isReady,
    restartCount: known.attempt,
    image: known.image ?? container.image ?? '',
    imageID: known.imageId ?? '',
    started: isStarted,
    ...(life.type === 'running' ? { resources: container.resources ?? {} } : {}),
    ...mountStatuses(container),
  };
  if (id !== undefined) status.containerID = containerIdOf(id);
  return status;
}

/** What is mounted below a read-only mount is as it was. */
function mountStatuses({ volumeMounts = [] }: Container): Pick<ContainerStatus, 'volumeMounts'> {
  const shown = volumeMounts.map(({ name, mountPath, readOnly }) => ({
    name,
    mountPath,
    ...(readOnly ? { readOnly, recursiveReadOnly: 'Disabled' } : {}),
  }));
  return shown.length > 0 ? { volumeMounts: shown } : {};
}

function containerIdOf(id: string): string {
  return `pinnace://${id}`;
}

function lastState(last: Terminated | undefined): ApiState {
  return last ? { terminated: terminatedState(last) } : {};
}

/** While a container waits to be started again it shows as waiting, with the reason that everybody knows. */
export function shownLife({ metadata }: Pod, { name, life, failures, notBefore }: ContainerState, now: number): Life {
  if (life.type !== 'terminated' || now >= notBefore) return life;
  const seconds = Math.min(RESTART_BACKOFF_MAX_MS, RESTART_BACKOFF_BASE_MS * 2 ** Math.max(0, failures - 2)) / 1_000;
  const pod = `${metadata.name ?? ''}_${metadata.namespace ?? ''}(${metadata.uid ?? ''})`;
  const message = `back-off ${goSeconds(seconds)} restarting failed container=${name} pod=${pod}`;
  return { type: 'waiting', reason: 'CrashLoopBackOff', message };
}

/** `10s`, `1m20s`, `5m0s` */
function goSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

function apiState(life: Life): ApiState {
  if (life.type === 'running') return { running: { startedAt: formatTime(life.startedAt) } };
  if (life.type === 'terminated') return { terminated: terminatedState(life) };
  return {
    waiting: life.message === undefined ? { reason: life.reason } : { reason: life.reason, message: life.message },
  };
}

function terminatedState(life: Terminated): NonNullable<ApiState['terminated']> {
  return {
    exitCode: life.exitCode,
    ...(life.signal === undefined ? {} : { signal: life.signal }),
    reason: life.reason,
    ...(life.message === undefined || life.message === '' ? {} : { message: life.message }),
    startedAt: formatTime(life.startedAt),
    finishedAt: formatTime(life.finishedAt),
    containerID: containerIdOf(life.id),
  };
}

interface Wanted {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

/** The kubelet's order. */
function conditionsOf(state: PodState, before: PodStatus | undefined, now: number): PodCondition[] {
  const wanted: [type: string, want: Wanted | undefined][] = [
    ['PodReadyToStartContainers', { status: state.sandbox ? 'True' : 'False' }],
    ['Initialized', initialized(state)],
    ['Ready', ready(state)],
    ['ContainersReady', ready(state)],
    ['PodScheduled', { status: 'True' }],
  ];
  const known = before?.conditions ?? [];
  const ours = wanted.map(([type, want]) =>
    condition(type, { want, known: known.find((one) => one.type === type), now }),
  );
  const others = known.filter((one) => !wanted.some(([type]) => type === one.type));
  return [...ours.flatMap((one) => one ?? []), ...others];
}

function condition(
  type: string,
  { want, known, now }: { want: Wanted | undefined; known: PodCondition | undefined; now: number },
): PodCondition | undefined {
  if (!want) return known;
  const isSame = known?.status === want.status && known.reason === want.reason && known.message === want.message;
  if (known && isSame) return known;
  const lastTransitionTime = known?.status === want.status ? known.lastTransitionTime : formatTime(now);
  return {
    type,
    status: want.status,
    lastTransitionTime,
    ...(want.reason ? { reason: want.reason, message: want.message } : {}),
  };
}

function initialized({ pod, containers }: PodState): Wanted {
  const missing = (pod.spec.initContainers ?? [])
    .map(({ name }) => name)
    .filter((name) => !isDone(containers[name]?.life));
  if (missing.length === 0) return { status: 'True' };
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${missing.join(' ')}]`,
  };
}

function ready(state: PodState): Wanted {
  const { pod, containers } = state;
  const outcome = podOutcome(state);
  if (outcome === 'succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (outcome === 'failed') return { status: 'False', reason: 'PodFailed' };
  const missing = pod.spec.containers
    .map(({ name }) => name)
    .filter((name) => {
      const life = containers[name]?.life;
      return life?.type !== 'running' || !life.isReady;
    });
  if (missing.length === 0) return { status: 'True' };
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${missing.join(' ')}]`,
  };
}

/** Guaranteed, Burstable or BestEffort, by requests and limits of cpu and memory. */
export function qosClass({ spec }: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  const resources = ['cpu', 'memory'];
  const hasAny = all.some(({ resources: own }) =>
    resources.some((name) => own?.requests?.[name] ?? own?.limits?.[name]),
  );
  if (!hasAny) return 'BestEffort';
  const isGuaranteed = all.every(({ resources: own }) =>
    resources.every(
      (name) => own?.limits?.[name] !== undefined && (own.requests?.[name] ?? own.limits[name]) === own.limits[name],
    ),
  );
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}
