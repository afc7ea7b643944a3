/**
 * What Deployment, pods and PodAutoscaler say, told in the conditions of a Revision. Pure.
 *
 * The order matters, since a later mark may correct an earlier one: first the Deployment, then one pod that is not
 * coming up, then the PodAutoscaler, which knows whether the Revision ever came up.
 */
import type { Deployment } from '#kube/kinds/apps/deployment.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import { nameOf } from '#kube/object.ts';
import type { DeploymentConfig } from '#knative/config/deployment.ts';
import { findCondition, READY, type Reason, type revisionConditions } from '#knative/conditions.ts';
import type { PodAutoscaler } from '#knative/kinds/pod-autoscaler.ts';
import type { Revision } from '#knative/kinds/revision.ts';
import type { Draft, NamesOf } from '#serving/draft.ts';

export type RevisionStatus = NonNullable<Revision['status']>;
export type RevisionDraft = Draft<RevisionStatus, NamesOf<typeof revisionConditions>>;

export const DEPLOYING: Reason = { reason: 'Deploying', message: '' };
const DEADLINE_EXCEEDED = 'ProgressDeadlineExceeded';

/** ResourcesAvailable is: progressing, and no replica failed to be made. The failure, being the cause, is told first. */
export function reportDeployment({ status }: Deployment, { conditions }: RevisionDraft): void {
  const failure = conditionOf(status, 'ReplicaFailure');
  if (failure?.status === 'True') return conditions.markFalse('ResourcesAvailable', reasonOf(failure));
  const progress = conditionOf(status, 'Progressing');
  if (progress?.status === 'False') return conditions.markFalse('ResourcesAvailable', reasonOf(progress));
  if (progress?.status === 'True') return conditions.markTrue('ResourcesAvailable');
  conditions.markUnknown('ResourcesAvailable', progress ? reasonOf(progress) : DEPLOYING);
}

function conditionOf(status: Deployment['status'], type: string) {
  return status?.conditions?.find((condition) => condition.type === type);
}

function reasonOf({
  reason = '',
  message = '',
}: {
  reason?: string | undefined;
  message?: string | undefined;
}): Reason {
  return { reason, message };
}

/** Reasons of containers that are coming up as they should. */
const USUAL_WAITS = new Set(['ContainerCreating', 'PodInitializing', '']);

/**
 * What to say of a Revision that is not up yet. Knative says no more than `Deploying` until the progress deadline has
 * passed, ten minutes by default; what a pod says about itself is told here at once, as Unknown still.
 */
export function progressOf(pods: readonly Pod[]): Reason {
  const [pod] = byName(pods);
  for (const { state } of pod?.status?.containerStatuses ?? []) {
    if (state?.waiting && !USUAL_WAITS.has(state.waiting.reason ?? '')) return reasonOf(state.waiting);
  }
  return { ...DEPLOYING, message: pod?.status?.message ?? '' };
}

/** All pods of a Revision are taken to fail alike: the first by name is looked at. */
function byName(pods: readonly Pod[]): Pod[] {
  return pods.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** Looks at one pod of a Deployment that wants pods and has none available. */
export function reportPods(
  deployment: Deployment,
  pods: readonly Pod[],
  at: { draft: RevisionDraft; config: DeploymentConfig },
): void {
  const { draft, config } = at;
  const isWaiting = (deployment.spec.replicas ?? 0) > 0 && (deployment.status?.availableReplicas ?? 0) === 0;
  const [pod] = byName(pods);
  if (!isWaiting || !pod) return;
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False' && !config.podIsAlwaysSchedulable) {
    draft.conditions.markFalse('ResourcesAvailable', reasonOf(scheduled));
  }
  const hasTimedOut = hasExceededDeadline(deployment);
  for (const { state, lastState } of pod.status?.containerStatuses ?? []) {
    if (lastState?.terminated) return draft.conditions.markFalse('ContainerHealthy', exitReason(lastState.terminated));
    if (state?.waiting && hasTimedOut) {
      return draft.conditions.markFalse('ResourcesAvailable', reasonOf(state.waiting));
    }
  }
}

function exitReason({ exitCode, message = '' }: { exitCode: number; message?: string | undefined }): Reason {
  const words = exitCode === 0 && message === '' ? 'container exited with no error' : message;
  return { reason: `ExitCode${exitCode}`, message: `Container failed with: ${words}` };
}

function hasExceededDeadline({ status }: Deployment): boolean {
  const progress = conditionOf(status, 'Progressing');
  return progress?.status === 'False' && progress.reason === DEADLINE_EXCEEDED;
}

export function isFailing({ conditions }: RevisionDraft): boolean {
  return (['ResourcesAvailable', 'ContainerHealthy'] as const).some((type) => conditions.get(type)?.status === 'False');
}

/** @param progress what ResourcesAvailable says while nothing is known to be wrong for good. */
export function reportPodAutoscaler(
  podAutoscaler: PodAutoscaler | undefined,
  draft: RevisionDraft,
  progress: Reason,
): void {
  const { conditions } = draft;
  const { status } = podAutoscaler ?? {};
  const wasFailing = isFailing(draft);
  draft.status.actualReplicas = countOf(status?.actualScale);
  draft.status.desiredReplicas = countOf(status?.desiredScale);
  const ready = findCondition(status, READY);
  if (!ready) {
    conditions.markUnknown('Active', DEPLOYING);
    if (!wasFailing) conditions.markUnknown('ResourcesAvailable', progress);
    return;
  }
  const isInitialized = findCondition(status, 'ScaleTargetInitialized')?.status === 'True';
  const hasService = Boolean(status?.serviceName);
  if (isInitialized && !wasFailing) {
    conditions.markTrue('ResourcesAvailable');
    conditions.markTrue('ContainerHealthy');
  }
  const isAvailable = conditions.get('ResourcesAvailable')?.status === 'True';
  if (isAvailable && (!hasService || !isInitialized)) conditions.markUnknown('ResourcesAvailable', progress);
  if (ready.status === 'False' && !isInitialized && !wasFailing && hasService) {
    const message = 'Initial scale was never achieved';
    conditions.markFalse('ResourcesAvailable', { reason: DEADLINE_EXCEEDED, message });
  }
  if (ready.status === 'True') conditions.markTrue('Active');
  else conditions.copy('Active', ready);
}

/** -1 means that nobody knows. */
function countOf(scale: number | undefined): number | undefined {
  return scale === undefined || scale < 0 ? undefined : scale;
}
