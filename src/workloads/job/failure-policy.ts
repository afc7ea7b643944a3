/**
 * What a Job's podFailurePolicy says to the failure of a pod: the first rule that fits decides, and without one the
 * failure counts. Pure.
 */
import type { Job } from '#kube/kinds/batch/job.ts';
import type { JobSpec } from '#kube/kinds/batch/job-spec.ts';
import type { Pod } from '#kube/kinds/core/pod.ts';
import type { ContainerStatus } from '#kube/kinds/core/pod-status.ts';
import { nameOf, namespaceOf } from '#kube/object.ts';

type Rule = NonNullable<JobSpec['podFailurePolicy']>['rules'][number];
type ExitCodes = NonNullable<Rule['onExitCodes']>;

export interface FailureVerdict {
  readonly action: Rule['action'] | 'None';
  /** Whether the failure counts towards the limits. */
  readonly isCounted: boolean;
  /** Why the Job fails, for `FailJob`. */
  readonly message?: string;
}

export function judgeFailure({ spec }: Job, pod: Pod): FailureVerdict {
  for (const [position, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const match = matchOf(rule, pod);
    if (match === undefined) continue;
    const { action } = rule;
    if (action !== 'FailJob') return { action, isCounted: action !== 'Ignore' };
    return { action, isCounted: true, message: `${match} matching ${action} rule at index ${position}` };
  }
  return { action: 'None', isCounted: true };
}

/** What fitted, in words; undefined when the rule does not fit. */
function matchOf({ onExitCodes, onPodConditions = [] }: Rule, pod: Pod): string | undefined {
  const { status = {} } = pod;
  const name = `${namespaceOf(pod)}/${nameOf(pod)}`;
  if (onExitCodes) {
    const all = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])];
    const container = all.find((one) => isExitMeant(one, onExitCodes));
    if (!container) return undefined;
    return `Container ${container.name} for pod ${name} failed with exit code ${exitCodeOf(container) ?? 0}`;
  }
  const condition = (status.conditions ?? []).find((one) =>
    onPodConditions.some((pattern) => pattern.type === one.type && pattern.status === one.status),
  );
  return condition && `Pod ${name} has condition ${condition.type}`;
}

function isExitMeant(container: ContainerStatus, { containerName, operator, values }: ExitCodes): boolean {
  const code = exitCodeOf(container);
  if (code === undefined || code === 0) return false;
  if (containerName !== undefined && containerName !== container.name) return false;
  return values.includes(code) === (operator === 'In');
}

/** Undefined while the container has not ended. */
function exitCodeOf({ state }: ContainerStatus): number | undefined {
  return state?.terminated?.exitCode;
}
