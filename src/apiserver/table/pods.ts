/** The table of pods. What is shown as status is the first thing that keeps a pod from being what it should be. */
import type { ContainerStatus, PodStatus } from '#kube/kinds/core/pod-status.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import { isBeingDeleted } from '#kube/object.ts';
import { parseTime } from '#kube/time.ts';
import { listOf } from '#apiserver/lists.ts';
import { ageColumn, ageOf, agoOf, column, nameColumn, noneIfEmpty, tableFor, wide } from '#apiserver/table/columns.ts';

const ENDED = {
  Succeeded: { reason: 'Succeeded', message: 'The pod has completed successfully.' },
  Failed: { reason: 'Failed', message: 'The pod failed.' },
} as const;

export const podTable = tableFor(Pod, {
  columns: [
    nameColumn,
    column('Ready', 'Containers that are ready, of all that should be.'),
    column('Status', 'What the pod is at, or what holds it up.'),
    column('Restarts', 'How often its containers were started again, and when last.'),
    ageColumn,
    wide('IP', 'Address of the pod.'),
    wide('Node', 'Node that runs the pod.'),
    wide('Nominated Node', 'Node that makes room for the pod.'),
    wide('Readiness Gates', 'Gates that are open, of all that must be.'),
  ],
  row(pod, now) {
    const { spec, status = {} } = pod;
    const ended = status.phase === 'Succeeded' || status.phase === 'Failed' ? ENDED[status.phase] : undefined;
    const summary = summaryOf(pod);
    return {
      cells: [
        pod.metadata.name ?? '',
        `${summary.ready}/${summary.total}`,
        summary.status,
        restartsText(summary.restarts, now),
        ageOf(pod, now),
        noneIfEmpty(status.podIPs?.[0]?.ip),
        noneIfEmpty(spec.nodeName),
        noneIfEmpty(status.nominatedNodeName),
        gatesText(pod),
      ],
      ...(ended ? { conditions: [{ type: 'Completed', status: 'True', ...ended }] } : {}),
    };
  },
});

interface Restarts {
  readonly count: number;
  /** When the last of them was, in milliseconds; 0 when nobody knows. */
  readonly lastMs: number;
}

interface Summary {
  readonly ready: number;
  readonly total: number;
  readonly status: string;
  readonly restarts: Restarts;
}

function summaryOf(pod: Pod): Summary {
  const { spec, status = {} } = pod;
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const init = initSummary(pod, sidecars);
  const isPast = init.status === undefined || isTrue(status, 'Initialized');
  const main = isPast ? mainSummary(status, baseStatus(status, init.status)) : undefined;
  return {
    ready: init.ready + (main?.ready ?? 0),
    total: listOf(spec.containers).length + sidecars.size,
    status: endStatus(pod) ?? main?.status ?? init.status ?? '',
    restarts: main ? joined(init.sidecarRestarts, main.restarts) : init.restarts,
  };
}

function isSidecar({ restartPolicy }: { restartPolicy?: string | undefined }): boolean {
  return restartPolicy === 'Always';
}

function baseStatus(status: PodStatus, ofInit: string | undefined): string {
  if (ofInit !== undefined) return ofInit;
  const isGated = (status.conditions ?? []).some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  return isGated ? 'SchedulingGated' : status.reason || (status.phase ?? '');
}

/** A pod on its way out says so, whatever its containers do. */
function endStatus(pod: Pod): string | undefined {
  if (!isBeingDeleted(pod)) return undefined;
  const { reason, phase } = pod.status ?? {};
  if (reason === 'NodeLost') return 'Unknown';
  return phase === 'Succeeded' || phase === 'Failed' ? undefined : 'Terminating';
}

interface InitSummary {
  readonly ready: number;
  /** What the first unfinished init container is at; undefined when all are through. */
  readonly status: string | undefined;
  readonly restarts: Restarts;
  readonly sidecarRestarts: Restarts;
}

function initSummary({ spec, status }: Pod, sidecars: ReadonlySet<string>): InitSummary {
  const total = (spec.initContainers ?? []).length;
  const seen: ContainerStatus[] = [];
  let ready = 0;
  let waiting: string | undefined;
  for (const container of status?.initContainerStatuses ?? []) {
    const isRunning = sidecars.has(container.name) && container.started === true;
    const position = seen.push(container) - 1;
    if (container.state?.terminated?.exitCode === 0) continue;
    if (isRunning && container.ready) ready += 1;
    if (isRunning) continue;
    waiting = `Init:${initState(container) ?? `${position}/${total}`}`;
    break;
  }
  const ofSidecars = seen.filter(({ name }) => sidecars.has(name));
  return { ready, status: waiting, restarts: restartsOf(seen), sidecarRestarts: restartsOf(ofSidecars) };
}

type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;

function initState({ state }: ContainerStatus): string | undefined {
  if (state?.terminated) return endText(state.terminated);
  const reason = state?.waiting?.reason ?? '';
  return reason === '' || reason === 'PodInitializing' ? undefined : reason;
}

function endText({ reason, signal, exitCode }: Terminated): string {
  if (reason) return reason;
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

interface MainSummary {
  readonly ready: number;
  readonly status: string;
  readonly restarts: Restarts;
}

function mainSummary(status: PodStatus, base: string): MainSummary {
  const containers = status.containerStatuses ?? [];
  const states = containers.map(
    ({ state }) => state?.waiting?.reason || (state?.terminated && endText(state.terminated)),
  );
  const shown = states.find((text) => text !== undefined && text !== '') ?? base;
  const ready = containers.filter(
    (container, position) => !states[position] && container.ready && container.state?.running !== undefined,
  ).length;
  const isPartlyDone = shown === 'Completed' && ready > 0;
  const partly = isTrue(status, 'Ready') ? 'Running' : 'NotReady';
  return { ready, status: isPartlyDone ? partly : shown, restarts: restartsOf(containers) };
}

function isTrue({ conditions = [] }: PodStatus, wanted: string): boolean {
  return conditions.some(({ type, status }) => type === wanted && status === 'True');
}

function restartsOf(containers: readonly ContainerStatus[]): Restarts {
  return containers
    .map(({ restartCount, lastState }) => ({
      count: restartCount,
      lastMs: parseTime(lastState?.terminated?.finishedAt) ?? 0,
    }))
    .reduce(joined, { count: 0, lastMs: 0 });
}

function joined(one: Restarts, other: Restarts): Restarts {
  return { count: one.count + other.count, lastMs: Math.max(one.lastMs, other.lastMs) };
}

function restartsText({ count, lastMs }: Restarts, now: number): string {
  return count === 0 || lastMs === 0 ? String(count) : `${count} (${agoOf(lastMs, now)} ago)`;
}

function gatesText({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? [];
  const open = gates.filter(({ conditionType }) => isTrue(status ?? {}, conditionType)).length;
  return gates.length === 0 ? noneIfEmpty('') : `${open}/${gates.length}`;
}
