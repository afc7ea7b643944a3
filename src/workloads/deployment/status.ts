/**
 * The status of a Deployment: counts, and the conditions Available, Progressing and ReplicaFailure with the texts
 * that `kubectl rollout status` and Knative's revisions read. Pure.
 */
import { insidePart, insideWarning } from '#knative/inside.ts';
import type { Deployment } from '#kube/kinds/apps/deployment.ts';
import type { DeploymentCondition, DeploymentStatus } from '#kube/kinds/apps/deployment-spec.ts';
import type { ReplicaSet } from '#kube/kinds/apps/replica-set.ts';
import { nameOf } from '#kube/object.ts';
import { formatTime, parseTime } from '#kube/time.ts';
import { boundsOf } from '#workloads/deployment/rolling.ts';

const DEFAULT_PROGRESS_DEADLINE_SECONDS = 600;
const MS = 1_000;

/** What a reconcile did about the newest ReplicaSet. */
export type NewSetNews = 'created' | 'found' | undefined;

export interface StatusInput {
  readonly deployment: Deployment;
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  readonly nowMs: number;
  readonly news?: NewSetNews;
  /** The newest ReplicaSet could not be made. */
  readonly createFailure?: string | undefined;
}

export function deploymentStatus(input: StatusInput): DeploymentStatus {
  const { deployment, current, old } = input;
  const all = current ? [current, ...old] : old;
  const sum = (count: (one: ReplicaSet) => number | undefined) =>
    all.reduce((total, one) => total + (count(one) ?? 0), 0);
  const availableReplicas = sum((one) => one.status?.availableReplicas);
  const counts = {
    replicas: sum((one) => one.status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum((one) => one.status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum((one) => one.spec.replicas) - availableReplicas),
  };
  const status: DeploymentStatus = { observedGeneration: deployment.metadata.generation };
  for (const [name, count] of Object.entries(counts)) if (count > 0) status[name as keyof typeof counts] = count;
  if (deployment.status?.collisionCount !== undefined) status.collisionCount = deployment.status.collisionCount;
  status.conditions = conditionsOf(input, status);
  return status;
}

/** ms until the progress deadline must be checked again, or undefined when it doesn't run. */
export function progressCheckMs({ spec, status }: Deployment, nowMs: number): number | undefined {
  const progressing = status?.conditions?.find(({ type }) => type === 'Progressing');
  if (!progressing || progressing.status === 'False' || progressing.reason === 'NewReplicaSetAvailable')
    return undefined;
  const since = parseTime(progressing.lastUpdateTime) ?? nowMs;
  return Math.max(0, since + deadlineSeconds(spec) * MS - nowMs) + MS;
}

function deadlineSeconds(spec: Deployment['spec']): number {
  return spec.progressDeadlineSeconds ?? DEFAULT_PROGRESS_DEADLINE_SECONDS;
}

interface Wanted {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

function conditionsOf(input: StatusInput, next: DeploymentStatus): DeploymentCondition[] {
  const { deployment, nowMs } = input;
  const before = deployment.status?.conditions ?? [];
  const wanted = new Map<string, Wanted | undefined>([
    ['Available', availability(deployment, next)],
    ['Progressing', progress(input, next)],
    ['ReplicaFailure', replicaFailure(input)],
  ]);
  const conditions: DeploymentCondition[] = [];
  for (const [type, want] of wanted) {
    const known = before.find((condition) => condition.type === type);
    if (want) conditions.push(merged(type, { want, known, nowMs, isProgress: isProgress(type, want, input, next) }));
    else if (type !== 'ReplicaFailure' && known) conditions.push(known);
  }
  return conditions;
}

/** Progress moves `lastUpdateTime` even when nothing else in the condition changes: the deadline counts from there. */
function isProgress(type: string, want: Wanted, input: StatusInput, next: DeploymentStatus): boolean {
  return type === 'Progressing' && want.reason === 'ReplicaSetUpdated' && hasProgressed(input, next);
}

interface Merge {
  readonly want: Wanted;
  readonly known: DeploymentCondition | undefined;
  readonly nowMs: number;
  readonly isProgress: boolean;
}

function merged(type: string, { want, known, nowMs, isProgress }: Merge): DeploymentCondition {
  const now = formatTime(nowMs);
  const isSame =
    known && known.status === want.status && known.reason === want.reason && known.message === want.message;
  if (isSame && !isProgress) return known;
  const lastTransitionTime = known?.status === want.status ? known.lastTransitionTime : now;
  return {
    type,
    status: want.status,
    lastUpdateTime: now,
    lastTransitionTime,
    reason: want.reason,
    message: want.message,
  };
}

function availability(deployment: Deployment, next: DeploymentStatus): Wanted {
  const { replicas, maxUnavailable } = boundsOf(deployment);
  const part = insidePart(deployment);
  if (part) return { status: 'True', reason: 'InsidePinnace', message: insideWarning(part) };
  const enough = (next.availableReplicas ?? 0) >= replicas - maxUnavailable;
  return enough
    ? { status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

function progress(input: StatusInput, next: DeploymentStatus): Wanted | undefined {
  const { deployment, current, news, createFailure, nowMs } = input;
  const known = deployment.status?.conditions?.find(({ type }) => type === 'Progressing');
  if (createFailure !== undefined) return { status: 'False', reason: 'ReplicaSetCreateError', message: createFailure };
  const name = current ? nameOf(current) : '';
  if (deployment.spec.paused) return asWanted(known);
  const wasComplete =
    known?.reason === 'NewReplicaSetAvailable' && (next.replicas ?? 0) === (next.updatedReplicas ?? 0);
  if (wasComplete && news === undefined) return asWanted(known);
  if (isComplete(deployment, next)) {
    return {
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `ReplicaSet "${name}" has successfully progressed.`,
    };
  }
  if (hasProgressed(input, next))
    return { status: 'True', reason: 'ReplicaSetUpdated', message: `ReplicaSet "${name}" is progressing.` };
  if (news === 'created')
    return { status: 'True', reason: 'NewReplicaSetCreated', message: `Created new replica set "${name}"` };
  if (known && isOverdue(deployment, known, nowMs)) {
    return {
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `ReplicaSet "${name}" has timed out progressing.`,
    };
  }
  if (known) return asWanted(known);
  return current && { status: 'True', reason: 'FoundNewReplicaSet', message: `Found new replica set "${name}"` };
}

function asWanted(known: DeploymentCondition | undefined): Wanted | undefined {
  if (!known) return undefined;
  return { status: known.status as Wanted['status'], reason: known.reason ?? '', message: known.message ?? '' };
}

export function isComplete({ spec, metadata }: Deployment, next: DeploymentStatus): boolean {
  const replicas = spec.replicas ?? 1;
  const { updatedReplicas = 0, replicas: present = 0, availableReplicas = 0, observedGeneration = 0 } = next;
  const all = updatedReplicas === replicas && present === replicas && availableReplicas === replicas;
  return all && observedGeneration >= (metadata.generation ?? 0);
}

/** More new pods, fewer old ones, or more that are ready or available than before. */
function hasProgressed({ deployment }: StatusInput, next: DeploymentStatus): boolean {
  const before = deployment.status ?? {};
  const old = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (next.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(next) < old(before) ||
    (next.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function isOverdue({ spec }: Deployment, known: DeploymentCondition, nowMs: number): boolean {
  if (known.reason === 'NewReplicaSetAvailable') return false;
  if (known.reason === 'ProgressDeadlineExceeded') return true;
  const since = parseTime(known.lastUpdateTime) ?? nowMs;
  return since + deadlineSeconds(spec) * MS < nowMs;
}

function replicaFailure({ current, old }: StatusInput): Wanted | undefined {
  for (const one of current ? [current, ...old] : old) {
    const failure = one.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
    if (failure) return { status: 'True', reason: failure.reason ?? '', message: failure.message ?? '' };
  }
  return undefined;
}
